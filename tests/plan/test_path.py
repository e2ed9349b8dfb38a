"""A path parameter is one segment, and a service stays on its origin."""

import re
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.errors import ArgumentError, SheetError
from callsheet.plan.path import checked_target, segment, split_template

ESCAPE = re.compile(r"%[0-9A-F]{2}")
DOTS = [".", "..", "%2e", "%2E%2e", ".%2e", "%2E.", "%252e", "%25252E%2525252e"]


@given(st.text(min_size=1))
def test_a_segment_comes_back_and_breaks_out_of_nothing(text):
    try:
        found = segment(text)
    except ValueError:
        return
    assert unquote(found, errors="strict") == text
    assert re.fullmatch(r"[A-Za-z0-9._~-]*", ESCAPE.sub("", found))
    assert found not in (".", "..")


@given(st.sampled_from([".", ".."]), st.integers(0, 4), st.booleans(), st.booleans())
def test_dot_segments_are_refused_however_often_they_are_encoded(dots, times, every, lower):
    text = "".join(f"%{ord(c):02x}" if every else c for c in dots)
    for _ in range(times):
        text = quote(text, safe="")
    with pytest.raises(ValueError, match="name another resource"):
        segment(text.lower() if lower else text)


@pytest.mark.parametrize("text", DOTS)
def test_dot_segments_are_refused(text):
    with pytest.raises(ValueError, match=r"`\.` and `\.\.` name another resource and are refused"):
        segment(text)
    with pytest.raises(ArgumentError, match=r"`\.` and `\.\.` segments are refused"):
        checked_target(f"/users/{text}/orders")


@pytest.mark.parametrize("text", ["...", ".a", "a..", "..%2F", "%", "%2", "%zz", "%2e%2e%2e"])
def test_what_only_looks_like_one_is_taken(text):
    assert unquote(segment(text)) == text


def test_an_empty_segment_is_refused():
    with pytest.raises(ValueError, match="expected at least one character"):
        segment("")


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(ValueError, match="half a surrogate pair"):
        segment("\ud800")
    with pytest.raises(ArgumentError, match="half a surrogate pair"):
        checked_target("/\ud800")


@pytest.mark.parametrize(
    "target", ["users", "", "//evil.test/", "https://evil.test/", "\\\\evil", "?a=1", "@evil.test/"]
)
def test_a_target_off_the_origin_is_refused(target):
    with pytest.raises(ArgumentError, match="expected a path that begins with one `/`"):
        checked_target(target)


@pytest.mark.parametrize("template", ["users", "", "//evil.test/", "https://evil.test/", "@evil.test/{id}"])
def test_so_is_a_template(template):
    with pytest.raises(SheetError, match="expected one that begins with one `/`"):
        split_template(template)


@pytest.mark.parametrize("target", ["/a\r\nX: 1", "/a\nb", "/a\0", "/a\tb", "/\x7f"])
def test_control_characters_are_refused(target):
    with pytest.raises(ArgumentError, match="it holds a control character"):
        checked_target(target)


def test_a_fragment_is_refused():
    with pytest.raises(ArgumentError, match="a fragment"):
        checked_target("/a#b")


@pytest.mark.parametrize(
    ("target", "written"),
    [
        ("/", "/"),
        ("/a b/é", "/a%20b/%C3%A9"),
        ("/a%20b", "/a%20b"),
        ("/a?q=1&r=[x]", "/a?q=1&r=[x]"),
        ("/a\\b", "/a%5Cb"),
        ("/a;v=1/b,c", "/a;v=1/b,c"),
        ("/a//b", "/a//b"),
        ('/a?q="<>"', "/a?q=%22%3C%3E%22"),
    ],
)
def test_a_target_is_written_for_the_wire(target, written):
    assert checked_target(target) == written


@given(st.text())
def test_any_target_is_refused_or_written_in_ascii(text):
    try:
        written = checked_target("/" + text)
    except ArgumentError:
        return
    assert re.fullmatch(r"[!-~]+", written)
    assert written.startswith("/")
    assert not written.startswith("//")


def test_a_template_is_split_at_its_names():
    assert split_template("/users/{id}/a b/{order}.json") == (["/users/", "/a%20b/", ".json"], ["id", "order"])
