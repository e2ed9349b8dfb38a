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
"""


@pytest.mark.parametrize("call", [["call", "make"], ["request", "POST", "/a"]])
@pytest.mark.parametrize(("item", "attempts"), [("X-Other:", 2), ("idempotency-key:", 1)])
def test_a_post_without_the_key_that_makes_it_safe_is_sent_once(callsheet, sheet, call, item, attempts):
    with ScriptedServer([answer(503, {"Retry-After": "0"}), answer(200)]) as server:
        sheet(SHEET.format(url=server.url))
        ended = callsheet(*call, item)
    assert len(server.requests) == attempts
    assert [request.header("Idempotency-Key") is None for request in server.requests] == [attempts == 1] * attempts
    assert (ended.code == 0) is (attempts == 2)
