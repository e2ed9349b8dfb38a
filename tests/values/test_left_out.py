"""Left out is not sent, and None is null: at every depth, for every kind of type, by field and whole."""

import dataclasses
from typing import NotRequired

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, RootModel
from typing_extensions import TypedDict

from callsheet.http.json import dumps, loads
from callsheet.unset import UNSET, Unset
from callsheet.values.codec import codec_for
from callsheet.values.mismatch import Mismatch
from callsheet.values.typeref import TypeRef


class City(BaseModel):
    name: str
    zip: str | None = None


class User(BaseModel):
    name: str = "?"
    note: str | None = None
    size: int = 7
    city: City | None = None
    cities: list[City] = []


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    full_name: str | None = Field(None, alias="fullName")
    nick: str | None = Field(None, validation_alias=AliasChoices("nick", "nickName"))
    home: City | None = Field(None, alias="homeTown")


class Required(BaseModel):
    note: str | None


@dataclasses.dataclass
class Pair:
    a: str
    b: str | None = None
    c: int = 7
    pair: "Pair | None" = None
    fixed: int = dataclasses.field(default=1, init=False)


class Typed(TypedDict):
    a: str
    b: NotRequired[str | None]


class Listed(RootModel[list[City]]):
    pass


def codec(declared, **options):
    return codec_for(TypeRef("python", declared), **options)


@pytest.mark.parametrize(
    ("declared", "fields", "sent"),
    [
        (User, {"name": "Ada"}, {"name": "Ada", "size": 7, "cities": []}),
        (User, {"name": "Ada", "note": None}, {"name": "Ada", "note": None, "size": 7, "cities": []}),
        (User, {"city": {"name": "P"}}, {"name": "?", "size": 7, "city": {"name": "P"}, "cities": []}),
        (User, {"city": {"name": "P", "zip": None}, "cities": [{"name": "Q"}, {"name": "R", "zip": None}]},
         {"name": "?", "size": 7, "city": {"name": "P", "zip": None}, "cities": [{"name": "Q"}, {"name": "R", "zip": None}]}),
        (User, {"city": City(name="P")}, {"name": "?", "size": 7, "city": {"name": "P", "zip": None}, "cities": []}),
        (Required, {"note": None}, {"note": None}),
        (Aliased, {"fullName": None, "homeTown": {"name": "P"}}, {"fullName": None, "homeTown": {"name": "P"}}),
        (Aliased, {"full_name": None, "home": {"name": "P", "zip": None}}, {"fullName": None, "homeTown": {"name": "P", "zip": None}}),
        (Aliased, {"nick": None}, {"nick": None}),
        (Pair, {"a": "x"}, {"a": "x", "c": 7, "fixed": 1}),
        (Pair, {"a": "x", "b": None}, {"a": "x", "b": None, "c": 7, "fixed": 1}),
        (Pair, {"a": "x", "pair": {"a": "y"}}, {"a": "x", "c": 7, "pair": {"a": "y", "c": 7, "fixed": 1}, "fixed": 1}),
        (Typed, {"a": "x"}, {"a": "x"}),
        (Typed, {"a": "x", "b": None}, {"a": "x", "b": None}),
        (dict[str, int | None], {"a": None, "b": 1}, {"a": None, "b": 1}),
        (dict[str, City], {"a": {"name": "P"}}, {"a": {"name": "P"}}),
    ],
)  # fmt: skip
def test_fields(declared, fields, sent):
    assert loads(codec(declared).encode_fields(fields)) == sent


@pytest.mark.parametrize(
    ("declared", "value", "sent"),
    [
        (User, {"name": "Ada", "note": None}, {"name": "Ada", "note": None}),
        (User, User(name="Ada"), {"name": "Ada", "note": None, "size": 7, "city": None, "cities": []}),
        (User, {"city": City(name="P"), "cities": [City(name="Q"), {"name": "R"}]},
         {"city": {"name": "P", "zip": None}, "cities": [{"name": "Q", "zip": None}, {"name": "R"}]}),
        (list[City], [City(name="P"), {"name": "Q"}], [{"name": "P", "zip": None}, {"name": "Q"}]),
        (list[Pair], [Pair("x"), {"a": "y"}],
         [{"a": "x", "b": None, "c": 7, "pair": None, "fixed": 1}, {"a": "y", "fixed": 1}]),
        (Listed, [{"name": "P"}, {"name": "Q", "zip": None}], [{"name": "P"}, {"name": "Q", "zip": None}]),
        (dict[str, City], {"a": {"name": "P"}, "b": City(name="Q")}, {"a": {"name": "P"}, "b": {"name": "Q", "zip": None}}),
    ],
)  # fmt: skip
def test_a_whole_body_is_what_the_mapping_has_or_all_of_the_model(declared, value, sent):
    assert loads(codec(declared).encode(value)) == sent


