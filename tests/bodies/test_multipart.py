"""Multipart bodies, read by two parsers that are not ours."""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.errors import ArgumentError
from callsheet.unset import UNSET
from callsheet.values.multipart import ESCAPES, Multipart, guessed_type
from tests.awkward import STRINGS, label
from tests.bodies.reading import Field, by_python_multipart, by_werkzeug, whole

OCTETS = "application/octet-stream"


def read(body: Multipart) -> list[Field]:
    """What both parsers agree on."""
    content = whole(body)
    assert body.length in (None, len(content))
    found = by_python_multipart(content, body.content_type)
    # werkzeug groups parts by name
    assert sorted(map(comparable, by_werkzeug(content, body.content_type))) == sorted(map(comparable, found))
    return found


def comparable(field: Field) -> tuple[str, str, bytes]:
    return field.name, field.filename or "", field.content


def test_the_bytes_of_a_field_and_a_file() -> None:
    body = Multipart({"f": ("a.txt", b"hello")}, {"n": "1"}, boundary="B")
    assert whole(body) == (
        b'--B\r\nContent-Disposition: form-data; name="n"\r\n\r\n1\r\n'
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n'
        b"--B--\r\n"
    )
    assert (body.content_type, body.content) == ("multipart/form-data; boundary=B", None)


def test_every_way_to_give_a_file(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"abc")
    with path.open("rb") as file, tempfile.NamedTemporaryFile(suffix=".gz") as temporary:
        files = {
            "path": path,
            "file": file,
            "bytes": b"abc",
            "text": "é",
            "nameless": io.BytesIO(b"abc"),
            "temporary": temporary,
            "two": ("x.tar.gz", b"abc"),
            "three": ("x", b"abc", "image/svg+xml; charset=utf-8"),
            "purepath": (PurePosixPath("folder/x.json"), b"{}"),
            "iterator": ("x.csv", iter([b"a", "b"])),
            "none": None,
            "empty": [],
        }
        assert read(Multipart(files)) == [
            Field("path", "photo.png", b"abc", "image/png"),
            Field("file", "photo.png", b"abc", "image/png"),
            Field("bytes", "bytes", b"abc", OCTETS),
            Field("text", "text", "é".encode(), OCTETS),
            Field("nameless", "nameless", b"abc", OCTETS),
            Field("temporary", Path(temporary.name).name, b"", "application/gzip"),
            Field("two", "x.tar.gz", b"abc", "application/gzip"),
            Field("three", "x", b"abc", "image/svg+xml; charset=utf-8"),
            Field("purepath", "x.json", b"{}", "application/json"),
            Field("iterator", "x.csv", b"ab", "text/csv"),
        ]


def test_fields_come_first_and_the_order_is_kept() -> None:
    body = Multipart(
        [("b", ("1", b"x")), ("a", [("2", b"y"), ("3", b"z")]), ("b", ("4", b""))],
        [("z", "1"), ("a", [2, 3]), ("card", {"n": 4}), ("none", None)],
    )
    assert [field[:3] for field in read(body)] == [
        ("z", None, b"1"),
        ("a", None, b"2"),
        ("a", None, b"3"),
        ("card[n]", None, b"4"),
        ("b", "1", b"x"),
        ("a", "2", b"y"),
        ("a", "3", b"z"),
        ("b", "4", b""),
    ]


def test_a_file_without_a_filename_is_a_field() -> None:
    """As in `files={"a": (None, "text")}`, which `requests` taught."""
    content = whole(Multipart({"a": (None, "text"), "b": (None, b"{}", "application/json")}, boundary="B"))
    assert b'name="a"\r\n\r\ntext' in content
    assert b'name="b"\r\nContent-Type: application/json\r\n\r\n{}' in content
    assert b"filename" not in content


@pytest.mark.parametrize("kind", [dict, list])
def test_a_part_has_headers_of_its_own(kind) -> None:
    """The fourth element, as in requests and httpx."""
    headers = {"X-Id": "7", "Content-Transfer-Encoding": "binary"}
    files = {
        "a": ("a.txt", b"x", "text/csv", headers if kind is dict else [*headers.items()]),
        "b": (None, b"{}", None, {"content-type": "application/json"}),
        "c": ("c.png", b"y", None, {"X-Id": "8", "X-A": None, "X-B": UNSET}),
        "d": ("d", b"z", "text/plain", None),
    }
    assert whole(Multipart(files, boundary="B")).decode().replace("\r\n", "|") == (
        '--B|Content-Disposition: form-data; name="a"; filename="a.txt"|Content-Type: text/csv|X-Id: 7|'
        "Content-Transfer-Encoding: binary||x|"
        '--B|Content-Disposition: form-data; name="b"|Content-Type: application/json||{}|'
        '--B|Content-Disposition: form-data; name="c"; filename="c.png"|Content-Type: image/png|X-Id: 8||y|'
        '--B|Content-Disposition: form-data; name="d"; filename="d"|Content-Type: text/plain||z|--B--|'
    )


