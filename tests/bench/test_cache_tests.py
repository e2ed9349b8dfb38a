"""The client of the public cache tests: what it takes for passed, for failed, and for a fault of its setup."""

import asyncio
import json
from pathlib import Path

import pytest

from bench import report
from bench.caching import command, hits, judge
from bench.caching.suite import Question

PAGES = Path(__file__).parents[2] / "docs"
NOW = 1_700_000_000_000


def answer(status=200, text="", **fields):
    return judge.Answer(status, {name.replace("_", "-"): str(value) for name, value in fields.items()}, text)


class Suite:
    """The suite's server with a client before it, whose cache keeps `cached` answers from the second request on."""

    def __init__(self, cached=False, status=200, **fields):
        self.cached, self.status, self.fields, self.seen = cached, status, fields, []

    async def fetch(self, method, path, fields, body):
        told = judge.joined(fields)
        if method == "PUT":
            self.token = path.rpartition("/")[2]
            return answer(201)
        if path.startswith("/state"):
            return answer(text=json.dumps(self.seen))
        number = int(told["req-num"])
        if not (self.cached and number > 1):
            self.seen.append({"request_num": number, "request_method": method, "request_headers": told})
        return answer(self.status, self.token, server_request_count=len(self.seen), server_now=NOW, **self.fields)


def played(suite, *requests):
    """None, or the failure."""
    try:
        asyncio.run(judge.played(Question("id", "name", "required", list(requests), []), suite.fetch))
    except judge.Failed as failed:
        return str(failed), failed.in_setup
    return None


def test_an_answer_is_to_come_from_the_cache_or_not():
    first, cached, not_cached = {"setup": True}, {"expected_type": "cached"}, {"expected_type": "not_cached"}
    assert played(Suite(cached=True), first, cached) is None
    assert played(Suite(), first, not_cached) is None
    assert played(Suite(), first, cached) == ("answer 2 does not come from the cache", False)
    assert played(Suite(cached=True), first, not_cached) == ("answer 2 comes from the cache", False)


def test_what_goes_wrong_in_the_setup_is_told_apart():
    assert played(Suite(), {}, {"expected_type": "cached", "setup": True})[1]
    assert played(Suite(), {}, {"expected_type": "cached", "setup_tests": ["expected_type"]})[1]
    assert not played(Suite(), {}, {"expected_type": "cached", "setup_tests": ["expected_status"]})[1]


def test_status_body_and_fields_are_compared():
    assert played(Suite(status=404), {"expected_status": 404}) is None
    assert played(Suite(status=404), {"expected_status": 200}) == ("answer 1 has status 404", False)
    assert played(Suite(status=999), {"expected_type": "etag_validated"})[0] == "request 1 is not conditional"
    assert played(Suite(), {"expected_response_text": "other"})[0] == "answer 1 has another body"
    assert played(Suite(a="1"), {"expected_response_headers": [["A", "1"], "a", ["a", "=", "A"]]}) is None
    assert played(Suite(age=5), {"expected_response_headers": [["Age", ">", 4]]}) is None
    assert played(Suite(age=5), {"expected_response_headers": [["Age", ">", 5]]})[0].endswith("not above 5")
    assert played(Suite(a="1"), {"expected_response_headers_missing": ["A"]})[0] == "answer 1 has A"


def test_dates_are_those_of_the_server():
    told = {"server-now": str(NOW), "server-base-url": "/test/1"}
    assert judge._filled(("Expires", 10), told, {}) == "Tue, 14 Nov 2023 22:13:30 GMT"
    assert judge._filled(("Expires", 10), told, {"rfc850date": ["expires"]}) == "Tuesday, 14-Nov-23 22:13:30 GMT"
    assert judge._filled(("Location", "x"), told, {"magic_locations": True}) == "/test/1/x"
    assert judge._filled(("X", 10), told, {}) == 10


def test_a_test_needs_those_that_it_depends_on():
    tests = [
        Question("a", "", "required", [], []),
        Question("b", "", "optimal", [], ["a"]),
        Question("c", "", "required", [], []),
    ]
    results = {"a": "no", "b": True, "c": True}
    assert [command.passed(test, results) for test in tests] == [False, False, True]
    assert command.table(tests, {"x": results}).splitlines()[-1] == "| x | 1 | 0 | 0 |"
    assert list(command.failures(tests, {"x": results})) == ["x: required a: no", "x: optimal b: it depends on a"]


@pytest.mark.parametrize(
    ("page", "marks"),
    [("caching-conformance.md", (command.BEGIN, command.END)), ("benchmarks.md", (hits.BEGIN, hits.END))],
)
def test_the_pages_have_the_marks_that_are_replaced(page, marks):
    text = (PAGES / page).read_text("utf-8")
    assert report.between(text, "x", *marks) != text
