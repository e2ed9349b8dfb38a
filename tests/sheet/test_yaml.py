"""YAML 1.2 within bounds: what its scalars mean, and what is refused."""

import pytest
import yaml

from callsheet.sheet.tree import compose as composing
from callsheet.sheet.tree.core_schema import resolve
from callsheet.sheet.tree.findings import Findings
from callsheet.sheet.tree.node import ListNode, MappingNode, Scalar
from callsheet.sheet.tree.place import SheetText
from tests.sheet.sheets import HEAD, errors, parse, shop

CORE = [
    *(("", None), ("~", None), ("null", None), ("Null", None), ("NULL", None), ("nULL", "nULL")),
    *(("true", True), ("False", False), ("TRUE", True), ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off")),
    *(("12", 12), ("-7", -7), ("+7", 7), ("007", 7), ("0o17", 15), ("0x1F", 31), ("0b11", "0b11"), ("1_000", "1_000")),
    *(("1.5", 1.5), ("-.5", -0.5), ("1.", 1.0), ("1e3", 1000.0), (".5e-1", 0.05), ("1e", "1e"), (".", "."), ("-", "-")),
    *((".inf", float("inf")), ("-.INF", float("-inf")), ("12:30:45", "12:30:45"), ("2024-01-01", "2024-01-01")),
    *(("=", "="), ("<<", "<<"), ("٣", "٣"), ("9" * 500, "9" * 500)),
]


@pytest.mark.parametrize(("text", "value"), CORE)
def test_the_core_schema(text, value):
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


@pytest.fixture(params=["C", "Python"])
def loader(request, monkeypatch):
    """Both of PyYAML's parsers: not every platform has the one in C."""
    chosen = getattr(yaml, "CSafeLoader", None) if request.param == "C" else yaml.SafeLoader
    if chosen is None:
        pytest.skip("PyYAML without libyaml")
    monkeypatch.setattr(composing, "LOADER", chosen)


def tree(text):
    findings = Findings()
    node = composing.compose(SheetText("s.yaml", text), text, findings)
    assert not findings.errors
    return node


def plain(node):
    if isinstance(node, MappingNode):
        return {key.value: plain(value) for key, value in node.entries}
    return [plain(item) for item in node.items] if isinstance(node, ListNode) else node.value


def test_types_styles_anchors_and_explicit_tags(loader):
    text = """\
        plain: no
        quoted: "12"
        single: 'true'
        block: |
          a
          b
        list: &l [1, 2.5, ~]
        again: *l
        forced: !!str 12
        number: !!int "12"
        200: ok
        """
    assert plain(tree(text)) == {
        "plain": "no",
        "quoted": "12",
        "single": "true",
        "block": "a\nb\n",
        "list": [1, 2.5, None],
        "again": [1, 2.5, None],
        "forced": "12",
        "number": 12,
        200: "ok",
    }


def test_each_value_knows_its_place(loader):
    node = tree("a:\n  - x\n  - {b: ça, c: d}\n")
    inner = node.get("a").items[1]
    assert [str(scalar.place) for scalar in (inner.key("b"), inner.get("b"), inner.get("c"))] == [
        *("s.yaml:3:6", "s.yaml:3:9", "s.yaml:3:16"),
    ]
    assert isinstance(inner.get("c"), Scalar)


BROKEN = [
    ("a: b: c", "1:5: not YAML: a second `:`", ""),
    ('a: "x', "1:", "close it"),
    ("a: [1, 2", "1:", "close it with `]`"),
    ("a: {b: 1", "1:", "close it with `}`"),
    ("a: @x", "1:4: not YAML: a character that cannot begin a value", "quote the text"),
    ("a:\n\tb: c", "2:1: not YAML: a tab indents this line", "use spaces"),
    ('a: "\\q"', "1:", "write `\\\\` for a backslash"),
    ("a: ]", "1:4: not YAML: no value where one is expected", ""),
    ("- a\nb: c", "2:1: not YAML: ", ""),
    ("a: 1\n b: c", "2:", ""),
    ("a: *b", "1:4: an alias whose anchor is not above it", "needs quotes"),
    ("a: &b [*b]", "1:8: an alias inside of what it stands for", ""),
    ("a: !x y", "1:4: an unknown tag", "needs quotes"),
    ("a: !!python/object/apply:os.system [ls]", "1:4: an unknown tag", ""),
    ("a: !!int x", "1:4: a value that is not what its tag says", ""),
    ("a: 1\na: 2", "2:1: the key `a` twice in one mapping", "already on line 1"),
    ('200: 1\n"200": 2', "2:1: the key `200` twice in one mapping", ""),
    ("? [a]\n: b", "1:", ""),
    ("a: {<<: {b: 1}}", "1:5: a merge key `<<`", "`defaults`"),
    ("a: 1\n---\nb: 2", "2:1: a second document", ""),
    ("a: b\x07", "1:5: the character U+0007", ""),
    ("a: 1\nb: \ud800", "2:4: the character U+D800", ""),
    ("get: {id}/x", "1:", "did you forget the quotes?"),
    ("a: {b: ${TOKEN}}", "1:", "did you forget the quotes?"),
    ("a: {b: /users/{id}}", "1:", "did you forget the quotes?"),
]


@pytest.mark.parametrize(("text", "message", "hint"), BROKEN)
def test_what_is_refused(loader, text, message, hint):
    told = errors(parse, text)
    assert f"s.yaml:{message}" in told
    assert hint in told


def test_a_hundred_aliases_and_no_more(loader):
    many = "tags: [&t x, " + ", ".join(["*t"] * 100)
    op = "operations: {op: {get: /x, %s]}}"
    assert len(shop(op % many).operations["op"].tags) == 101
    assert "more than 100 aliases" in errors(shop, op % (many + ", *t"))


def test_aliases_count_for_what_they_stand_for(loader):
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    assert "more than 10,000 values" in errors(parse, bomb)


def test_ten_thousand_values_and_no_more(loader):
    assert "more than 10,000 values" in errors(parse, "a: [" + "1, " * 10_000 + "]")


@pytest.mark.parametrize("brackets", [60, 100_000])
def test_fifty_deep_and_no_more(loader, brackets):
    assert "nested more than 50 deep" in errors(parse, "a: " + "[" * brackets)


def test_five_mebibytes_and_no_more():
    assert "larger than 5 MiB" in errors(parse, "#" * (5 * 1024 * 1024 + 1))


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "\ufeff"])
def test_an_empty_sheet(text):
    told = errors(parse, text)
    assert "empty; `callsheet init`" in told or "expected a mapping" in told


def test_a_byte_order_mark_and_windows_line_ends_are_fine():
    assert parse("\ufeff" + HEAD.replace("\n", "\r\n")).services["shop"].settings().base_url == "https://shop.example"
