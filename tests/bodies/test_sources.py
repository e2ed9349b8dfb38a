"""Sources: what they read, how often, and who closes the file."""

from __future__ import annotations

import codecs
import io
import os
import tempfile
from pathlib import Path

import pytest

from callsheet.errors import ArgumentError
from callsheet.http.body_sources import InMemory, Joined, Pieces
from callsheet.http.files import OpenFile, PathFile
from tests.bodies.reading import drained


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "a.bin"
    found.write_bytes(b"0123456789")
    return found


class Pipe:
    """A file object that cannot seek, as a socket's or a pipe's."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0


@pytest.mark.parametrize("size", [1, 3, 10, 65536])
def test_every_source_gives_its_bytes_whatever_is_asked_at_a_time(path: Path, size: int) -> None:
    with path.open("rb") as file:
        stores = [InMemory(b"0123456789"), PathFile(path), OpenFile(file), OpenFile(Pipe(b"0123456789"))]
        stores += [Pieces([b"01", "", "2345", b"", bytearray(b"6"), memoryview(b"789")])]
        assert [drained(store.open(), size) for store in stores] == [b"0123456789"] * 5
        assert [store.length for store in stores] == [10, 10, 10, None, None]


def test_what_can_be_read_again_gives_the_same_bytes_again(path: Path) -> None:
    with path.open("rb") as file:
        for store in (InMemory(b"0123456789"), PathFile(path), OpenFile(file)):
            first = store.open()
            assert first.read(4) == b"0123"
            first.close()
            assert store.is_replayable
            assert drained(store.open()) == b"0123456789"


def test_a_file_begins_where_it_stood_for_every_attempt(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(7)
        store = OpenFile(file)
        assert (store.length, drained(store.open()), drained(store.open())) == (3, b"789", b"789")


def test_a_file_that_stands_behind_its_end_is_empty(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(99)
        store = OpenFile(file)
        assert (store.length, drained(store.open())) == (0, b"")


@pytest.mark.parametrize("make", [lambda: Pieces(iter([b"ab", b"c"])), lambda: OpenFile(Pipe(b"abc"))])
def test_what_is_read_once_may_begin_anew_until_its_first_byte_is_asked_for(make) -> None:
    store = make()
    store.open().close()
    assert store.is_replayable
    source = store.open()
    assert source.read(1) == b"a"
    assert not store.is_replayable
    with pytest.raises(ArgumentError, match="cannot be read again"):
        store.open()


def test_a_caller_s_file_is_left_open_and_ours_is_closed(path: Path) -> None:
    before = open_files()
    with path.open("rb") as file:
        drained(OpenFile(file).open())
        assert not file.closed
    source = PathFile(path).open()
    source.read(3)
    source.close()
    assert open_files() == before


def test_a_file_that_grows_is_sent_as_announced(path: Path) -> None:
    with path.open("rb") as file:
        for store in (PathFile(path), OpenFile(file)):
            source = store.open()
            source.read(2)
            with path.open("ab") as writer:
                writer.write(b"more")
            assert drained(source) == b"23456789"[: store.length - 2]
            os.truncate(path, 10)


def test_a_file_that_shrinks_is_an_error_and_no_short_body(path: Path) -> None:
    with path.open("rb", buffering=0) as file:
        for store in (PathFile(path), OpenFile(file)):
            os.truncate(path, 4)
            source = store.open()
            assert source.read(65536) == b"0123"
            with pytest.raises(ArgumentError, match="6 bytes shorter"):
                source.read(65536)
            source.close()
            path.write_bytes(b"0123456789")


def test_a_file_that_is_gone_before_the_second_attempt_says_so(path: Path) -> None:
    store = PathFile(path)
    path.unlink()
    with pytest.raises(ArgumentError, match="No such file"):
        store.open()


@pytest.mark.parametrize(
    "opened",
    [
        lambda path: path.open(encoding="utf-8"),
        lambda path: io.StringIO("abc"),
        lambda path: codecs.getreader("utf-8")(path.open("rb")),
        lambda path: tempfile.NamedTemporaryFile("w+", encoding="utf-8"),  # noqa: SIM115 the test closes it
        lambda path: tempfile.SpooledTemporaryFile(mode="w+", encoding="utf-8"),  # noqa: SIM115 the test closes it
    ],
    ids=["open", "StringIO", "codecs", "named", "spooled"],
)
def test_a_file_opened_as_text_is_refused_in_every_wrapping(path: Path, opened) -> None:
    with opened(path) as file, pytest.raises(ArgumentError, match="opened as text"):
        OpenFile(file)


def test_an_object_whose_read_gives_text_is_refused_when_it_is_read() -> None:
    class Text:
        def read(self, size):
            return "abc"

    with pytest.raises(ArgumentError, match="reading gave str"):
        OpenFile(Text()).open().read(10)


def test_an_object_that_gives_more_than_it_was_asked_for_is_refused() -> None:
    class Greedy:
        def read(self, size):
            return b"x" * (size + 1)

    with pytest.raises(ArgumentError, match="asked for 10"):
        OpenFile(Greedy()).open().read(10)


@pytest.mark.parametrize("opened", [tempfile.NamedTemporaryFile, tempfile.SpooledTemporaryFile, tempfile.TemporaryFile])
def test_binary_temporary_files_are_taken(opened) -> None:
    with opened() as file:
        file.write(b"xxabc")
        file.seek(2)
        store = OpenFile(file)
        assert (store.length, drained(store.open()), store.is_replayable) == (3, b"abc", True)


def test_closed_and_write_only_files_are_refused_at_once(path: Path) -> None:
    file = path.open("rb")
    file.close()
    with pytest.raises(ArgumentError, match="closed"):
        OpenFile(file)
    with path.open("ab") as writer, pytest.raises(ArgumentError, match="writing only"):
        OpenFile(writer)


def test_a_file_closed_after_it_was_handed_over_says_so(path: Path) -> None:
    with path.open("rb") as file:
        store = OpenFile(file)
        source = store.open()
    with pytest.raises(ArgumentError, match="closed file"):
        source.read(1)
    with pytest.raises(ArgumentError, match="closed file"):
        store.open()


@pytest.mark.parametrize("name", ["gone", "folder", "a\0b", "pipe"])
def test_a_path_that_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ArgumentError, match="file "):
        PathFile(tmp_path / name)


def test_a_device_that_seeks_to_an_end_at_0_is_read_all_the_same() -> None:
    with Path("/dev/zero").open("rb") as device:
        store = OpenFile(device)
        assert store.length is None
        assert store.open().read(3) == b"\0\0\0"


def test_a_seekable_file_of_unknown_length_rewinds_all_the_same() -> None:
    class NoEnd(io.BytesIO):
        def seek(self, offset, whence=0):
            if whence == os.SEEK_END:
                raise io.UnsupportedOperation("no end")
            return super().seek(offset, whence)

    store = OpenFile(NoEnd(b"abc"))
    assert (store.length, store.is_replayable) == (None, True)
    assert [drained(store.open()), drained(store.open())] == [b"abc", b"abc"]


def test_an_iterator_that_gives_anything_else_is_refused() -> None:
    for piece in (1, None, ["a"], "\ud800"):
        with pytest.raises(ArgumentError, match=r"expected bytes|surrogate"):
            drained(Pieces(iter([piece])).open())


def test_a_large_piece_is_cut_without_copying_what_is_left() -> None:
    piece = b"x" * (64 * 1024 * 1024)
    source = Pieces([piece]).open()
    total = 0
    while taken := source.read(16384):
        total += len(taken)
    assert total == len(piece)


def test_joined_stores_know_their_length_and_replay_if_each_does(path: Path) -> None:
    known = Joined([InMemory(b"a"), InMemory(b""), PathFile(path), InMemory(b"b" * 100_000)])
    assert known.length == 1 + 10 + 100_000
    assert drained(known.open(), 7) == drained(known.open()) == b"a0123456789" + b"b" * 100_000
    unknown = Joined([InMemory(b"a"), Pieces(iter([b"b"]))])
    assert (unknown.length, unknown.is_replayable) == (None, True)
    assert drained(unknown.open()) == b"ab"
    assert not unknown.is_replayable


def test_an_abandoned_read_leaves_nothing_open(path: Path) -> None:
    before = open_files()
    source = Joined([PathFile(path), PathFile(path)]).open()
    assert open_files() == before
    source.read(3)
    assert open_files() == before + (1 if before else 0)
    source.close()
    assert open_files() == before
    assert source.read(3) == b""


def test_small_neighbours_in_memory_are_one_read() -> None:
    source = Joined([InMemory(b"%d," % number) for number in range(1000)]).open()
    assert source.read(65536).endswith(b"999,")
