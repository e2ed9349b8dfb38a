"""Answers in a coding that is not known here, or with something behind their coded body, over real sockets."""

import gzip
import pickle
import zlib

import pytest

from callsheet.errors import DecodeError, NotFound, ResponseTooLarge
from tests.servers import ScriptedServer, answer

BODY = b'{"a": 1}'
UNKNOWN = ["UTF-8", "none", "binary", "aws-chunked", "zstd", "identity, UTF-8", "gzip, aws-chunked", "a, b, c, d, e, f"]
OPERATIONS = {
    "typed": {"get": "/", "returns": "object"},
    "modelled": {"get": "/", "returns": {"type": "object"}},
    "by_status": {"get": "/", "returns": {200: "object"}},
}


@pytest.fixture(params=UNKNOWN)
def odd(request, caller):
    """A client of a service whose answers are in a coding that is not known here."""
    with ScriptedServer(answer(headers={"Content-Encoding": request.param}, body=BODY)) as server:
        yield caller.client(server.url, OPERATIONS)


def test_what_is_asked_for_as_bytes_is_given_as_it_came(odd, caller):
    assert caller.do(odd, "get", "/").content == BODY


def test_the_bytes_are_given_to_who_looks_at_statuses_himself(odd, caller):
    assert caller.do(odd, "get", "/", raise_for_status=False).content == BODY


def test_a_stream_gives_the_bytes(odd, caller):
    assert caller.parts(odd, "/", "iter_bytes")[:2] == ([BODY], None)
    assert caller.parts(odd, "/", "iter_lines")[:2] == ([BODY.decode()], None)


def test_a_download_has_the_bytes(odd, caller, tmp_path):
    assert caller.do(odd, "download", "/", tmp_path / "file").path.read_bytes() == BODY


@pytest.mark.parametrize("ask", [("call", "typed"), ("call", "modelled"), ("call", "by_status")])
def test_a_typed_result_is_not_read_from_it_and_the_error_has_the_bytes(odd, caller, ask):
    with pytest.raises(DecodeError, match=r"content coding '.*' is not known here") as caught:
        caller.do(odd, *ask)
    assert caught.value.response.content == BODY
    assert caller.do(odd, *ask, raise_for_status=False).content == BODY


def test_nor_is_json(odd, caller):
    answered = caller.do(odd, "get", "/")
    for read in (answered.json, lambda: list(answered.iter_json_lines()), pickle.loads(pickle.dumps(answered)).json):
        with pytest.raises(DecodeError, match=r"`response\.content` has it as it came"):
            read()
    assert answered.text == BODY.decode()


def test_its_status_is_told_as_ever(caller):
    with ScriptedServer(answer(404, {"Content-Encoding": "none"}, BODY)) as server:
        client = caller.client(server.url, OPERATIONS, errors=[{"when": {"path": "a", "equals": 1}, "then": "fail"}])
        with pytest.raises(NotFound) as caught:
            caller.do(client, "call", "typed")
    assert caught.value.response.content == BODY


def test_the_cap_holds_for_it(caller):
    with ScriptedServer(answer(headers={"Content-Encoding": "none"}, body=b"x" * 1001)) as server:
        client = caller.client(server.url, caps={"response": 1000})
        with pytest.raises(ResponseTooLarge):
            caller.do(client, "get", "/")


@pytest.mark.parametrize("tail", [b"\r\n", b"\n", b"\0", b"\0" * 5000, b"\r\n\0\0"])
@pytest.mark.parametrize(
    "coded",
    [gzip.compress(BODY), gzip.compress(BODY[:3]) + gzip.compress(BODY[3:]), zlib.compress(BODY)],
    ids=["gzip", "two members", "deflate"],
)
def test_zeros_and_line_breaks_after_a_coded_body_are_dropped(caller, coded, tail):
    coding = "gzip" if coded[:2] == b"\x1f\x8b" else "deflate"
    with ScriptedServer(answer(headers={"Content-Encoding": coding}, body=coded + tail)) as server:
        client = caller.client(server.url, OPERATIONS)
        assert caller.do(client, "call", "typed") == {"a": 1}
        found, error, _ = caller.parts(client, "/", "iter_bytes")
    assert (b"".join(found), error) == (BODY, None)
