"""`--curl`: curl, run with the variables set, sends what we would have sent."""

import os
import subprocess
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.servers.echo import EchoServer

SHEET = """
callsheet: 1
services:
  shop:
    base_url: "{url}/v1"
    headers: {{Accept: application/json, X-Team: "it's ours"}}
    operations:
      get: {{get: "/items/{{name}}", path: {{name: string}}, query: {{q: string}}}}
      bearer: {{get: /a, auth: {{bearer: "${{SHOP_TOKEN}}"}}}}
      basic: {{get: /a, auth: {{basic: {{username: ada, password: "${{SHOP_PASSWORD}}"}}}}}}
      key: {{get: /a, auth: {{api_key: {{header: X-Key, value: "pre-${{SHOP_TOKEN}}"}}}}}}
      query_key: {{get: /a, query: {{q: string}}, auth: {{api_key: {{query: key, value: "${{SHOP_PASSWORD}}"}}}}}}
      plain_key: {{get: /a, query: {{q: string}}, auth: {{api_key: {{query: key, value: "${{SHOP_TOKEN}}"}}}}}}
      hidden:
        get: "/h/{{code}}"
        path: {{code: {{type: string, secret: true}}}}
        header: {{X-Code: {{type: string, secret: true}}}}
        query: {{pin: {{type: string, secret: true}}}}
      post: {{post: /items, json: object}}
      put: {{put: /items, json: object}}
      delete: {{delete: /items}}
      head: {{head: /items}}
      empty: {{post: /items}}
"""
SECRETS = {"SHOP_TOKEN": "canary-token", "SHOP_PASSWORD": "canary pass&w\"o'r$d"}
CALLS = [
    ["call", "get", "name=a/b c", "q=ü & 'more' \"$HOME\" `id` !"],
    ["call", "bearer"],
    ["call", "basic"],
    ["call", "key"],
    ["call", "query_key", "q=1"],
    ["call", "query_key"],
    ["call", "plain_key", "q=1"],
    ["call", "hidden", "code=canary-c", "X-Code:canary-x", "pin=canary p"],
    ["call", "post", "name=it's $HOME `id` \\n", "text=@-"],
    ["call", "put", "a:=[1]"],
    ["call", "delete"],
    ["call", "head"],
    ["call", "empty"],
    ["request", "GET", "/x?a[]=1"],
    ["request", "POST", "/x", "a=1", "Authorization:Bearer canary-own"],
]
OWN = {
    "SHOP_PATH": "canary-c",
    "SHOP_X_CODE": "canary-x",
    "SHOP_PIN": "canary p",
    "SHOP_X_KEY": "pre-canary-token",
    "SHOP_AUTHORIZATION": "canary-own",
    "SHOP_USERNAME": "ada",
}


@pytest.mark.needs("curl", "bash")
@pytest.mark.parametrize("words", CALLS, ids=lambda words: " ".join(words[1:3]))
def test_curl_sends_the_same(callsheet, sheet, monkeypatch, words):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    with EchoServer() as server:
        sheet(SHEET.format(url=server.url))
        words = [word.replace("@-", "@callsheet.yaml") for word in words]
        printed = callsheet(*words, "--curl")
        assert printed.code == 0, printed.err
        assert "canary" not in printed.out + printed.err
        assert server.requests == []
        callsheet(*words, "--no-retry")
        env = {**os.environ, **OWN}
        done = subprocess.run(["bash", "-c", printed.out], env=env, capture_output=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        ours, curls = server.requests
    assert (curls.method, curls.body) == (ours.method, ours.body)
    assert urlsplit(curls.target).path == urlsplit(ours.target).path
    assert sorted(parse_qsl(urlsplit(curls.target).query)) == sorted(parse_qsl(urlsplit(ours.target).query))
    assert fields(curls) == fields(ours)


def fields(request):
    """The header fields but for those that no command asks for."""
    unasked = ("accept", "accept-encoding")
    return sorted((name.lower(), value) for name, value in request.headers if name.lower() not in unasked)
