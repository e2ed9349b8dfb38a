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
      login:
        post: /login
        form:
          user: string
          card: object
          tag: {{type: array, items: {{type: string}}}}
          code: {{type: string, secret: true}}
          key: {{type: string, value: "${{SHOP_PASSWORD}}"}}
      photo:
        put: /photo
        multipart: {{title: string, photo: file, key: {{type: string, value: "${{SHOP_PASSWORD}}"}}}}
      rows: {{post: /rows, content: text/csv}}
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
    ["request", "POST", "/x", "--form", "a=1", "a=x y&z=ü", "card[number]=$HOME", "q=~*"],
    ["request", "POST", "/x", "--form", "a='\"\\`id`"],
    ["request", "POST", "/x", "a=@tail", "f@callsheet.yaml", "g@callsheet.yaml;type=text/x;filename=q\"'$;,.txt"],
    ["request", "PUT", "/x", "@callsheet.yaml"],
    ["request", "POST", "/x", "@callsheet.yaml;type=text/yaml", "X-Team:"],
    ["call", "login", "user=it's", "card[n]=1", "tag=a", "tag=b", "code=canary-c"],
    ["call", "photo", "title=@callsheet.yaml", "photo@callsheet.yaml"],
    ["call", "rows", "@callsheet.yaml"],
    ["call", "rows", "content=a,b"],
]
OWN = {
    "SHOP_PATH": "canary-c",
    "SHOP_X_CODE": "canary-x",
    "SHOP_PIN": "canary p",
    "SHOP_CODE": "canary-c",
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
        sheet("the end", "tail")
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
    assert (curls.method, whole(curls)) == (ours.method, whole(ours))
    assert urlsplit(curls.target).path == urlsplit(ours.target).path
    assert sorted(parse_qsl(urlsplit(curls.target).query)) == sorted(parse_qsl(urlsplit(ours.target).query))
    assert fields(curls) == fields(ours)


def fields(request):
    """The header fields but for those that no command asks for."""
    unasked = ("accept", "accept-encoding", *(["content-type", "content-length"] if boundary(request) else []))
    return sorted((name.lower(), value) for name, value in request.headers if name.lower() not in unasked)


def boundary(request):
    kind, _, text = (request.header("content-type") or "").partition("; boundary=")
    return text.encode() if kind == "multipart/form-data" else b""


def whole(request):
    """The body, whatever its boundary."""
    mark = boundary(request)
    return request.body.replace(mark, b"BOUNDARY") if mark else request.body


def test_what_no_command_can_say_is_refused(callsheet, sheet, monkeypatch):
    sheet(SHEET.format(url="http://127.0.0.1:1").replace("post: /rows", "post: /rows, compress: gzip"))
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    ended = callsheet("call", "rows", "content=a,b", "--curl")
    assert (ended.code, "compressed on its way out" in ended.err) == (2, True)
    assert callsheet("call", "rows", "content=a,b", "--dry-run").out.endswith("Content-Encoding: gzip\n\na,b\n")
    ended = callsheet("request", "POST", "/x", "a=b=c@x", r"a\=b@callsheet.yaml", "--curl")
    assert "curl ends a name at `=`" in ended.err


def test_curl_is_told_what_becomes_of_the_answer(callsheet, sheet):
    sheet('callsheet: 1\nservices: {s: {base_url: "http://127.0.0.1:1"}}\n')
    lines = callsheet("request", "GET", "/x", "-d", "a b.bin", "-c", "--curl").out.splitlines()
    assert lines[-2:] == ["  --output 'a b.bin' \\", "  --continue-at -"]
    assert "--no-buffer" in callsheet("request", "GET", "/x", "-S", "--curl").out
