"""An answer, as its reader sees it."""

import encodings
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.errors import DecodeError, NotFound
from callsheet.http.headers import Headers
from callsheet.http.problem import ProblemDetails
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.secret import Secret
from callsheet.values.lines import LineSplitter

PROBLEM = "application/problem+json"


def answer(status=200, content=b"", headers=None, secrets=(), **facts):
    request = Request("GET", "https://shop.test/things", Headers(), secrets=secrets)
    return Response(status, request=request, headers=Headers(headers or {}), content=content, **facts)


@pytest.mark.parametrize(
    ("content_type", "content", "text"),
    [
        (None, "é".encode(), "é"),
        ("text/plain; charset=latin-1", b"\xe9", "é"),
        ('text/plain; charset="utf-16-le"', "é".encode("utf-16-le"), "é"),
        ("text/plain; charset=no-such", "é".encode(), "é"),
        ("text/plain; charset=hex", b"6869", "6869"),
        ("text/plain; charset=undefined", b"hi", "hi"),
        ("text/plain; charset=idna", b"hi", "hi"),
        (None, b"\xff", "�"),
    ],
)
def test_text_follows_the_charset_and_never_fails(content_type, content, text):
    assert answer(content=content, headers={"Content-Type": content_type} if content_type else {}).text == text


@pytest.mark.parametrize(
    ("charset", "content", "text"),
    [
        ("gb2312", "镕".encode("gbk"), "镕"),
        ("GBK", "€".encode("gb18030"), "€"),
        ("gbk", b"\x80 \x810\x810", "€ \x80"),
        ("shift_jis", "①髙".encode("cp932"), "①髙"),
        ("x-sjis", "①".encode("cp932"), "①"),
        ("euc-kr", "똠".encode("cp949"), "똠"),
        ("ks_c_5601-1987", "똠".encode("cp949"), "똠"),
        ("big5", "㗎".encode("big5hkscs"), "㗎"),
        ("iso-8859-1", b"\x93\x80\x81\xe9", "“€\x81é"),
        ("latin1", b"\x93", "“"),
        ("us-ascii", b"\xe9", "é"),
        ("iso-8859-9", b"\x80\xfd", "€\u0131"),
        ("windows-874", b"\x81\xa1\xdb", "\x81ก\ufffd"),
        ("tis-620", b"\x80", "€"),
        ("macintosh", b"\xf0", "\uf8ff"),
        ("x-cp1251", b"\xcf", "П"),
        ("unicode-1-1-utf-8", "é".encode(), "é"),
        ("unicode", "é".encode("utf-16-le"), "é"),
        ("utf-16", b"\xfe\xff\x00a", "a"),
        ("utf-16be", "\ufeffé".encode("utf-16-be"), "é"),
        ("utf-8", "\ufeff\ufeffa".encode(), "\ufeffa"),
        ("x-user-defined", b"a\xff", "a\ufffd"),
        ("iso-2022-kr", b"a\x1b$)C\xff", "a\x1b$)C\ufffd"),
        ("hz-gb-2312", b"ab", "ab"),
        ("replacement", b"ab", "ab"),
        ("utf-7", b"+AOk-", "é"),
        ("cp437", b"\x82", "é"),
        ("utf-32", "é".encode("utf-32"), "é"),
    ],
)
def test_a_label_means_what_the_standard_says(charset, content, text):
    assert answer(content=content, headers={"Content-Type": f"text/plain; charset={charset}"}).text == text
    pieces = LineSplitter(charset)
    lines = [line for byte in content for line in pieces.feed(bytes([byte]))] + pieces.end()
    assert lines in ([text], [f"\ufeff{text}"])  # the mark is left out by who knows that it is the first line


def test_a_charset_that_nobody_knows_is_not_remembered():
    assert answer(headers={"Content-Type": "text/plain; charset=utf-8"}).text == ""
    known = len(encodings._cache)
    for number in range(300):
        for name in (f"no-such-{number}", f"x.{number}", f"{number}\xe9", f"utf-8-{number}" + "x" * 1000):
            assert answer(headers={"Content-Type": f"text/plain; charset={name}"}).encoding == "utf-8"
    assert len(encodings._cache) == known


