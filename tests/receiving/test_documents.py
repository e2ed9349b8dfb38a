"""Bodies that are not what was hoped for: untyped and typed, over real sockets."""

import pytest

from callsheet.errors import DecodeError
from tests.servers import ScriptedServer, answer

OPERATIONS = {
    "as_object": {"get": "/", "returns": "object"},
    "as_any": {"get": "/", "returns": {"type": "object"}},
}
TOKEN = "canary-of-a-token"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"<html>" + TOKEN.encode() + b"x" * 5000, "'<html>***xxxxx"),
        (b"[" * 100_000, "'[[["),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": ' + b"9" * 100_000 + b"}", "9999"),
        (b'{"a": "\xff"}', "\ufffd"),
        (b'{"a": 123123e100000}', "a number in it is beyond what a 64-bit float can hold"),
        (b'{"a": "\\ud83d"}', "half a surrogate pair, which has no UTF-8 form at line 1 column 14"),
        (b'{"a": "\\ud83d\\u0041"}', "half a surrogate pair, which has no UTF-8 form at line 1 column"),
        (b'{"a": 1', "EOF"),
        (b"", "''"),
        ('{"a": 1}'.encode("utf-16"), "\ufffd"),
    ],
    ids=[
        "html",
        "depth",
        "nan",
        "infinity",
        "integer",
        "utf-8",
        "overflow",
        "half a pair",
        "two halves",
        "cut",
        "empty",
        "utf-16",
    ],
)
@pytest.mark.parametrize("how", ["json", *OPERATIONS])
def test_what_is_no_json_is_told_with_status_and_a_short_beginning(caller, body, shown, how):
    with ScriptedServer(answer(headers={"Content-Type": "text/html"}, body=body)) as server:
        client = caller.client(server.url, OPERATIONS, headers={"Authorization": "Bearer ${X_TOKEN:-" + TOKEN + "}"})
        ask = (
            (lambda: caller.do(client, "get", "/").json()) if how == "json" else lambda: caller.do(client, "call", how)
        )
        with pytest.raises(DecodeError) as caught:
            ask()
    error = caught.value
    message = str(error)
    assert "200: the answer is not JSON (text/html): " in message
    assert shown in message
    assert TOKEN not in message
    assert len(message) < 400
    assert (error.status_code, error.response.content, error.was_sent) == (200, body, True)


@pytest.mark.parametrize("body", [b'\xef\xbb\xbf{"a": 1}', b'{"a": 1}'])
def test_json_is_utf_8_whatever_the_charset_says_and_may_have_a_mark(caller, body):
    with ScriptedServer(answer(headers={"Content-Type": "application/json; charset=utf-16"}, body=body)) as server:
        client = caller.client(server.url, OPERATIONS)
        assert caller.do(client, "get", "/").json() == {"a": 1}
        assert caller.do(client, "call", "as_object") == {"a": 1}
        assert caller.do(client, "call", "as_any") == {"a": 1}


@pytest.mark.parametrize(
    ("content_type", "body", "encoding", "text"),
    [
        ("text/html", "é".encode(), "utf-8", "é"),
        ("text/html; charset=ISO-8859-1", b"\xe9", "ISO-8859-1", "é"),
        ('text/html; charset="windows-1252"', b"\x80", "windows-1252", "€"),
        ("text/html", b"\xef\xbb\xbfa", "utf-8", "a"),
        ("text/plain; charset=utf-16", "a".encode("utf-16"), "utf-16", "a"),
        ("text/plain; charset=unicode-escape", b"\\x41", "utf-8", "\\x41"),
        ("text/plain; charset=none-such", b"\xff", "utf-8", "\ufffd"),
    ],
)
def test_text_is_in_the_charset_that_is_named_or_utf_8(caller, content_type, body, encoding, text):
    with ScriptedServer(answer(headers={"Content-Type": content_type}, body=body)) as server:
        got = caller.do(caller.client(server.url), "get", "/")
    assert (got.encoding, got.text, got.content) == (encoding, text, body)
