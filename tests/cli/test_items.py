import io
import re

import pytest

from callsheet.cli.items import FileArgument, ItemArgument, parse_item, parse_items
from callsheet.errors import ArgumentError


@pytest.mark.parametrize(
    ("text", "kind", "name", "value"),
    [
        ("name=Ada", "field", "name", "Ada"),
        ("name=", "field", "name", ""),
        ("a=b=c", "field", "a", "b=c"),
        ("url=http://x/?a==b", "field", "url", "http://x/?a==b"),
        ("age:=36", "json", "age", 36),
        ('tags:=["a", "b"]', "json", "tags", ["a", "b"]),
        ("gone:=null", "json", "gone", None),
        ("page==2", "query", "page", "2"),
        ("page==", "query", "page", ""),
        ("X-Id:7", "header", "X-Id", "7"),
        ("X-Id: 7 ", "header", "X-Id", "7"),
        ("X-When:12:30", "header", "X-When", "12:30"),
        ("X-Empty;", "header", "X-Empty", ""),
        ("X-Gone:", "header", "X-Gone", None),
        ("photo@me.png", "file", "photo", FileArgument("me.png")),
        ("photo@a@b.png", "file", "photo", FileArgument("a@b.png")),
        ("photo@me.png;type=image/png", "file", "photo", FileArgument("me.png", None, "image/png")),
        ("t@x;type=text/plain;charset=utf-8", "file", "t", FileArgument("x", None, "text/plain;charset=utf-8")),
        ("t@x;filename=y z.txt;type=text/csv", "file", "t", FileArgument("x", "y z.txt", "text/csv")),
        ("t@odd;name.txt", "file", "t", FileArgument("odd;name.txt")),
        ("@body.bin", "body", "", FileArgument("body.bin")),
        ("@-", "body", "", FileArgument("-")),
        (r"filter\:by=x", "field", "filter:by", "x"),
        (r"a\=b=c", "field", "a=b", "c"),
        (r"path=C:\temp", "field", "path", r"C:\temp"),
        (r"a\b=c", "field", r"a\b", "c"),
        ("name=ada@example.com", "field", "name", "ada@example.com"),
        (r"mail=\@home", "field", "mail", "@home"),
    ],
)
def test_what_an_item_says(text, kind, name, value):
    assert parse_item(text) == ItemArgument(kind, name, value, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name", "expected one of name=value"),
        ("=x", "expected a name before `=`"),
        ("age:={", "expected JSON after `:=`"),
        ("photo@", "expected the path of a file after `@`"),
        ("note=@missing.txt", "cannot read 'missing.txt': No such file or directory"),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(ArgumentError) as raised:
        parse_item(text)
    assert message in str(raised.value)


def test_every_bad_item_is_named_and_no_value_shown():
    with pytest.raises(ArgumentError) as raised:
        parse_items(["ok=1", "token:=hunter22", "X-Secret"])
    assert "`token:=...`" in str(raised.value)
    assert "`X-Secret`" in str(raised.value)
    assert "hunter22" not in str(raised.value)


def test_the_standard_input_is_read_once():
    with pytest.raises(ArgumentError) as raised:
        parse_items(["a@-;type=text/csv", "ok=1", "b=@-"])
    assert str(raised.value) == "items `a@...`, `b=@...`: the standard input can be read once"


def test_files_are_read_where_the_separator_ends_in_at(tmp_path, monkeypatch):
    (tmp_path / "note.txt").write_text("line one\nline two")
    (tmp_path / "data.json").write_text('{"a": [1]}')
    monkeypatch.setattr("sys.stdin", io.StringIO("typed"))
    texts = ["note=@note.txt", "data:=@data.json", "q==@note.txt", "X-Note:@-"]
    values = [item.value for item in parse_items(texts)]
    assert values == ["line one\nline two", {"a": [1]}, "line one\nline two", "typed"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('a:=["x', "a quote that is not closed at line 1 column 2"),
        ('a:={"b": "c,\n "d": 1}', "a quote that is not closed at line 1 column 7"),
        ('a:={"b": "c",\n "d: 1}', "a quote that is not closed at line 2 column 2"),
        ('a:=["\\"', "a quote that is not closed at line 1 column 2"),
        ("a:=[1,", "EOF while parsing a value at line 1 column 3"),
        ('a:=["x" "y"]', "expected `,` or `]` at line 1 column 6"),
    ],
)
def test_json_that_cannot_be_read_says_where_a_quote_opened(text, told):
    with pytest.raises(ArgumentError, match=re.escape(f"expected JSON after `:=`: {told}; a text is given as")):
        parse_item(text)
