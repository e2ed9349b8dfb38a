"""Header fields: what they hold, what they show, what is refused."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.errors import ArgumentError
from callsheet.http.headers import Headers, check_field, parse_field_lines
from callsheet.http.links import parse_links
from callsheet.http.request import Request
from callsheet.secret import Secret

NAMES = st.sampled_from(["Accept", "ACCEPT", "X-One", "x-one", "Via"])
FIELDS = st.lists(st.tuples(NAMES, st.text("abc, ", max_size=5)))


@given(FIELDS)
def test_headers_are_a_multimap_without_case(fields):
    headers = Headers(fields)
    assert headers.multi_items() == fields
    for name, _ in fields:
        values = [value for known, value in fields if known.lower() == name.lower()]
        assert headers.get_list(name.swapcase()) == values
        assert headers[name] == ", ".join(values)
        assert name.upper() in headers
    assert len(headers) == len({name.lower() for name, _ in fields})


@given(FIELDS, FIELDS)
def test_fields_laid_over_replace_those_of_their_name(fields, extra):
    names = {name.lower() for name, _ in extra}
    kept = [field for field in fields if field[0].lower() not in names]
    assert Headers(fields).with_fields(extra).multi_items() == kept + extra


def test_what_is_not_there_is_a_key_error():
    with pytest.raises(KeyError):
        Headers()["Accept"]
    assert Headers().get("Accept") is None
    assert Headers().get_list("Accept") == []


def test_a_secret_is_seen_by_the_wire_only():
    headers = Headers([("Authorization", Secret("Bearer ", "canary"))])
    shown = f"{headers!r} {headers['authorization']} {headers.multi_items()} {pickle.dumps(headers)!r} {dict(headers)}"
    assert "canary" not in shown
    assert headers.fields[0][1].reveal() == "Bearer canary"


@pytest.mark.parametrize("name", ["Authorization", "authorization", "Cookie", "Proxy-Authorization"])
def test_a_credential_that_the_caller_wrote_is_not_shown_either(name):
    request = Request("GET", "https://shop.test/", Headers({name: "canary"}))
    assert request.redacted().headers[name] == "***"
    assert b"canary" not in pickle.dumps(request)


def test_lines_of_an_answer_become_fields():
    lines = [b"Via: a\r\n", b"via:b\r\n", b"X-Folded: one\r\n", b"  two\r\n", b"no colon\r\n", b"X-Latin: \xe9\r\n"]
    headers = parse_field_lines(lines)
    assert headers.get_list("via") == ["a", "b"]
    assert (headers["x-folded"], headers["x-latin"]) == ("one two", "é")


def test_lines_with_white_space_before_the_first_field_are_dropped():
    lines = [b" Via: a\r\n", b"\tX: b\r\n", b" \r\n", b"Via: c\r\n", b" d\r\n"]
    assert parse_field_lines(lines).multi_items() == [("Via", "c d")]


@given(st.lists(st.binary(max_size=40)))
def test_no_header_block_raises(lines):
    parse_field_lines(lines).multi_items()


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\rb", "a\nb", "a\0b", "a\r\n b"])
def test_a_value_that_breaks_out_is_refused_without_showing_it(value):
    with pytest.raises(ArgumentError, match="header `X-Note`: its value holds a CR, LF or NUL; remove it") as caught:
        check_field("X-Note", f"canary {value}")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("value", ["canary €", "canary 雪", "canary \ud800"])
def test_a_value_outside_latin_1_is_refused_without_showing_it(value):
    with pytest.raises(ArgumentError, match="header `X-Note`: its value holds a character outside Latin-1") as caught:
        check_field("X-Note", value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "X Note", "X-Note:", "X\r\nNote", "X-Nöte", "X\0", "(x)", "X-Note\n", None, 7])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(ArgumentError, match="header name"):
        check_field(name, "x")


@pytest.mark.parametrize("value", [" x", "x ", "\tx", "x\x01y", "x\x7f"])
def test_a_value_that_would_change_on_the_way_is_refused(value):
    with pytest.raises(ArgumentError, match="header `X-Note`: its value begins or ends with white space, or holds"):
        check_field("X-Note", value)


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "Expect"])
def test_what_follows_from_the_body_cannot_be_given(name):
    with pytest.raises(ArgumentError, match="it follows from the body"):
        check_field(name, "1")


@pytest.mark.parametrize("value", [7, None, b"x", True])
def test_a_value_that_is_no_text_is_refused(value):
    with pytest.raises(ArgumentError, match=f"header `X-Note`: expected text, found {type(value).__name__}"):
        check_field("X-Note", value)


PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))


@given(st.text("!#$%&'*+-.^_`|~09AZaz", min_size=1), PRINTABLE.map(lambda text: text.strip(" ")))
def test_every_token_with_every_latin_1_text_is_taken(name, value):
    if name.lower() != "expect":
        check_field(name, value)


def test_a_link_of_another_document_counts_only_where_there_is_no_other():
    other, own = '</other>; rel="next last"; anchor="/elsewhere"', "</own>; rel=next"
    for field in (f"{other}, {own}", f"{own}, {other}"):
        links = parse_links(field)
        assert (links["next"]["url"], links["last"]["url"]) == ("/own", "/other")


def test_links_are_found_by_relation():
    field = '</a?x=1,2>; rel="next prev"; title="a, \\"b\\"; c", <https://x/>;rel=last, <no-rel>, <also>; rel'
    links = parse_links(field)
    assert links["next"] == {"url": "/a?x=1,2", "rel": "next prev", "title": 'a, "b"; c'}
    assert links["prev"]["url"] == "/a?x=1,2"
    assert links["last"]["url"] == "https://x/"
    assert set(links) == {"next", "prev", "last"}


@pytest.mark.parametrize(
    ("field", "urls"),
    [
        ("<a>; rel=next", {"next": "a"}),
        ("<a>; rel = next", {"next": "a"}),
        ('<a>;rel= "next"', {"next": "a"}),
        ("<a>; REL=next", {"next": "a"}),
        ("<a>; rel=next prev", {"next": "a", "prev": "a"}),
        ("<a>; rel=http://x/r?a=b", {"http://x/r?a=b": "a"}),
        ("<a>;; ;rel=next;", {"next": "a"}),
        ('<a>; title=it\'s "one"; rel=next', {"next": "a"}),
        ('<a>; rel="next', {"next": "a"}),
        ('<a>; rel="next\\', {"next": "a"}),
        ('<a>; rel="ne\\xt"', {"next": "a"}),
        ("<a>; rel='next'", {"'next'": "a"}),
        ("<a b>; rel=next", {"next": "a b"}),
        ("<a<b>; rel=next", {"next": "a<b"}),
        ("<>; rel=self", {"self": ""}),
        (", ,<a>; rel=next,,\t<b>; rel=last,", {"next": "a", "last": "b"}),
        ("<a>;rel=next,<b>;rel=last", {"next": "a", "last": "b"}),
        ("<a>; rel=next, <b>; title=x, <c>; rel=last", {"next": "a", "last": "c"}),
        ("<a>; rel=next; rel=last", {"next": "a"}),
        ("<a> rel=next", {}),
        ("<a>; rel=next, b; rel=last", {"next": "a"}),
        ("<a>; rel=next, <b", {"next": "a"}),
        ('<a>; rel="next" x, <b>; rel=last', {"next": "a"}),
        ("a; rel=next", {}),
        ("", {}),
    ],
)
def test_links_outside_the_grammar_are_read_as_the_rfc_says(field, urls):
    assert {relation: link["url"] for relation, link in parse_links(field).items()} == urls


@pytest.mark.parametrize(
    ("parameters", "title"),
    [
        ("title=plain; title*=UTF-8'de'n%c3%a4chste%20Seite", "n\u00e4chste Seite"),
        ("title*=iso-8859-1''n%e4chste", "n\u00e4chste"),
        ("title=plain; title*=broken", "plain"),
        ("title=one; title=two", "one"),
    ],
)
def test_the_title_of_a_link(parameters, title):
    assert parse_links(f"<a>; rel=next; {parameters}")["next"]["title"] == title


def test_the_first_of_two_links_of_one_relation_counts():
    assert parse_links("<one>; rel=next, <two>; rel=NEXT")["next"]["url"] == "one"


@given(st.text('<>;,=" \\abrel', max_size=60))
def test_no_link_field_raises(field):
    assert isinstance(parse_links(field), dict)


@pytest.mark.parametrize(
    "hostile", ["<" * 65536, "<a>;" * 16384, '<a>;b="' * 9000, "<a> ;  b" + " " * 65000, '<a>;b="\\']
)
def test_a_hostile_link_field_costs_no_time(hostile):
    import time

    began = time.perf_counter()
    parse_links(hostile)
    assert time.perf_counter() - began < 2.0
