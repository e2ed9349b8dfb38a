"""Lines: what ends one, whatever pieces the body comes in."""

from __future__ import annotations

import re
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.values.lines import LineSplitter, TooLongError

BODIES = st.binary(max_size=60) | st.text("a\r\n\u2028é😀", max_size=40).map(str.encode)
CUTS = st.lists(st.integers(0, 80), max_size=12)
CHARSETS = [
    "utf-8",
    "latin-1",
    "utf-16",
    "utf-16-be",
    "utf-32",
    "shift_jis",
    "gb18030",
    "iso-2022-jp",
    "utf-7",
    "x-unknown",
]


def cut(content: bytes, places: list[int]) -> list[bytes]:
    ends = [0, *sorted(min(place, len(content)) for place in places), len(content)]
    return [content[start:end] for start, end in pairwise(ends)]


def lines_of(pieces: list[bytes], encoding: str = "utf-8") -> list[str]:
    splitter = LineSplitter(encoding)
    return [*(line for piece in pieces for line in splitter.feed(piece)), *splitter.end()]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\n", ["a"]),
        (b"\n", [""]),
        (b"\r\n\r\n", ["", ""]),
        (b"\r\r\n\n", ["", "", ""]),
        (b"a\nb\rc\r\nd", ["a", "b", "c", "d"]),
        (b"a\n\rb", ["a", "", "b"]),
        ("a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\n".encode(), ["a\u2028b\u2029c\x85d\x0be\x0cf\x1cg"]),
        (b"\xff\n\xc3", ["\ufffd", "\ufffd"]),
        ("\ufeffa\n".encode(), ["\ufeffa"]),
    ],
)
def test_only_lf_crlf_and_cr_end_a_line(content: bytes, lines: list[str]) -> None:
    assert lines_of([content]) == lines
    assert lines_of([bytes([byte]) for byte in content]) == lines


@given(BODIES, CUTS, st.sampled_from(CHARSETS))
def test_any_pieces_give_the_lines_of_the_whole(content: bytes, places: list[int], encoding: str) -> None:
    assert lines_of(cut(content, places), encoding) == lines_of([content], encoding)


@given(BODIES)
def test_the_lines_are_the_text_cut_at_line_ends(content: bytes) -> None:
    parts = re.split("\r\n|\n|\r", content.decode("utf-8", "replace"))
    assert lines_of([content]) == (parts if parts[-1] else parts[:-1])


@pytest.mark.parametrize("encoding", ["utf-16", "UTF_16", "utf-32"])
def test_without_a_byte_order_mark_they_are_little_endian(encoding: str) -> None:
    content = "é\n日本".encode(f"{encoding.lower().replace('_', '-')}-le")
    assert lines_of([content], encoding) == lines_of([bytes([byte]) for byte in content], encoding) == ["é", "日本"]


@pytest.mark.parametrize(
    "encoding",
    [
        "zlib",
        "bz2",
        "hex",
        "base64",
        "rot13",
        "idna",
        "punycode",
        "undefined",
        "unicode_escape",
        "no such",
        "",
        "a\0b",
        "é",
    ],
)
def test_a_codec_that_is_no_charset_is_read_as_utf_8(encoding: str) -> None:
    assert lines_of(["é\nb".encode()], encoding) == ["é", "b"]


@pytest.mark.parametrize("pieces", [[b"x" * 11], [b"x" * 6, b"x" * 5], [b"x" * 11 + b"\n"], [b"a\n", b"x" * 11]])
def test_a_line_without_end_is_stopped(pieces: list[bytes]) -> None:
    splitter = LineSplitter(longest=10)
    with pytest.raises(TooLongError, match="longer than 10 characters"):
        [splitter.feed(piece) for piece in pieces]


def test_many_lines_of_the_longest_length_are_fine() -> None:
    splitter = LineSplitter(longest=10)
    assert splitter.feed(b"x" * 5) == []
    assert splitter.feed(b"x" * 5 + b"\n" + b"y" * 10 + b"\r\n") == ["x" * 10, "y" * 10]


def test_pieces_of_earlier_lines_do_not_count() -> None:
    splitter = LineSplitter(longest=10)
    for _ in range(10):
        assert splitter.feed(b"x" * 6) == []
        assert splitter.feed(b"y\n") == ["xxxxxxy"]


def test_a_line_in_tiny_pieces_takes_the_memory_of_the_line() -> None:
    count = 10_000
    splitter = LineSplitter()
    tracemalloc.start()
    try:
        for _ in range(count):
            assert splitter.feed("λx".encode()) == []
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert splitter.feed(b"\n") == ["λx" * count]
    assert peak < 10 * 2 * count + 20_000
