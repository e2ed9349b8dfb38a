"""`auth`: one kind of credential."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from callsheet.secret import Secret
from callsheet.settings.settings import AuthSettings
from callsheet.sheet.forms.functions import Function
from callsheet.sheet.forms.header_text import TOKEN
from callsheet.sheet.forms.reading import JsonSchema, Reading, Spot, misfit
from callsheet.sheet.forms.record import Key, check_keys, mapping_schema, plain, read_keys
from callsheet.sheet.forms.scalars import Text, scalar
from callsheet.sheet.forms.secret_text import SecretText
from callsheet.sheet.forms.shorthand import is_off
from callsheet.sheet.tree.findings import Misfit, Noted, one_of
from callsheet.sheet.tree.node import MappingNode, Node, Scalar, is_null
from callsheet.sheet.words.jwt import JWT, ONE_KEY, JSONMapping, checked_jwt
from callsheet.sheet.words.oauth2 import OAUTH2, checked_oauth2

KINDS = ("bearer", "basic", "api_key", "jwt", "oauth2", "python")
FUNCTION = Function()
EXPECTED = '`off`, or a mapping with one kind such as `{bearer: "${TOKEN}"}`'
PLACES = ("header", "query", "cookie")


BASIC = (
    Key("username", SecretText(is_sent_plain=False, warns=False), is_required=True),
    Key("password", SecretText(is_sent_plain=False), is_required=True),
)
NAME = Text("a name of letters, digits and !#$%&'*+-.^_`|~", TOKEN.pattern)
API_KEY = (
    Key("header", NAME, "the header that carries the key"),
    Key("query", Text("the name of a query parameter"), "the query parameter that carries the key"),
    Key("cookie", NAME, "the cookie that carries the key"),
    Key("value", SecretText(), "the key itself, as `${NAME}`", is_required=True),
)


class AuthForm:
    """`off`, or a mapping with one kind."""

    def read(self, node: Node, spot: Spot, reading: Reading) -> AuthSettings | None:
        """The credential; None for `off`."""
        if isinstance(node, Scalar) and not isinstance(node.value, Secret):
            if is_off(scalar(node, spot, reading, EXPECTED)):
                return None
            raise misfit(node, spot, EXPECTED)
        if not isinstance(node, MappingNode):
            raise misfit(node, spot, EXPECTED)
        if node.get("python") is not None:
            return AuthSettings("python", _python(node, spot, reading))
        check_keys(node, KIND_KEYS, "auth", spot, reading.findings)
        chosen = [(key, value) for key, value in node.entries if not is_null(value)]
        if len(chosen) != 1:
            raise Misfit(node.place, f"{spot}: expected one kind, found {len(chosen)}", f"write one of {one_of(KINDS)}")
        key, value = chosen[0]
        read = READERS.get(key.text)
        if read is None:
            raise Noted(key.place)
        return AuthSettings(key.text, read(value, spot.under(key.text), reading))

    def schema(self) -> JsonSchema:
        """The same in JSON Schema terms."""
        kinds = mapping_schema(KIND_KEYS)
        # Beside `python` stand the options of the function, under names of its own.
        python = {"type": "object", "properties": {"python": FUNCTION.schema()}, "required": ["python"]}
        return {"anyOf": [{"enum": ["off", False]}, {**kinds, "minProperties": 1, "maxProperties": 1}, python]}


def _bearer(node: Node, spot: Spot, reading: Reading) -> Mapping[str, Any]:
    return {"token": SecretText().read(node, spot, reading)}


def _basic(node: Node, spot: Spot, reading: Reading) -> Mapping[str, Any]:
    options = _options(BASIC, node, spot, reading)
    username = options["username"]
    assert isinstance(node, MappingNode)
    if not username.is_asked and ":" in username.reveal():
        place = (node.get("username") or node).place
        raise Misfit(place, f"{spot.under('username')}: a `:`, which ends the user name (RFC 7617 2)", "remove it")
    return options


def _api_key(node: Node, spot: Spot, reading: Reading) -> Mapping[str, Any]:
    options = _options(API_KEY, node, spot, reading)
    if sum(place in options for place in PLACES) != 1:
        raise Misfit(node.place, f"{spot}: expected one of {one_of(PLACES)}", "write `{header: X-API-Key, value: ...}`")
    return options


def _jwt(node: Node, spot: Spot, reading: Reading) -> Mapping[str, Any]:
    options = _options(JWT, node, spot, reading)
    assert isinstance(node, MappingNode)
    return checked_jwt(options, node, spot, reading)


def _oauth2(node: Node, spot: Spot, reading: Reading) -> Mapping[str, Any]:
    options = _options(OAUTH2, node, spot, reading)
    assert isinstance(node, MappingNode)
    return checked_oauth2(options, node, spot, reading)


def _python(node: MappingNode, spot: Spot, reading: Reading) -> Mapping[str, Any]:
    """The function and its options: any JSON values, a secret where they come through `${...}`."""
    function = node.get("python")
    assert function is not None
    rest = tuple((key, value) for key, value in node.entries if key.value != "python")
    options = dict(JSONMapping().read(MappingNode(rest, node.place), spot, reading))
    named = FUNCTION.read(function, spot.under("python"), reading)
    return {"python": named, "options": options, "where": str(function.place)}


def _options(keys: tuple[Key, ...], node: Node, spot: Spot, reading: Reading) -> dict[str, Any]:
    names = [key.name for key in keys]
    if not isinstance(node, MappingNode):
        raise misfit(node, spot, f"a mapping of {', '.join(names)}")
    check_keys(node, keys, spot.path.rpartition(".")[2], spot, reading.findings)
    options = plain(read_keys(node, keys, spot, reading))
    for key in keys:
        value = node.get(key.name)
        if key.is_required and (value is None or is_null(value)):
            reading.findings.add(
                Misfit(
                    node.place,
                    f"{spot}: `{key.name}` is missing",
                    f"write it beside {one_of(n for n in names if n != key.name)}",
                )
            )
    if any(key.is_required and key.name not in options for key in keys):
        raise Noted(node.place)
    return options


class _Kind:
    """The form of one kind, for the JSON Schema; AuthForm does the reading."""

    def __init__(self, schema: JsonSchema) -> None:
        self._schema = schema

    def read(self, node: Node, spot: Spot, reading: Reading) -> Any:
        """The options of this kind."""
        return READERS[spot.path.rpartition(".")[2]](node, spot, reading)

    def schema(self) -> JsonSchema:
        """The same in JSON Schema terms."""
        return self._schema


READERS: dict[str, Callable[[Node, Spot, Reading], Mapping[str, Any]]] = {
    "bearer": _bearer,
    "basic": _basic,
    "api_key": _api_key,
    "jwt": _jwt,
    "oauth2": _oauth2,
}
KIND_KEYS = (
    Key("bearer", _Kind(SecretText().schema()), "a token, as `${NAME}`"),
    Key("basic", _Kind(mapping_schema(BASIC)), "user name and password"),
    Key("api_key", _Kind(mapping_schema(API_KEY)), "a key in a header, query parameter or cookie"),
    Key("jwt", _Kind({**mapping_schema(JWT), **ONE_KEY}), "a token that is signed here, anew before it expires"),
    Key("oauth2", _Kind(mapping_schema(OAUTH2)), "a token that a provider gives, fetched ahead of its end"),
)
