"""Forms: the text of each field, brackets for what is nested, and a round trip through the standard library."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.values.form import flat, form
from tests.awkward import STRINGS, label

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def parsed(content: bytes) -> list[tuple[str, str]]:
    return parse_qsl(content.decode("ascii"), keep_blank_values=True, strict_parsing=bool(content))


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({}, b""),
        ({"a": ""}, b"a="),
        ({"a": None, "b": 1}, b"b=1"),
        ({"a": "x y+z&=;/?~*-._"}, b"a=x+y%2Bz%26%3D%3B%2F%3F%7E*-._"),
        ({"a": "é😀"}, b"a=%C3%A9%F0%9F%98%80"),
        ({"a": "l1\r\nl2"}, b"a=l1%0D%0Al2"),
        ({"a": [1, 2, None, 3]}, b"a=1&a=2&a=3"),
        ({"a": (1, "x")}, b"a=1&a=x"),
        ({"a": []}, b""),
        ({"a": True, "b": False}, b"a=true&b=false"),
        ({"a": 1.5, "b": Decimal("1.50")}, b"a=1.5&b=1.50"),
        ({"a": date(2025, 1, 2), "b": datetime(2025, 1, 2, tzinfo=UTC)}, b"a=2025-01-02&b=2025-01-02T00%3A00%3A00%2B00%3A00"),
        ({"a": UUID(int=1)}, b"a=00000000-0000-0000-0000-000000000001"),
        ({"a": b"bytes"}, b"a=bytes"),
        ({7: 1, True: 2}, b"7=1&true=2"),
        ([("b", 1), ("a", 2), ("b", 3)], b"b=1&a=2&b=3"),
    ],
)  # fmt: skip
def test_what_is_sent(fields, sent: bytes) -> None:
    assert form(fields) == sent


@pytest.mark.parametrize(
    ("fields", "pairs"),
    [
        ({"card": {"number": 1, "holder": {"name": "A"}}}, [("card[number]", "1"), ("card[holder][name]", "A")]),
        ({"items": [{"id": 7}, {"id": 8}]}, [("items[0][id]", "7"), ("items[1][id]", "8")]),
        ({"a": {"b": [1, 2]}}, [("a[b]", "1"), ("a[b]", "2")]),
        ({"a": [[1, 2], [3]]}, [("a[0]", "1"), ("a[0]", "2"), ("a[1]", "3")]),
        ({"a": [1, {"b": 2}]}, [("a[0]", "1"), ("a[1][b]", "2")]),
        ({"a": {"": 1, "]": 2}}, [("a[]", "1"), ("a[]]", "2")]),
    ],
)
def test_nested_fields_are_spelt_with_brackets(fields, pairs) -> None:
    assert list(flat(fields)) == pairs == parsed(form(fields))


def itself() -> list:
    found: list = []
    found.append(found)
    return found


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"a": "\ud800"}, "surrogate"),
        ({"\ud800": "a"}, "surrogate"),
        ({"a": float("nan")}, "field 'a': expected a finite number"),
        ({"a": b"\xff"}, "not UTF-8"),
        ({"a": {1}}, "found set"),
        ({"a": iter([1])}, "found list_iterator"),
        ({"a": datetime(2025, 1, 1)}, "offset"),  # noqa: DTZ001 what is refused
        ({"a": itself()}, "deeper than 32"),
        ("a=1", "found str"),
        (b"a=1", "found bytes"),
        (7, "found int"),
    ],
)
def test_what_has_no_form_is_refused_by_name(fields, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        form(fields)


@given(st.lists(st.tuples(TEXT, TEXT)))
def test_any_fields_are_read_back_in_order(fields: list[tuple[str, str]]) -> None:
    assert parsed(form(fields)) == fields


NAMES = st.text("abc_-.é", min_size=1, max_size=4)
TREES = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3),
    max_leaves=8,
)


def nested(pairs: list[tuple[str, str]]) -> dict:
    """Brackets back to mappings."""
    found: dict = {}
    for name, text in pairs:
        first, *rest = name.replace("]", "").split("[")
        at = found
        for step, following in zip([first, *rest], rest, strict=False):
            at = at.setdefault(step, {})
            assert following
        at[[first, *rest][-1]] = text
    return found


@given(st.dictionaries(NAMES, TREES, max_size=4))
def test_any_tree_of_mappings_is_read_back(fields: dict) -> None:
    assert nested(parsed(form(fields))) == fields


@pytest.mark.parametrize("text", STRINGS, ids=label)
def test_an_awkward_string_comes_back_or_is_refused(text: str) -> None:
    try:
        content = form({text: text})
    except ValueError as error:
        assert "surrogate" in str(error)  # noqa: PT017 a refusal, or what arrives
        with pytest.raises(UnicodeEncodeError):
            text.encode()
    else:
        assert parsed(content) == [(text, text)]
