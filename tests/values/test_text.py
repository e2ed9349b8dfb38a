"""Arguments to the text that stands in a path, a query or a header."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.secret import Secret
from callsheet.unset import UNSET
from callsheet.values.text import Texter, describe, text_of
from callsheet.values.typeref import TypeRef


class Colour(Enum):
    RED = "red"


def texter(spec):
    return Texter(TypeRef("name" if isinstance(spec, str) else "json_schema", spec))


@pytest.mark.parametrize(
    ("spec", "value", "texts"),
    [
        ("string", "x", ["x"]),
        ("string", 7, ["7"]),
        ("string", UUID(int=7), [str(UUID(int=7))]),
        ("integer", 7, ["7"]),
        ("integer", 10**30, [str(10**30)]),
        ("number", 0.1, ["0.1"]),
        ("number", 1e300, ["1e+300"]),
        ("number", 7, ["7"]),
        ("boolean", True, ["true"]),
        ("date", date(2026, 1, 2), ["2026-01-02"]),
        ("date", "2026-01-02", ["2026-01-02"]),
        ("datetime", datetime(2026, 1, 2, tzinfo=UTC), ["2026-01-02T00:00:00+00:00"]),
        ("datetime", "2026-01-02T00:00:00Z", ["2026-01-02T00:00:00+00:00"]),
        ("uuid", str(UUID(int=7)), [str(UUID(int=7))]),
        ("array", ["a", True], ["a", "true"]),
        ("array", [], []),
        ("object", {"a": 1}, ['{"a":1}']),
        ({"enum": ["on", 7]}, 7, ["7"]),
        ({"type": "string", "format": "date"}, date(2026, 1, 2), ["2026-01-02"]),
        ({"type": "array", "items": {"type": "date"}}, ["2026-01-02"], ["2026-01-02"]),
        ({"type": "string", "pattern": "^a+$"}, "aa", ["aa"]),
    ],
)
def test_a_value_of_its_type_has_its_text(spec, value, texts):
    assert texter(spec).texts(value) == texts


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ("string", True),
        ("string", 1.5),
        ("string", b"x"),
        ("integer", "7"),
        ("integer", 7.0),
        ("integer", True),
        ("number", "1.5"),
        ("number", float("nan")),
        ("boolean", 1),
        ("boolean", "true"),
        ("date", "yesterday"),
        ("datetime", "2026-01-02T00:00:00"),
        ("datetime", datetime(2026, 1, 2)),  # noqa: DTZ001 a time without an offset is the fact
        ("uuid", "7"),
        ("array", "abc"),
        ("object", [1]),
        ({"enum": ["on"]}, "off"),
        ({"type": "integer", "maximum": 5}, 6),
        ({"type": "string", "minLength": 2}, "a"),
        ({"type": "string", "pattern": "^a+$"}, "b"),
        ({"type": "array", "items": {"type": "integer"}}, ["1"]),
        ({"type": "array", "maxItems": 1}, [1, 2]),
    ],
)
def test_a_value_of_another_type_is_refused(spec, value):
    with pytest.raises(ValueError, match=r"."):
        texter(spec).texts(value)


@pytest.mark.parametrize(
    ("spec", "typed", "value"),
    [
        ("integer", "7", 7),
        ("number", "1.5", 1.5),
        ("boolean", "true", True),
        ("date", "2026-01-02", date(2026, 1, 2)),
        ("string", "7", "7"),
        ({"type": "integer", "minimum": 1}, "2", 2),
    ],
)
def test_what_a_person_types_becomes_a_value(spec, typed, value):
    assert texter(spec).value_of(typed) == value


def test_what_a_person_mistypes_is_refused():
    with pytest.raises(ValueError, match="valid integer"):
        texter("integer").value_of("seven")


@pytest.mark.parametrize(
    ("value", "text"),
    [(Colour.RED, "red"), (Decimal("1.50"), "1.50"), (None, "None"), ([1], "[1]"), (True, "true"), (1.0, "1.0")],
)
def test_a_value_without_a_type_has_a_text_too(value, text):
    assert text_of(value) == text


@pytest.mark.parametrize("value", [float("inf"), Decimal("NaN"), datetime(2026, 1, 2)])  # noqa: DTZ001 see above
def test_some_have_none(value):
    with pytest.raises(ValueError, match="expected a"):
        text_of(value)


@pytest.mark.parametrize("value", [b"x", Secret("canary")])
def test_some_would_be_sent_as_something_else(value):
    with pytest.raises(ValueError, match="expected text"):
        text_of(value)


@given(st.text())
def test_a_string_is_its_own_text(text):
    try:
        assert texter("string").texts(text) == [text]
    except ValueError:
        assert any("\ud800" <= c <= "\udfff" for c in text)


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_comes_back(number):
    (text,) = texter("number").texts(number)
    assert type(number)(text) == number


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("integer", "integer"),
        ({"enum": ["a", "b"]}, "one of a, b"),
        ({"type": "integer", "minimum": 1}, "integer (minimum 1)"),
        ({"type": "string", "format": "date"}, "date"),
        (Colour, "Colour"),
    ],
)
def test_a_type_in_a_few_words(spec, words):
    assert describe(spec) == words


@pytest.mark.parametrize(
    ("spec", "value", "texts"),
    [
        ("number", Decimal("1.10"), ["1.10"]),
        ("number", Decimal("1E+2"), ["1E+2"]),
        ("number", Decimal("0.1000000000000000055511151231257827"), ["0.1000000000000000055511151231257827"]),
        ("string", Decimal("1.10"), ["1.10"]),
        ("array", [Decimal("1.10"), 2], ["1.10", "2"]),
        ("array", [None, "a", UNSET], ["a"]),
        ({"type": "array", "items": {"type": "integer"}}, (None, 1), ["1"]),
        ("number", Decimal("1E+400"), ["1E+400"]),
        ({"type": "number", "minimum": 1}, Decimal("1.10"), ["1.10"]),
        ({"type": "array", "items": {"type": "number"}}, (Decimal("1.10"), 7, 1.5), ["1.10", "7", "1.5"]),
        ({"type": "string", "enum": ["1", "2"]}, 1, ["1"]),
    ],
)
def test_a_number_keeps_its_digits(spec, value, texts):
    assert texter(spec).texts(value) == texts


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ("number", Decimal("NaN")),
        ("number", Decimal("Infinity")),
        ("string", Decimal("NaN")),
        ("integer", Decimal("1.5")),
        ({"type": "number", "minimum": 2}, Decimal("1.10")),
    ],
)
def test_a_decimal_that_does_not_fit_is_refused(spec, value):
    with pytest.raises(ValueError, match=r"number|integer|greater"):
        texter(spec).texts(value)


@pytest.mark.parametrize("typed", ["1.10", "1e3", "007", "+5", "-0.50"])
def test_a_number_is_sent_as_it_is_typed(typed):
    assert texter("number").texts(texter("number").value_of(typed)) == [typed]


@pytest.mark.parametrize(("typed", "text"), [(" 7 ", "7"), ("1_000", "1000")])
def test_a_spelling_that_is_no_plain_number_is_not_sent(typed, text):
    assert texter("integer").texts(texter("integer").value_of(typed)) == [text]
