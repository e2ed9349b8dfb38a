"""The plugin's fixtures, as the tests of a user have them."""

import pytest

USES = """
from callsheet import AsyncClient, Client
import asyncio

def test_a_retry(callsheet_clock, callsheet_transport):
    callsheet_transport.on("GET", "/x").respond(503, headers={"Retry-After": "20"}).respond(200, json=1)
    with Client(base_url="https://a.test", transport=callsheet_transport, clock=callsheet_clock) as client:
        assert client.get("/x").attempts == 2
    assert callsheet_clock.now() == 20.0

def test_tasks(callsheet_clock, callsheet_transport):
    callsheet_transport.on("GET", "/x").respond(200, json=1, delay=5)
    async def steps():
        async with AsyncClient(base_url="https://a.test", transport=callsheet_transport, clock=callsheet_clock) as c:
            return await c.get("/x")
    assert asyncio.run(steps()).elapsed == 5.0
"""
UNUSED = """
def test_unused(callsheet_transport):
    callsheet_transport.on("GET", "/x").respond()

def test_failing(callsheet_transport):
    callsheet_transport.on("GET", "/x").respond()
    assert False, "on purpose"
"""
TAPE = """
from callsheet import Client

def test_users(callsheet_cassette):
    with Client(base_url="{url}", transport=callsheet_cassette) as client:
        assert client.get("/users").json() == [1]
"""


@pytest.fixture
def run(pytester):
    def runs(text, *options):
        pytester.makepyfile(test_it=text)
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)

    return runs


def test_the_fixtures_go_together(run):
    run(USES).assert_outcomes(passed=2)


def test_a_script_that_was_not_used_fails_the_test_unless_it_has_failed_already(run):
    result = run(UNUSED)
    result.assert_outcomes(passed=1, failed=1, errors=1)
    result.stdout.fnmatch_lines(["*scripted, and never asked for: GET /x: 1 more*"])


def test_a_cassette_is_named_after_the_test_and_recorded_on_request_only(run, pytester):
    from tests.servers import ScriptedServer, answer_json

    with ScriptedServer(answer_json([1])) as server:
        text = TAPE.replace("{url}", server.url)
        refused = run(text)
        refused.assert_outcomes(errors=1)
        refused.stdout.fnmatch_lines(["*no such cassette; record it with `pytest --callsheet-record=once`*"])
        run(text, "--callsheet-record=once").assert_outcomes(passed=1)
        run(text).assert_outcomes(passed=1)
        assert len(server.requests) == 1
    assert (pytester.path / "cassettes" / "test_it.test_users.json").exists()


def test_the_plugin_loads_nothing_until_it_is_asked(pytester):
    pytester.makepyfile(
        "import sys\n\ndef test_it():\n    assert 'pycurl' not in sys.modules and 'pydantic' not in sys.modules\n"
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
