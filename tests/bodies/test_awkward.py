"""Awkward strings in a path, a query and a header: exact, or a typed error."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.errors import ArgumentError
from callsheet.http.headers import check_field, parse_field_lines
from callsheet.plan.binders import query_pairs
from callsheet.plan.path import query_text, segment
from tests.awkward import STRINGS, label

UNRESERVED_AND_PERCENT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%")
UNSAFE_IN_HEADERS = "header `X-A`"

awkward = pytest.mark.parametrize("text", STRINGS, ids=label)


def has_utf8(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def test_there_are_at_least_two_hundred() -> None:
    assert len(STRINGS) >= 200
    assert len(STRINGS) == len(set(STRINGS))


@awkward
def test_a_path_segment_is_exactly_that_text_or_refused(text: str) -> None:
    try:
        written = segment(text)
    except ValueError as error:
        refusal = str(error)
        assert refusal.startswith(("expected at least", "`.` and `..`", "it holds half"))
        assert not text or unquote(unquote(text)) in {".", ".."} or not has_utf8(text)
        return
    assert set(written) <= UNRESERVED_AND_PERCENT
    assert urlsplit(f"http://a/x/{written}/y").path == f"/x/{written}/y"
    assert unquote(written, errors="strict") == text


@awkward
def test_a_query_name_and_value_are_exactly_that_text_or_refused(text: str) -> None:
    try:
        written = f"{query_text(text)}={query_text(text)}"
    except ValueError:
        assert not has_utf8(text)
        with pytest.raises(ArgumentError, match="surrogate"):
            query_pairs({"a": text})
        return
    assert set(written) <= UNRESERVED_AND_PERCENT | {"="}
    assert parse_qsl(written, keep_blank_values=True, strict_parsing=True) == [(text, text)]
    assert query_pairs([(text, text)]) == [written]


@awkward
def test_a_header_value_is_exactly_that_text_or_refused(text: str) -> None:
    try:
        check_field("X-A", text)
    except ArgumentError as error:
        message = str(error)
        assert message.startswith(UNSAFE_IN_HEADERS)
        assert len(text) < 4 or text not in message
        return
    line = b"X-A: " + text.encode("latin-1") + b"\r\n"
    assert line.count(b"\n") == line.count(b"\r") == 1
    assert parse_field_lines([line]).multi_items() == [("X-A", text)]


@awkward
def test_a_header_name_is_a_token_or_refused(text: str) -> None:
    try:
        check_field(text, "x")
    except ArgumentError:
        return
    assert text.isascii()
    assert not set(text) & set(' \t\r\n\0":;,/()<>@[\\]?={}')
    assert parse_field_lines([f"{text}: x".encode()]).multi_items() == [(text, "x")]


@pytest.mark.parametrize("value", [" a", "a ", "\ta", "a\t", " ", "a\x01", "\x7f", "a\x0bb", "a\x1fb"])
def test_a_header_value_that_would_arrive_changed_is_refused(value: str) -> None:
    with pytest.raises(ArgumentError, match="white space, or holds a control"):
        check_field("X-A", value)


@pytest.mark.parametrize("value", ["", "a b", "a\tb", "é", "\xa0a", "\x80", '"a"', "a\\b"])
def test_a_header_value_that_arrives_as_it_is_is_taken(value: str) -> None:
    check_field("X-A", value)
    assert parse_field_lines([f"X-A: {value}".encode("latin-1")])["X-A"] == value


@given(st.text())
def test_any_text_is_a_header_value_or_refused(text: str) -> None:
    try:
        check_field("X-A", text)
    except ArgumentError:
        return
    assert parse_field_lines([b"X-A: " + text.encode("latin-1") + b"\r\n"]).multi_items() == [("X-A", text)]


@given(st.text())
def test_any_text_is_a_segment_or_refused(text: str) -> None:
    try:
        written = segment(text)
    except ValueError:
        assert not text or "." in unquote(text) or not has_utf8(text)
        return
    assert unquote(written, errors="strict") == text
