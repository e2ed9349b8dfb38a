"""A header that the command line takes out, whichever part of the sheet would have put it in."""

import pytest

from tests.servers import ScriptedServer, answer

SHEET = """
callsheet: 1
services:
  s:
    base_url: "{url}"
    idempotency_key: true
    operations: {{make: {{post: /a}}}}
    deadline_header: X-Deadline
    sign: {{hmac: {{key: "${{CANARY}}", header: X-Sign, value: "{{signature}}", components: [body]}}}}
"""


@pytest.fixture(autouse=True)
def _secret(monkeypatch):
    monkeypatch.setenv("CANARY", "0123456789abcdef0123456789abcdef")


@pytest.mark.parametrize("call", [["call", "make"], ["request", "POST", "/a"]])
@pytest.mark.parametrize(("item", "attempts"), [("X-Other:", 2), ("idempotency-key:", 1)])
def test_a_post_without_the_key_that_makes_it_safe_is_sent_once(callsheet, sheet, call, item, attempts):
    with ScriptedServer([answer(503, {"Retry-After": "0"}), answer(200)]) as server:
        sheet(SHEET.format(url=server.url))
        ended = callsheet(*call, item)
    assert len(server.requests) == attempts
    assert [request.header("Idempotency-Key") is None for request in server.requests] == [attempts == 1] * attempts
    assert (ended.code == 0) is (attempts == 2)


@pytest.mark.parametrize("name", ["X-Deadline", "X-Sign", "User-Agent", "Idempotency-Key"])
def test_it_is_not_sent_whatever_puts_it_in(callsheet, sheet, name):
    with ScriptedServer([answer(200)] * 2) as server:
        sheet(SHEET.format(url=server.url))
        assert callsheet("call", "make").code == callsheet("call", "make", f"{name.lower()}:").code == 0
    assert [request.header(name) is None for request in server.requests] == [False, True]


def test_a_key_is_not_given_and_taken_out_at_once(callsheet, sheet):
    with ScriptedServer([answer(200)]) as server:
        sheet(SHEET.format(url=server.url))
        ended = callsheet("call", "make", "Idempotency-Key:", "--idempotency-key", "k1")
    assert (ended.code, server.requests) == (2, [])
    assert "--idempotency-key and `Idempotency-Key:` contradict each other: give one" in ended.err