@pytest.mark.parametrize(
    ("media_type", "headers", "told"),
    [
        ("text/plain", {"Content-Type": "text/csv"}, "its type is given twice"),
        (None, [("Content-Type", "a/b"), ("content-type", "a/b")], "its type is given twice"),
        (None, {"Content-Type": "csv"}, "is not a media type"),
        (None, {"Content-Disposition": "x"}, "is made of the name and the filename"),
        (None, {"X-Id": "a\r\nX-Other: b"}, "X-Id"),
        (None, {"X Id": "a"}, "X Id"),
        (None, {"X-Id": 7}, "expected text, found int"),
        (None, {7: "a"}, "headers: "),
        (None, "X-Id: 7", "expected a mapping or pairs"),
        (None, ["X-Id"], "expected pairs"),
    ],
)
def test_headers_of_a_part_that_are_none_are_refused(media_type, headers, told) -> None:
    with pytest.raises(ArgumentError, match=f"file `f`: .*{told}"):
        Multipart({"f": ("f", b"", media_type, headers)})


def test_an_empty_filename_is_sent_as_it_is() -> None:
    assert b'filename=""' in whole(Multipart({"a": ("", b"")}))


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("a\nb", "a%0Ab"),
        ("a\rb", "a%0Db"),
        ("a\n\rb", "a%0A%0Db"),
        ("a\r\nb", "a%0D%0Ab"),
        ("\n", "%0A"),
    ],
)
def test_a_line_break_in_a_name_is_cr_lf_and_in_a_filename_what_it_is(name: str, sent: str) -> None:
    content = whole(Multipart({name: (name, b"x")}, {name: "y"})).decode()
    whole_break = re.sub("(%0D%0A|%0D|%0A)", "%0D%0A", sent)
    assert content.count(f'form-data; name="{whole_break}"') == 2
    assert f'filename="{sent}"' in content


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ('a"b', "a%22b"),
        ("a\r\nb", "a%0D%0Ab"),
        ("日本.txt", "日本.txt"),
        ("a;b=c", "a;b=c"),
        ("a%22b", "a%22b"),
        ("../../etc/passwd", "../../etc/passwd"),
    ],
)
def test_names_are_escaped_as_browsers_do(name: str, sent: str) -> None:
    content = whole(Multipart({name: (name, b"x")}, {name: "y"})).decode()
    assert content.count(f'name="{sent}"') == 3
    assert name == sent or name not in content


@pytest.mark.parametrize("name", ["\0", "a\0b", "a\x1bb", "a\x7f", "a\\b", "a\\", "C:\\a.txt", "\ud800"])
def test_names_that_servers_read_differently_are_refused(name: str) -> None:
    for make in (
        lambda: Multipart({"f": (name, b"")}),
        lambda: Multipart({name: b""}),
        lambda: Multipart({}, {name: 1}),
    ):
        with pytest.raises(ArgumentError, match="name "):
            make()


@pytest.mark.parametrize(
    "media_type",
    ["", "text", "text/", "/plain", "text/plain\r\nX: 1", "text/plain\r\n;x", "text/plain\n;x", "text/plain; a\r\nX: 1", "a b/c", "é/x", "text/plain; é", b"text/plain", 7],
)  # fmt: skip
def test_what_is_no_media_type_is_refused(media_type) -> None:
    with pytest.raises(ArgumentError, match="is not a media type"):
        Multipart({"f": ("a", b"", media_type)})


@pytest.mark.parametrize(
    "value",
    [7, {"a": 1}, object(), ("a",), ("a", b"", "text/plain", {}, 5), (7, b""), (b"name", b""), ("a", 7), ("a", {1})],
)
def test_what_is_no_file_is_refused_by_name(value) -> None:
    with pytest.raises(ArgumentError, match="file `f`"):
        Multipart({"f": value})


@pytest.mark.parametrize("files", ["a", b"a", 7])
def test_files_are_a_mapping_or_pairs(files) -> None:
    with pytest.raises(ValueError, match="mapping or pairs"):
        Multipart(files)


@pytest.mark.parametrize(
    ("filename", "media_type"),
    [
        ("a.json", "application/json"),
        ("a.PDF", "application/pdf"),
        ("a.csv.gz", "application/gzip"),
        ("a", OCTETS),
        ("", OCTETS),
        (".json", OCTETS),
        ("data:text/html,x", OCTETS),
        ("http://a/b.png", "image/png"),
        ("a.svg?x", OCTETS),
    ],
)
def test_the_media_type_follows_from_the_end_of_the_name_alone(filename: str, media_type: str) -> None:
    assert guessed_type(filename) == media_type