@pytest.mark.parametrize(
    ("declared", "value", "sent"),
    [
        (User, User(note=None), {"note": None}),
        (User, User(city=City(name="P")), {"city": {"name": "P"}}),
        (User, {"name": "Ada"}, {"name": "Ada"}),
        (Aliased, Aliased(full_name=None), {"fullName": None}),
        (list[City], [City(name="P"), City(name="Q", zip=None)], [{"name": "P"}, {"name": "Q", "zip": None}]),
        (Pair, {"a": "x"}, {"a": "x", "fixed": 1}),
        (Pair, Pair("x"), {"a": "x", "b": None, "c": 7, "pair": None, "fixed": 1}),
        (dict[str, object], User(name="Ada"), {"name": "Ada"}),
    ],
)
def test_the_body_of_a_patch_is_what_was_set(declared, value, sent):
    assert loads(codec(declared, exclude_unset=True).encode(value)) == sent


def test_the_fields_of_a_patch_bring_no_defaults_with_them():
    assert loads(codec(User, exclude_unset=True).encode_fields({"note": None})) == {"note": None}
    assert loads(codec(Pair, exclude_unset=True).encode_fields({"a": "x"})) == {"a": "x", "fixed": 1}


@pytest.mark.parametrize(
    ("declared", "fields"),
    [
        (User, {"name": None}),
        (User, {"city": {"name": None}}),
        (Pair, {"a": None}),
        (Typed, {"a": None}),
        (dict[str, int], {"a": None}),
    ],
)
def test_none_where_the_type_has_no_null_is_refused(declared, fields):
    with pytest.raises(Mismatch):
        codec(declared).encode_fields(fields)


def schema(**note):
    return codec_for(
        TypeRef("json_schema", {"type": "object", "properties": {"note": note}}, definitions={"N": {"nullable": True}})
    )


@pytest.mark.parametrize(
    "note",
    [
        {"type": ["string", "null"]},
        {"type": "string", "nullable": True},
        {"type": "string", "enum": ["a"], "nullable": True},
        {"nullable": True, "allOf": [{"type": "string"}]},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"$ref": "#/schemas/N"},
        {},
    ],
)
def test_a_json_schema_with_null(note):
    assert schema(**note).encode_fields({"note": None}) == b'{"note":null}'
    assert schema(**note).encode_fields({"note": "a"}) == b'{"note":"a"}'


@pytest.mark.parametrize(
    "note", [{"type": "string"}, {"type": "string", "nullable": False}, {"const": {"nullable": True}}]
)
def test_a_json_schema_without_null(note):
    with pytest.raises(Mismatch):
        schema(**note).encode_fields({"note": None})


def test_a_property_may_be_called_nullable():
    terms = {"type": "object", "properties": {"nullable": {"type": "boolean"}}}
    made = codec_for(TypeRef("json_schema", terms))
    assert made.encode_fields({"nullable": True}) == b'{"nullable":true}'
    with pytest.raises(Mismatch):
        made.encode_fields({"nullable": None})


def test_unset_among_plain_data_is_left_out():
    assert schema().encode({"note": UNSET, "more": [1, UNSET, {"x": UNSET}]}) == b'{"more":[1,{}]}'


class Optional(BaseModel):
    model_config = ConfigDict(extra="allow")

    note: str | Unset | None = UNSET
    inner: "list[Optional]" = []


@dataclasses.dataclass
class Record:
    note: str | Unset | None = UNSET
    city: City | Unset = UNSET


class Root(RootModel[list[Optional]]):
    pass


@pytest.mark.parametrize(
    ("declared", "value", "sent"),
    [
        (Optional, Optional(), {"inner": []}),
        (Optional, Optional(note=UNSET, more=UNSET, inner=[Optional(), Optional(note=None)]), {"inner": [{"inner": []}, {"note": None, "inner": []}]}),
        (Optional, {"inner": [{"note": UNSET}, Optional()]}, {"inner": [{}, {"inner": []}]}),
        (Root, Root([Optional(), Optional(note="a")]), [{"inner": []}, {"note": "a", "inner": []}]),
        (Record, Record(city=City(name="P")), {"city": {"name": "P", "zip": None}}),
        (list[Record], [Record(), {"note": UNSET}, Record("a")], [{}, {}, {"note": "a"}]),
        (dict[str, object], {"a": Record(), "b": [Optional(), UNSET], "c": (UNSET, 1)}, {"a": {}, "b": [{"inner": []}], "c": [1]}),
    ],
)  # fmt: skip
def test_unset_inside_models_and_dataclasses_is_left_out(declared, value, sent):
    assert loads(codec(declared).encode(value)) == sent


def test_so_are_defaults_that_are_unset_where_fields_are_given():
    assert codec(Optional).encode_fields({"inner": [{"note": None}]}) == b'{"inner":[{"note":null,"inner":[]}]}'
    assert codec(Record).encode_fields({"note": None}) == b'{"note":null}'
    assert codec(Record).encode_fields({}) == b"{}"
    assert (
        codec(Optional, exclude_unset=True).encode(Optional(note=UNSET, inner=[Optional(note=UNSET)]))
        == b'{"inner":[{}]}'
    )


@pytest.mark.parametrize("value", [Optional(), Record(), {"a": [Record(), UNSET]}])
def test_so_is_what_is_undeclared(value):
    assert b"note" not in dumps(value)


def test_data_that_hold_themselves_have_no_json_form():
    endless = [UNSET]
    endless.append(endless)
    with pytest.raises(ValueError, match=r"Unable to serialize|Circular"):
        dumps(endless)
