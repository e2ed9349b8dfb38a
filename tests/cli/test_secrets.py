"""A canary in every place of a secret: no command shows it, whichever way the call ends."""

import pytest

from tests.servers.actions import answer, close, silence
from tests.servers.scripted import ScriptedServer

CANARY = "canary-0123456789"
SHEET = """
callsheet: 1
services:
  s:
    base_url: "{url}"
    retry: off
    timeout: 300ms
    headers: {{X-Secret: "${{CANARY}}"}}
    operations:
      bearer: {{get: /a, auth: {{bearer: "${{CANARY}}"}}}}
      basic: {{get: /a, auth: {{basic: {{username: ada, password: "${{CANARY}}"}}}}}}
      header_key: {{get: /a, auth: {{api_key: {{header: X-Key, value: "${{CANARY}}"}}}}}}
      query_key: {{get: /a, auth: {{api_key: {{query: key, value: "${{CANARY}}"}}}}}}
      given:
        get: "/a/{{code}}"
        path: {{code: {{type: string, secret: true}}}}
        query: {{pin: {{type: string, secret: true}}, always: {{type: string, secret: true, value: "${{CANARY}}"}}}}
        header: {{X-Code: {{type: string, secret: true}}}}
      open: {{get: /a, params: {{k: "${{CANARY}}"}}, query: {{v: {{value: "${{CANARY}}"}}}}}}
      form: {{post: /a, form: {{code: {{type: string, secret: true}}, key: {{type: string, value: "${{CANARY}}"}}}}}}
      parts:
        post: /a
        multipart: {{code: {{type: string, secret: true}}, key: {{type: string, value: "${{CANARY}}"}}, file: file}}
"""
CALLS = [
    ["call", "open"],
    ["call", "bearer"],
    ["call", "basic"],
    ["call", "header_key"],
    ["call", "query_key"],
    ["call", "given", f"code={CANARY}", f"pin={CANARY}", f"X-Code:{CANARY}"],
    ["call", "form", f"code={CANARY}"],
    ["call", "parts", f"code={CANARY}", "file@callsheet.yaml"],
    ["call", "bearer", f"Authorization:Bearer {CANARY}"],
    ["request", "GET", "/a", f"X-Auth-Token:{CANARY}"],
]
PROBLEM = {"Content-Type": "application/problem+json"}
ENDS = {
    "ok": answer(200, {"X-Echo": CANARY}),
    "401": answer(401, PROBLEM, b'{"title": "no such token"}'),
    "echoed": answer(403, PROBLEM, f'{{"title": "the token {CANARY} is not ours"}}'.encode()),
    "redirect": answer(302, {"Location": f"/b?key={CANARY}"}),
    "closed": close(),
    "silent": silence(),
}
WAYS = [["-v"], ["--dry-run"], ["--curl"], ["-v", "-o", "headers"], ["-v", "--stream"], ["-v", "--download", "file"]]


@pytest.fixture
def shown(callsheet, sheet, monkeypatch):
    """What a command line puts on either stream."""
    monkeypatch.setenv("CANARY", CANARY)
    monkeypatch.setenv("CALLSHEET_DEBUG", "1")

    def of(action, *words):
        with ScriptedServer([action]) as server:
            sheet(SHEET.format(url=server.url))
            ended = callsheet(*words)
            return ended, server.requests

    return of


@pytest.mark.parametrize("words", CALLS, ids=lambda words: words[1])
@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_no_way_of_showing_shows_it(shown, words, way):
    ended, _ = shown(ENDS["ok"], *words, *way)
    assert ended.code == 0, ended.err
    assert CANARY not in ended.out + ended.err


@pytest.mark.parametrize("words", CALLS[:8], ids=lambda words: words[1])
@pytest.mark.parametrize("end", ENDS)
def test_no_end_of_a_call_shows_it(shown, words, end):
    ended, requests = shown(ENDS[end], *words, "-v", "-o", "headers")
    assert CANARY.encode() in requests[0].head or words[1] == "basic"
    assert CANARY not in ended.out + ended.err


@pytest.mark.parametrize(
    "command",
    [
        ["check"],
        ["list"],
        ["list", "-o", "json"],
        ["call", "nothing"],
        ["call", "given"],
        ["explain", "open"],
        ["schema"],
    ],
)
def test_no_other_command_shows_it(shown, command):
    ended, _ = shown(ENDS["ok"], *command)
    assert CANARY not in ended.out + ended.err


def test_a_sheet_that_is_wrong_does_not_show_it(callsheet, sheet, monkeypatch):
    monkeypatch.setenv("CANARY", CANARY)
    sheet(
        f'callsheet: 1\nservices:\n  s:\n    base_url: "${{CANARY}}"\n    auth: {{bearer: {CANARY}x}}\n    retires: {CANARY}\n'
    )
    for form in ("text", "json", "github"):
        ended = callsheet("check", "--format", form)
        assert ended.code == 2
        assert CANARY not in ended.out + ended.err