def test_the_boundary_is_128_random_bits() -> None:
    boundaries = {Multipart({}).content_type for _ in range(100)}
    assert len(boundaries) == 100
    assert all(re.fullmatch(r"multipart/form-data; boundary=[0-9a-f]{32}", text) for text in boundaries)


@pytest.mark.parametrize("boundary", ["", "a\r\nb", "é", 'a"b', "a" * 71, "a b"])
def test_a_boundary_that_is_none_is_refused(boundary: str) -> None:
    with pytest.raises(ArgumentError, match="boundary"):
        Multipart({}, boundary=boundary)


def test_a_boundary_with_marks_is_quoted() -> None:
    body = Multipart({"f": b"x"}, boundary="a=b:c")
    assert body.content_type == 'multipart/form-data; boundary="a=b:c"'
    assert read(body) == [Field("f", "f", b"x", OCTETS)]


def test_the_length_is_known_where_each_part_s_is(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 200_000)
    with path.open("rb") as file:
        file.seek(150_000)
        known = Multipart([("a", path), ("b", file), ("c", b"bytes"), ("d", "é")], {"e": "f"})
        assert known.length == len(whole(known))
    assert Multipart({"a": b"", "b": iter([b"x"])}).length is None
    assert Multipart({}).length == len(whole(Multipart({})))


def test_a_second_attempt_sends_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        file.seek(4)
        body = Multipart({"f": file, "g": path, "h": file}, {"n": 1})
        body.open().read(200)
        assert whole(body, 7) == whole(body)
        assert whole(body).count(b"456789\r\n") == 3
        assert not file.closed


def test_an_iterator_makes_the_whole_body_unrepeatable_once_it_is_read() -> None:
    body = Multipart({"f": iter([b"a"])})
    source = body.open()
    source.read(10)
    assert body.is_replayable
    while source.read(65536):
        pass
    assert not body.is_replayable


def test_a_file_opened_as_text_is_refused() -> None:
    with pytest.raises(ArgumentError, match="opened as text"):
        Multipart({"f": io.StringIO("a")})


def test_a_very_long_name_arrives() -> None:
    name = "é" * 500
    assert read(Multipart({"f": (name, b"x")})) == [Field("f", name, b"x", OCTETS)]


def test_a_thousand_fields_are_one_read() -> None:
    body = Multipart({}, {f"f{number}": number for number in range(1000)})
    assert len(body.open().read(1 << 20)) == body.length


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='\\"'), max_size=12)
CONTENTS = st.binary(max_size=200) | st.sampled_from([b"\r\n", b"--", b"\r\n--", b"\r\n--B--\r\n", b"\r"])
PARTS = st.lists(st.tuples(NAMES, NAMES, CONTENTS), max_size=6)


@given(PARTS, st.lists(st.tuples(NAMES, st.text(st.characters(exclude_categories=["Cs"]), max_size=50)), max_size=6))
def test_any_fields_and_files_are_read_back_by_python_multipart(parts, fields) -> None:
    body = Multipart([(name, (filename, content)) for name, filename, content in parts], fields)
    content = whole(body)
    assert len(content) == body.length
    assert [field[:3] for field in by_python_multipart(content, body.content_type)] == [
        *((name, None, text.encode()) for name, text in fields),
        *parts,
    ]


@pytest.mark.parametrize("text", STRINGS, ids=label)
def test_an_awkward_name_filename_and_value_arrive_or_are_refused(text: str) -> None:
    text = text[:300]  # python-multipart reads 4 KiB of header fields per part
    try:
        body = Multipart({text: (text, b"x")}, {text: "y"})
    except ArgumentError as error:
        assert re.search(r"surrogate|servers differ", str(error))  # noqa: PT017 a refusal, or what arrives
        return
    arrived, in_file = re.sub("\r\n|\r|\n", "\r\n", text).translate(ESCAPES), text.translate(ESCAPES)
    assert [field[:3] for field in by_python_multipart(whole(body), body.content_type)] == [
        (arrived, None, b"y"),
        (arrived, in_file, b"x"),
    ]


@pytest.mark.parametrize("text", STRINGS, ids=label)
def test_an_awkward_value_and_content_arrive_exactly_or_are_refused(text: str) -> None:
    try:
        body = Multipart({"f": text}, {"v": text})
    except ArgumentError as error:
        assert "surrogate" in str(error)  # noqa: PT017 a refusal, or what arrives
        return
    content = text.encode()
    assert [field[2] for field in by_python_multipart(whole(body), body.content_type)] == [content, content]
