"""Declared types to JSON bodies: strictly, and saying where it does not fit."""

import dataclasses
import json
import sys
import typing
from contextlib import nullcontext
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Literal, NotRequired
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from callsheet.errors import SheetError
from callsheet.http.json import dumps, loads
from callsheet.values.codec import codec_for
from callsheet.values.mismatch import Mismatch
from callsheet.values.typeref import TypeRef

NAN = float("nan")


class Colour(Enum):
    RED = "red"


class City(BaseModel):
    name: str


class NewUser(BaseModel):
    name: str
    email: str | None = None
    age: float = 7
    city: City | None = None


class Aliased(BaseModel):
    full_name: str = Field(alias="fullName")
    nick: str | None = Field(None, validation_alias="nickName", serialization_alias="nickName")


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class Rich(BaseModel):
    when: datetime
    day: date
    id: UUID
    price: Decimal
    colour: Colour


@dataclasses.dataclass
class UserData:
    name: str
    city: City | None = None


class UserDict(TypedDict):
    name: str
    email: NotRequired[str]


def codec(declared):
    return codec_for(TypeRef("python", declared))


def schema(**terms):
    return codec_for(TypeRef("json_schema", terms))


CLOSED = {"type": "object", "properties": {"name": {"type": "string"}}, "additionalProperties": False}


@pytest.mark.parametrize(
    ("made", "names"),
    [
        (codec(NewUser), {"name", "email", "age", "city"}),
        (codec(Aliased), {"full_name", "fullName", "nick", "nickName"}),
        (codec(UserData), {"name", "city"}),
        (codec(UserDict), {"name", "email"}),
        (codec(Open), None),
        (codec(dict[str, int]), None),
        (codec(list[int]), None),
        (schema(**CLOSED), {"name"}),
        (schema(type="object"), None),
    ],
)
def test_a_type_knows_the_names_it_takes(made, names):
    assert made.fields == names


@pytest.mark.parametrize(
    ("declared", "fields", "body"),
    [
        (NewUser, {"name": "Ada"}, b'{"name":"Ada","age":7.0}'),
        (NewUser, {"name": "Ada", "city": {"name": "Paris"}}, b'{"name":"Ada","age":7.0,"city":{"name":"Paris"}}'),
        (NewUser, {"name": "Ada", "city": City(name="Paris")}, b'{"name":"Ada","age":7.0,"city":{"name":"Paris"}}'),
        (Aliased, {"full_name": "Ada"}, b'{"fullName":"Ada"}'),
        (Aliased, {"fullName": "Ada", "nickName": "A"}, b'{"fullName":"Ada","nickName":"A"}'),
        (UserData, {"name": "Ada"}, b'{"name":"Ada"}'),
        (UserDict, {"name": "Ada"}, b'{"name":"Ada"}'),
        (Open, {"x": [1]}, b'{"x":[1]}'),
        (dict[str, int], {"a": 1}, b'{"a":1}'),
    ],
)
def test_fields_make_a_body(declared, fields, body):
    assert codec(declared).encode_fields(fields) == body


def test_json_values_and_python_values_are_both_taken():
    python = {
        "when": datetime(2026, 1, 2, tzinfo=UTC),
        "day": date(2026, 1, 2),
        "id": UUID(int=7),
        "price": Decimal("1.50"),
        "colour": Colour.RED,
    }
    text = {
        "when": "2026-01-02T00:00:00Z",
        "day": "2026-01-02",
        "id": str(UUID(int=7)),
        "price": "1.50",
        "colour": "red",
    }
    assert loads(codec(Rich).encode_fields(python)) == loads(codec(Rich).encode_fields(text)) == text


@pytest.mark.parametrize(
    ("declared", "value", "body"),
    [
        (NewUser, NewUser(name="Ada"), b'{"name":"Ada","email":null,"age":7.0,"city":null}'),
        (NewUser, {"name": "Ada", "email": None}, b'{"name":"Ada","email":null}'),
        (list[City], [City(name="a"), {"name": "b"}], b'[{"name":"a"},{"name":"b"}]'),
        (int | None, None, b"null"),
    ],
)
def test_json_gives_the_body_as_it_is_written(declared, value, body):
    assert codec(declared).encode(value) == body


