"""`auth`: one kind of credential."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from callsheet.secret import Secret
from callsheet.settings.settings import AuthSettings
from callsheet.sheet.forms.functions import FUNCTION
from callsheet.sheet.forms.one_kind import OneKind
from callsheet.sheet.forms.reading import FormOf, Reading, Spot, misfit
from callsheet.sheet.forms.record import Key, mapping_schema, read_options
from callsheet.sheet.forms.scalars import Text
from callsheet.sheet.forms.secret_text import SECRET_TEXT, SecretText
from callsheet.sheet.tree.findings import Misfit, one_of
from callsheet.sheet.tree.node import MappingNode, Node, is_null
from callsheet.sheet.words.jwt import JWT, NAME, ONE_KEY, checked_jwt, json_mapping
from callsheet.sheet.words.oauth2 import OAUTH2, checked_oauth2

KINDS = ("bearer", "basic", "api_key", "jwt", "oauth2", "python")
EXPECTED = '`off`, or a mapping with one kind such as `{bearer: "${TOKEN}"}`'
PLACES = ("header", "query", "cookie")


BASIC = (
    Key("username", SecretText(is_sent_plain=False, warns=False, may_be_empty=True), is_required=True),
    Key("password", SecretText(is_sent_plain=False, may_be_empty=True), "left out: an empty one"),
)
API_KEY = (
    Key("header", NAME, "the header that carries the key"),
    Key("query", Text("the name of a query parameter"), "the query parameter that carries the key"),
    Key("cookie", NAME, "the cookie that carries the key"),
    Key("value", SecretText(), "the key itself, as `${NAME}`", is_required=True),
)


def _auth(node: Node, spot: Spot, reading: Reading) -> AuthSettings | None:
    if isinstance(node, MappingNode) and node.get("python") is not None:
        return AuthSettings("python", _python(node, spot, reading))
    kind = ONE_KIND.chosen(node, spot, reading)
    if kind is None:
        return None
    key, value = kind
    return AuthSettings(key.text, READERS[key.text](value, spot.under(key.text), reading))


def _bearer(node: Node, spot: Spot, reading: Reading) -> Mapping[str, Any]:
    return {"token": SecretText().read(node, spot, reading)}


def _basic(node: Node, spot: Spot, reading: Reading) -> Mapping[str, Any]:
    options = read_options(node, BASIC, "basic", spot, reading)
    username, password = options["username"], options.setdefault("password", Secret(""))
    assert isinstance(node, MappingNode)
    given, named = node.get("password"), node.get("username")
    if given is not None and is_null(given):
        raise misfit(given, spot.under("password"), 'a text, `""` for an empty password')
    if not password.is_asked and not password.reveal() and named is not None:
        # The user name is the credential, an API key: it is refused if it is empty, too, and warned of if it is written out.
        SECRET_TEXT.read(named, spot.under("username"), reading)
    if not username.is_asked and ":" in username.reveal():
        place = (node.get("username") or node).place
        raise Misfit(place, f"{spot.under('username')}: a `:`, which ends the user name (RFC 7617 2)", "remove it")
    return options


def _api_key(node: Node, spot: Spot, reading: Reading) -> Mapping[str, Any]:
    options = read_options(node, API_KEY, "api_key", spot, reading)
    if sum(place in options for place in PLACES) != 1:
        raise Misfit(node.place, f"{spot}: expected one of {one_of(PLACES)}", "write `{header: X-API-Key, value: ...}`")
    return options


def _jwt(node: Node, spot: Spot, reading: Reading) -> Mapping[str, Any]:
    options = read_options(node, JWT, "jwt", spot, reading)
    assert isinstance(node, MappingNode)
    return checked_jwt(options, node, spot, reading)


def _oauth2(node: Node, spot: Spot, reading: Reading) -> Mapping[str, Any]:
    options = read_options(node, OAUTH2, "oauth2", spot, reading)
    assert isinstance(node, MappingNode)
    return checked_oauth2(options, node, spot, reading)


def _python(node: MappingNode, spot: Spot, reading: Reading) -> Mapping[str, Any]:
    """The function, whose credential it gives, and its options: any JSON values; one that comes through `${...}` is a secret."""
    function = node.get("python")
    assert function is not None
    rest = tuple((key, value) for key, value in node.entries if key.value != "python")
    options = dict(json_mapping(MappingNode(rest, node.place), spot, reading))
    named = FUNCTION.read(function, spot.under("python"), reading)
    read = {"python": named, "options": options, "where": str(function.place)}
    identity = options.pop("identity", None)
    if identity is None:
        return read
    if not isinstance(identity, str | Secret):
        written = node.get("identity")
        raise misfit(written or node, spot.under("identity"), "a text that says whose credential the function gives")
    return read | {"identity": identity}


READERS: dict[str, Callable[[Node, Spot, Reading], Mapping[str, Any]]] = {
    "bearer": _bearer,
    "basic": _basic,
    "api_key": _api_key,
    "jwt": _jwt,
    "oauth2": _oauth2,
}
KIND_KEYS = (
    Key("bearer", FormOf(_bearer, SecretText().schema()), "a token, as `${NAME}`"),
    Key("basic", FormOf(_basic, mapping_schema(BASIC)), "user name and password"),
    Key("api_key", FormOf(_api_key, mapping_schema(API_KEY)), "a key in a header, query parameter or cookie"),
    Key("jwt", FormOf(_jwt, {**mapping_schema(JWT), **ONE_KEY}), "a token that is signed here, anew before it expires"),
    Key("oauth2", FormOf(_oauth2, mapping_schema(OAUTH2)), "a token that a provider gives, fetched ahead of its end"),
)
ONE_KIND = OneKind(KIND_KEYS, KINDS, "auth", EXPECTED)
# Beside `python` stand the options of the function, whose names no schema knows.
_PYTHON = {"type": "object", "properties": {"python": FUNCTION.schema()}, "required": ["python"]}
_KINDS = {**mapping_schema(KIND_KEYS), "minProperties": 1, "maxProperties": 1}
AUTH = FormOf(_auth, {"anyOf": [{"enum": ["off", False]}, _KINDS, _PYTHON]})
