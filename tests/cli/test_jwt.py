"""A token that is made when the request leaves: shown as the others are, and left out where it is taken out."""

import pytest

from tests.auth.keys import SHARED
from tests.servers import ScriptedServer, answer, answer_with

SHEET = """
callsheet: 1
services:
  s:
    base_url: "{url}"
    retry: off
    auth: {{jwt: {{secret: "${{CANARY}}"}}}}
    operations: {{op: {{get: /a}}}}
"""
PROBLEM = {"Content-Type": "application/problem+json"}


@pytest.fixture
def told(callsheet, sheet, monkeypatch):
    """A command line against a server that tells the token back, and the server."""
    monkeypatch.setenv("CANARY", SHARED)

    def echo(request):
        token = (request.header("Authorization") or "none").removeprefix("Bearer ")
        return answer(403, {**PROBLEM, "X-Echo": token}, f'{{"title": "{token} is not ours"}}'.encode())

    with ScriptedServer(answer_with(echo)) as server:
        sheet(SHEET.format(url=server.url))
        yield callsheet, server


@pytest.mark.parametrize("command", [["call", "op"], ["request", "GET", "/a"]])
@pytest.mark.parametrize("way", [["--dry-run"], ["--curl"], ["-v"], ["-o", "headers"]])
def test_no_command_shows_the_token(told, command, way):
    callsheet, server = told
    ended = callsheet(*command, *way)
    sent = [request.header("Authorization").removeprefix("Bearer ") for request in server.requests]
    assert not [secret for secret in (SHARED, "eyJ", *sent) if secret in ended.err]
    if way != ["-v"]:  # whose stdout is the body, as it came
        assert not [secret for secret in (SHARED, "eyJ", *sent) if secret in ended.out]


def test_a_preview_shows_that_there_is_one(told):
    callsheet, _ = told
    assert "Authorization: ***" in callsheet("call", "op", "--dry-run").out
    ended = callsheet("call", "op", "--curl")
    assert '--header "Authorization: Bearer ${S_AUTHORIZATION}"' in ended.out
    assert "set S_AUTHORIZATION" in ended.err


@pytest.mark.parametrize("way", [["-v"], ["--dry-run"], ["--curl"]])
def test_a_header_that_is_taken_out_stays_out(told, way):
    callsheet, server = told
    ended = callsheet("call", "op", "Authorization:", *way)
    assert "uthorization" not in ended.out
    assert [request.header("Authorization") for request in server.requests] in ([], [None])