@pytest.mark.parametrize(
    ("declared", "fields", "places"),
    [
        (NewUser, {"name": 7}, [("name",)]),
        (NewUser, {}, [("name",)]),
        (NewUser, {"name": "Ada", "age": "7", "city": {"name": 7}}, [("age",), ("city", "name")]),
        (UserData, {"name": 7}, [("name",)]),
        (UserDict, {"name": 7}, [("name",)]),
        (dict[str, int], {"a": "1"}, [("a",)]),
        (list[int], {"a": 1}, [()]),
    ],
)
def test_what_does_not_fit_says_where(declared, fields, places):
    with pytest.raises(Mismatch) as caught:
        codec(declared).encode_fields(fields)
    assert [error["loc"] for error in caught.value.errors] == places


@pytest.mark.parametrize("declared", [NewUser, UserData, UserDict])
def test_unknown_fields_are_refused(declared):
    with pytest.raises(Mismatch, match=r"^nmae: unknown field$"):
        codec(declared).encode({"name": "Ada", "nmae": "Eve"})


@pytest.mark.parametrize("number", [NAN, float("inf"), -float("inf")])
@pytest.mark.parametrize(
    ("declared", "value", "place"),
    [
        (NewUser, lambda n: {"name": "Ada", "age": n}, "age: "),
        (dict[str, typing.Any], lambda n: {"a": [1.0, n]}, "a.1: "),
        (list[float], lambda n: [n], "0: "),
        (Open, lambda n: {"x": {"y": n}}, "x.y: "),
    ],
)
def test_nan_and_infinity_are_refused(declared, value, place, number):
    with pytest.raises(Mismatch, match=rf"^{place}NaN and Infinity have no JSON form"):
        codec(declared).encode(value(number))


def test_null_beside_numbers_is_no_nan():
    assert codec(dict[str, typing.Any]).encode({"a": None, "b": 1.5}) == b'{"a":null,"b":1.5}'


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_any_json_comes_back_or_is_refused(value):
    try:
        content = dumps(value)
    except ValueError:
        return
    assert loads(content) == value


@pytest.mark.parametrize("value", [NAN, {"a": [NAN]}, object(), {1: object()}, "\ud800", b"\xff"])
def test_what_has_no_json_form_is_refused(value):
    with pytest.raises(ValueError, match=r"."):
        dumps(value)


def test_nan_as_text_is_text():
    assert dumps({"NaN": "Infinity"}) == b'{"NaN":"Infinity"}'


def test_a_schema_checks_bodies_and_answers():
    made = schema(**CLOSED)
    assert made.encode_fields({"name": "Ada"}) == b'{"name":"Ada"}'
    with pytest.raises(Mismatch) as caught:
        made.encode({"name": 7})
    assert caught.value.errors[0]["loc"] == ("name",)
    with pytest.raises(Mismatch) as caught:
        made.decode(b"<html>")
    assert caught.value.is_not_json
    with pytest.raises(Mismatch, match="NaN and Infinity have no JSON form"):
        schema(type="object").encode({"a": NAN})


def test_a_schema_refers_to_the_sheets_own():
    ref = TypeRef("json_schema", {"$ref": "#/schemas/Name"}, definitions={"Name": {"type": "string"}})
    assert codec_for(ref).decode(b'"Ada"') == "Ada"
    with pytest.raises(Mismatch):
        codec_for(ref).decode(b"7")


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        (
            TypeRef("import", "no.such.module:User", "sheet.yaml:3"),
            "sheet.yaml:3: `no.such.module:User`: cannot import",
        ),
        (
            TypeRef("import", "json:NoSuch", "sheet.yaml:3"),
            "sheet.yaml:3: `json:NoSuch`: module 'json' has no 'NoSuch'",
        ),
        (TypeRef("import", "threading:Lock", "sheet.yaml:3"), "sheet.yaml:3: threading:Lock cannot be validated"),
        (TypeRef("json_schema", {"type": 7}, "sheet.yaml:3"), "sheet.yaml:3: not a JSON Schema"),
        *[
            (
                TypeRef("json_schema", {"properties": {"a": {"pattern": pattern}}}, "sheet.yaml:3"),
                "sheet.yaml:3: not a JSON Schema: a `pattern` cannot be read; patterns are read by Rust's regex, which never looks around",
            )
            for pattern in ("(?=.*a.*b.*c)x", "(?<!a)b", r"(a)\1")
        ],
    ],
)
def test_a_type_that_cannot_be_had_names_its_place(ref, message):
    with pytest.raises(SheetError) as caught:
        codec_for(ref)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("pattern", ["^(a+)+$", "a.*b.*c.*e", r"^\/x\-[^\s@[\]]+$", "(?:(?:[a-d]{1,50}){1,50}){1,4}x"])
