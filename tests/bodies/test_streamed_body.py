"""What `content=` may be, and bodies compressed as they are read."""

from __future__ import annotations

import asyncio
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.errors import ArgumentError, UsageError
from callsheet.http.streamed_body import body_from, gzipped
from callsheet.values.multipart import Multipart
from tests.bodies.reading import whole


async def pieces_of(*pieces):
    for piece in pieces:
        yield piece


def sent_by_a_task(body) -> bytes:
    """What an async transport sends of a body."""

    async def sent() -> bytes:
        pieces = body.asynchronous
        pieces.begin()
        taken = [pieces.encoded(piece) async for piece in pieces.pieces]
        return b"".join([*taken, pieces.ending()])

    return asyncio.run(sent())


@pytest.mark.parametrize(
    ("content", "sent", "length", "replayable"),
    [
        (b"", b"", 0, True),
        (b"abc", b"abc", 3, True),
        (bytearray(b"abc"), b"abc", 3, True),
        (memoryview(b"abc"), b"abc", 3, True),
        ("é😀", "é😀".encode(), 6, True),
        ([b"ab", "c", b""], b"abc", 3, True),
        ((), b"", 0, True),
        (io.BytesIO(b"abc"), b"abc", 3, True),
        (iter([b"ab", "c"]), b"abc", None, False),
        ((piece for piece in [b"abc"]), b"abc", None, False),
    ],
)
def test_each_kind_of_content(content, sent: bytes, length: int | None, replayable: bool) -> None:
    body = body_from(content, "text/plain")
    assert (len(body.content) if body.content is not None else body.length) == length
    assert (whole(body), body.content_type, body.is_replayable) == (sent, "text/plain", replayable)
    if replayable:
        assert whole(body) == sent


def test_a_path_is_read_as_it_is_sent(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    body = body_from(tmp_path / "a")
    assert (body.content, body.length, body.content_type, whole(body)) == (None, 3, None, b"abc")


@pytest.mark.parametrize("content", [7, {"a": 1}, {1, 2}, object(), "\ud800", [1], [None]])
def test_anything_else_is_refused_before_it_is_sent(content) -> None:
    with pytest.raises(ArgumentError, match="content: "):
        body_from(content)


def test_an_async_iterator_is_for_the_async_client() -> None:
    body = body_from(pieces_of(b"ab", "c", bytearray(b"d")))
    assert (body.content, body.length, body.is_replayable) == (None, None, True)
    with pytest.raises(UsageError, match="AsyncClient"):
        body.open()
    assert sent_by_a_task(body) == b"abcd"
    assert not body.is_replayable
    with pytest.raises(ArgumentError, match="cannot be read again"):
        body.asynchronous.begin()


def test_gzip_of_the_same_bytes_is_the_same_bytes(tmp_path: Path) -> None:
    content = b"0123456789" * 100_000
    (tmp_path / "a").write_bytes(content)
    at_once = gzipped(body_from(content, "text/plain"))
    streamed = gzipped(body_from(tmp_path / "a", "text/plain"))
    assert (at_once.content_type, streamed.content_type) == ("text/plain", "text/plain")
    assert (streamed.length, streamed.is_replayable) == (None, True)
    assert gzip.decompress(at_once.content) == content
    assert whole(streamed, 100) == whole(streamed) == at_once.content == gzipped(body_from(content)).content
    assert at_once.content[4:8] == b"\0\0\0\0"


def test_gzip_of_what_is_read_once_is_read_once() -> None:
    body = gzipped(body_from(iter([b"a" * 100, b"b" * 100])))
    assert gzip.decompress(whole(body)) == b"a" * 100 + b"b" * 100
    assert not body.is_replayable


def test_gzip_of_an_async_iterator() -> None:
    assert gzip.decompress(sent_by_a_task(gzipped(body_from(pieces_of(b"ab", "c"))))) == b"abc"
    assert gzip.decompress(sent_by_a_task(gzipped(body_from(pieces_of())))) == b""


def test_gzip_of_multipart_keeps_its_type() -> None:
    body = gzipped(Multipart({"f": b"x"}, {"a": "1"}, boundary="B"))
    assert body.content_type == "multipart/form-data; boundary=B"
    assert gzip.decompress(whole(body)).endswith(b"--B--\r\n")


@given(st.lists(st.binary(max_size=300)), st.integers(1, 100))
def test_gzip_is_undone_to_what_went_in(pieces: list[bytes], size: int) -> None:
    assert gzip.decompress(whole(gzipped(body_from(iter(pieces))), size)) == b"".join(pieces)
    assert gzip.decompress(whole(gzipped(body_from(b"".join(pieces))))) == b"".join(pieces)
