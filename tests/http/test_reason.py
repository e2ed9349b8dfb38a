"""The reason that a service gives for a failure, as an error quotes it."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.secret import Secret

HEAD = "422 Unprocessable Content"
JSON = "application/json"


def summary(body, kind=JSON, status=422, secrets=()):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request("GET", "https://shop.test/things", Headers(), secrets=secrets)
    headers = Headers({"Content-Type": kind} if kind else {})
    return Response(status, request=request, headers=headers, content=content).summary()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"detail": [{"loc": ["body", "email"], "msg": "field required", "type": "missing"}]}, "body.email: field required"),
        ({"detail": [{"loc": ["query", 0], "msg": "no"}, {"loc": ["path", "id"], "msg": "bad"}]}, "query.0: no; path.id: bad"),
        ({"detail": "no such user"}, "no such user"),
        ({"detail": {"reason": "out of stock", "code": "E7"}}, "out of stock"),
        ({"type": "about:blank", "title": "refused", "detail": "no credit"}, "no credit"),
        ({"title": "refused", "errors": [{"detail": "must be positive", "pointer": "#/age"}]}, "refused; age: must be positive"),
        ({"title": "refused", "invalid-params": [{"name": "age", "reason": "negative"}]}, "refused; age: negative"),
        ({"title": "Invalid", "errors": {"Name": ["is required"], "title": ["too long"]}}, "Invalid; Name: is required; title: too long"),
        ({"error": {"message": "no such card", "param": "card", "code": 7}}, "card: no such card"),
        ({"error": {"code": 5, "message": "not there", "details": [{"x": 1}], "status": "NOT_FOUND"}}, "not there"),
        ({"error": "invalid_grant", "error_description": "it has expired"}, "invalid_grant: it has expired"),
        ({"error": "channel_not_found", "ok": False}, "channel_not_found"),
        ({"error": True, "message": "stopped"}, "stopped"),
        ({"message": "broken"}, "broken"),
        ({"Message": "broken"}, "broken"),
        ({"errorMessage": "broken"}, "broken"),
        ({"message": ["name must be a text", "age is missing"], "error": HEAD[4:]}, "name must be a text; age is missing"),
        ({"errors": ["one", "two"]}, "one; two"),
        ({"errors": [{"title": "T", "detail": "D", "source": {"pointer": "/data/attributes/name"}}]}, "data.attributes.name: D"),
        ({"errors": [{"message": "no such field", "path": ["user", 0, "name"]}]}, "user.0.name: no such field"),
        ({"errors": {"email": "is taken", "base": ["locked"]}}, "email: is taken; locked"),
        ({"message": "Invalid", "errors": [{"resource": "Issue", "field": "title", "code": "missing"}]}, "Invalid; title: missing"),
        ({"email": ["This is required."], "non_field_errors": ["Passwords differ."]}, "email: This is required.; Passwords differ."),
        ([{"message": "malformed", "errorCode": "E1"}], "malformed"),
        ({"fault": {"faultstring": "no quota left", "detail": {"errorcode": "q"}}}, "no quota left"),
        ({"timestamp": 7, "message": "gone", "path": "/users/ada@example.com"}, "gone"),
        ("just text", "just text"),
    ],
)  # fmt: skip
def test_the_usual_shapes_are_read(body, reason):
    assert summary(body) == f"{HEAD}: {reason}"
    assert summary(body, "text/plain") == f"{HEAD}: {reason}"


@pytest.mark.parametrize(
    "body",
    [{}, [], None, 7, "", " ", {"name": "Ada", "email": "ada@example.com"}, {"detail": None}, {"errors": []}, {"error": {}},
     {"message": HEAD}, {"detail": HEAD[4:]}, {"error": "unprocessable content"}, {"message": "422"}, {"message": {}}],
)  # fmt: skip
def test_what_tells_nothing_new_is_not_quoted(body):
    assert summary(body) == HEAD


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (b"<!doctype html><html><head><TITLE lang=en>\n Down for\n repair &amp; tea</TITLE>", "text/html", ": Down for repair & tea"),
        (b"<html><title>422 Unprocessable Content</title><p>nginx", "text/html", ""),
        (b"<html><p>no title", "text/html", ""),
        (b"<?xml version='1.0'?><Error><Code>E</Code><Message>no such key</Message></Error>", "application/xml", ": no such key"),
        (b"  out of tea\n", "text/plain", ": out of tea"),
        (b"out of tea", None, ": out of tea"),
        ("zu groß".encode("latin-1"), "text/plain; charset=latin-1", ": zu groß"),
        (json.dumps({"detail": "zu groß"}, ensure_ascii=False).encode("utf-16"), "application/json; charset=utf-16", ": zu groß"),
        (b'{"detail": "caf\xe9"}', JSON, ": caf\ufffd"),
        (b"\xef\xbb\xbf" + b'{"detail": "marked"}', JSON, ": marked"),
        (b"[1] went wrong", "text/plain", ": [1] went wrong"),
        (b"\xff\xd8\xff\xe0\x10", None, ""),
        (b"PK\x03\x04\x00\x00", "text/plain", ""),
        (b"bytes", "application/octet-stream", ""),
        (b'{"detail": ', JSON, ""),
        (b"", None, ""),
        (b"line of a long report\n" * 1000, "text/plain", ""),
    ],
)  # fmt: skip
def test_other_bodies(body, kind, reason):
    assert summary(body, kind) == HEAD + reason


def test_it_is_one_line_of_200_characters_without_what_a_terminal_obeys():
    assert summary({"detail": "a\x1b]0;x\x07\r\nb\u202ec\x9b2J"}) == f"{HEAD}: a ]0;x b c 2J"
    assert summary({"detail": "x" * 5000}) == f"{HEAD}: {'x' * 200}"
    assert summary({"errors": [f"error {number}" for number in range(100)]}).count("error") == 8


def test_secrets_are_masked_before_it_is_cut():
    secret = Secret("canary-0123456789")
    assert summary({"detail": "x" * 195 + "canary-0123456789"}, secrets=(secret,)) == f"{HEAD}: {'x' * 195}***"
    assert summary({"errors": {"canary-0123456789": ["bad"]}}, secrets=(secret,)) == f"{HEAD}: ***: bad"
    assert summary(b"no: canary-0123456789", "text/plain", secrets=(secret,)) == f"{HEAD}: no: ***"
    assert summary({"message": "bad password=hunter22"}) == f"{HEAD}: bad password=***"
    assert (
        summary({"detail": [{"loc": ["body", "password"], "msg": "too short"}]}) == f"{HEAD}: body.password: too short"
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"[" * 10_000_000, JSON),
        (b'{"a":' * 2_000_000, JSON),
        (b'{"errors":[' + b"{}," * 3_000_000, JSON),
        (b'{"errors":[' + b'[[[["x' * 1_000_000, JSON),
        (b'{"message": ' + b"9" * 10_000_000, JSON),
        (b"<title" * 2_000_000, "text/html"),
        (b"<title>" * 2_000_000, "text/html"),
        (b" " * 10_000_000, "text/plain"),
    ],
)
def test_a_huge_or_hostile_body_costs_next_to_nothing(body, kind):
    began = time.process_time()
    assert len(summary(body, kind)) < 300
    assert time.process_time() - began < 0.5


def test_the_beginning_of_a_huge_body_tells_why():
    assert summary(b'{"message": "too much", "dump": "' + b"x" * 10_000_000, JSON) == f"{HEAD}: too much"
    assert summary(b"{'message'" + b"x" * 10_000_000, JSON) == HEAD
    assert summary(b'{"message": "' + "é".encode() * 100_000, JSON) == f"{HEAD}: {'é' * 200}"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["detail", "error", "errors", "message", "loc", "source", "title", "x"]), inner
        )
    ),
    max_leaves=12,
)


@given(json_values, st.sampled_from([JSON, "text/plain", "text/html", None]))
def test_no_document_makes_it_fail(document, kind):
    found = summary(document, kind)
    assert found.startswith(HEAD)
    assert len(found) <= len(HEAD) + 202
    assert found.isprintable()


@given(st.binary(max_size=60), st.sampled_from([JSON, "text/plain", "text/html", "text/plain; charset=utf-16", None]))
def test_no_bytes_make_it_fail(content, kind):
    assert summary(content, kind).startswith(HEAD)