def test_patterns_of_a_schema_take_linear_time(pattern):
    """Backtracking would take minutes."""
    with pytest.raises(Mismatch):
        codec_for(TypeRef("json_schema", {"type": "string", "pattern": pattern})).decode(
            b'"' + b"abcd" * 50_000 + b' "'
        )


def test_a_type_is_imported_by_its_name():
    assert codec_for(TypeRef("import", f"{__name__}:City")).decode(b'{"name":"Paris"}') == City(name="Paris")


class Standard(typing.TypedDict):
    name: str


def test_a_typed_dict_of_the_standard_library_is_read_or_its_substitute_named():
    """Pydantic cannot read it before Python 3.12."""
    old = pytest.raises(SheetError, match=r"typing_extensions\.TypedDict")
    with old if sys.version_info < (3, 12) else nullcontext():
        assert codec(Standard).fields == {"name"}


class Tagged(BaseModel):
    kind: Literal["card"] = "card"
    number: int


def test_a_model_given_whole_is_sent_with_its_defaults_and_plain_data_as_it_is():
    codec = codec_for(TypeRef("python", Tagged))
    assert codec.encode(Tagged(number=1)) == b'{"kind":"card","number":1}'
    assert codec.encode({"number": 1}) == b'{"number":1}'


@dataclasses.dataclass
class Priced:
    price: Decimal


PRICED = {
    "type": "object",
    "properties": {
        "price": {"type": "number", "minimum": 0},
        "count": {"type": "integer"},
        "label": {"type": "string"},
        "maybe": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "rows": {"type": "array", "items": {"type": "object", "properties": {"sums": {"items": {"type": "number"}}}}},
    },
}


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ({"price": Decimal("1.10")}, b'{"price":1.10}'),
        (Priced(Decimal("1.10")), b'{"price":1.10}'),
        ({"price": Decimal("1E+2")}, b'{"price":1E+2}'),
        ({"price": Decimal("0.1000000000000000055511151231257827")}, b'{"price":0.1000000000000000055511151231257827}'),
        ({"price": Decimal("12345678901234567890.10")}, b'{"price":12345678901234567890.10}'),
        ({"price": Decimal("0E-10"), "count": Decimal("12")}, b'{"price":0E-10,"count":12}'),
        ({"label": Decimal("1.10")}, b'{"label":"1.10"}'),
        ({"free": Decimal("1.10")}, b'{"free":"1.10"}'),
        (
            {"price": Decimal("1.10"), "label": Decimal("2.20"), "free": 1.5},
            b'{"price":1.10,"label":"2.20","free":1.5}',
        ),
        ({"maybe": Decimal("1.10")}, b'{"maybe":1.10}'),
        ({"rows": [{"sums": (Decimal("1.10"), 2)}]}, b'{"rows":[{"sums":[1.10,2]}]}'),
    ],
)
def test_a_decimal_keeps_its_digits_where_a_schema_wants_a_number(value, content):
    codec = schema(**PRICED)
    assert codec.encode(value) == codec.encode_fields(value) == content


def test_a_decimal_in_one_of_several_schemas_is_a_number():
    several = {"oneOf": [{"required": ["a"], "properties": {"a": {"type": "number"}}}, {"required": ["b"]}]}
    assert schema(**several).encode({"a": Decimal("1.10")}) == b'{"a":1.10}'


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"price": Decimal("-1.10")}, "price: "),
        ({"count": Decimal("1.5")}, "count: "),
        ({"price": Decimal("NaN")}, "no JSON form"),
        ({"price": Decimal("1E+400")}, "beyond what a 64-bit float can hold"),
        ({"price": Decimal("1.10"), "label": 7}, "label: "),
    ],
)
def test_a_decimal_that_does_not_fit_a_schema_is_refused(value, told):
    with pytest.raises(Mismatch, match=told):
        schema(**PRICED).encode(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**300), max_value=10**300))
def test_any_decimal_comes_back_with_all_its_digits(value):
    content = schema(type="number").encode(value)
    assert json.loads(content, parse_float=Decimal, parse_int=Decimal).compare_total(value) == 0