@pytest.mark.parametrize(
    "name", ["UTF-8", "utf_8", "utf8", "UTF-8-SIG", "ISO-8859-1", "ISO_8859-1:1987", "Windows-1252", "cp1252", "koi8-r",
             "Shift_JIS", "GB2312", "us-ascii", "646", "utf-16"],
)  # fmt: skip
def test_every_spelling_that_python_knows_is_a_charset(name):
    assert answer(headers={"Content-Type": f"text/plain; charset={name}"}).encoding == name


@given(st.text(max_size=20), st.binary(max_size=20))
def test_no_charset_makes_text_fail(charset, content):
    assert isinstance(answer(content=content, headers={"Content-Type": f"text/plain; charset={charset}"}).text, str)


def test_json_is_parsed():
    assert answer(content=b'{"a": [1, null]}').json() == {"a": [1, None]}


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"a": NaN}', b'{"a": 1', b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_a_decode_error(content):
    with pytest.raises(DecodeError, match="200: the answer is not JSON"):
        answer(content=content).json()


def test_a_problem_is_read():
    content = b'{"title": "out of stock", "status": 409, "detail": 7, "instance": "/o/1", "left": 0, "type": null}'
    found = answer(409, content, {"Content-Type": f"{PROBLEM}; charset=utf-8"}).problem
    assert found == ProblemDetails(title="out of stock", status=409, instance="/o/1", extensions={"left": 0})
    assert found.type == "about:blank"


@pytest.mark.parametrize("content", [b"", b"[]", b"7", b"<html>", b"null"])
def test_what_is_no_problem_is_none(content):
    assert answer(400, content, {"Content-Type": PROBLEM}).problem is None


def test_json_of_another_type_is_no_problem():
    assert answer(400, b'{"title": "x"}', {"Content-Type": "application/json"}).problem is None


@pytest.mark.parametrize(
    ("status", "content", "summary"),
    [
        (404, b"", "404 Not Found"),
        (422, b"", "422 Unprocessable Content"),
        (599, b"", "599"),
        (400, b'{"title": "no", "detail": "bad\\n name\\u0000 "}', "400 Bad Request: bad name"),
        (400, b'{"title": "no"}', "400 Bad Request: no"),
        (400, b'{"detail": "%s"}' % (b"x" * 500), f"400 Bad Request: {'x' * 200}"),
    ],
)
def test_a_summary_is_one_short_line(status, content, summary):
    assert answer(status, content, {"Content-Type": PROBLEM}).summary() == summary


def test_an_error_status_raises_its_class_with_the_answer():
    with pytest.raises(NotFound) as caught:
        answer(404, b"gone").raise_for_status()
    assert caught.value.response.content == b"gone"
    assert answer(302).raise_for_status().status_code == 302


def test_an_answer_is_true_whatever_its_status():
    assert answer(500)
    assert not answer(500).ok


def test_a_pickled_answer_keeps_all_but_the_secrets():
    echo = "you sent canary-ü/1 (canary-%C3%BC%2F1)".encode() + b"\xff\x00"
    sent = answer(200, echo, {"X-Echo": "canary-\xfc/1"}, secrets=(Secret("canary-ü/1"),), reason_phrase="OK")
    sent.elapsed, sent.attempts = 1.5, 2
    kept = pickle.loads(pickle.dumps(sent))
    assert kept.content == b"you sent *** (***)\xff\x00"
    assert kept.headers["x-echo"] == "***"
    assert (kept.status_code, kept.reason_phrase, kept.elapsed, kept.attempts) == (200, "OK", 1.5, 2)
    assert kept.url == sent.url


def test_a_field_is_found_in_the_lines_as_they_came():
    lines = [b"Retry-After-Not: 1\r\n", b"RETRY-AFTER:  7 \r\n", b"Retry-After: 8\r\n"]
    found = Response(200, request=answer().request, lines=lines)
    assert (found.field(b"retry-after"), found.field(b"date")) == ("7", None)
    assert found.headers.get_list("retry-after") == ["7", "8"]
    assert found.field(b"retry-after") == "7"


def test_links_of_several_lines_are_one_list():
    headers = [("Link", "<a>; rel=next"), ("Link", "<b>; rel=last")]
    found = Response(200, request=answer().request, headers=Headers(headers)).links
    assert (found["next"]["url"], found["last"]["url"]) == ("a", "b")


def test_a_body_is_given_in_pieces():
    assert list(answer(content=b"12345").iter_bytes(2)) == [b"12", b"34", b"5"]
