"""`auth`: one kind of credential."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from callsheet.secret import Secret
from callsheet.settings.settings import AuthSettings
from callsheet.sheet.constants import TOKEN, check_line, checked_line, checked_secret
from callsheet.sheet.findings import Misfit, Noted, one_of
from callsheet.sheet.jwt import ALGORITHMS, LIFE, Audience, Claims, Told, checked_jwt
from callsheet.sheet.node import MappingNode, Node, Scalar, is_null
from callsheet.sheet.policies import is_off
from callsheet.sheet.reading import JsonSchema, Reading, Spot, misfit
from callsheet.sheet.record import Key, check_keys, mapping_schema, plain, read_keys
from callsheet.sheet.scalars import Choice, Text, scalar

KINDS = ("bearer", "basic", "api_key", "jwt")
LATER = ("oauth2", "python")
EXPECTED = '`off`, or a mapping with one kind such as `{bearer: "${TOKEN}"}`'
PLACES = ("header", "query", "cookie")


class SecretText:
    """A text that becomes a secret."""

    def __init__(self, *, is_sent_plain: bool = True, is_line: bool = True, warns: bool = True) -> None:
        self.is_sent_plain = is_sent_plain
        self.is_line = is_line
        self.warns = warns

    def read(self, node: Node, spot: Spot, reading: Reading) -> Secret:
        """The text as a secret."""
        if not isinstance(node, Scalar):
            raise misfit(node, spot, "a text")
        if not self.warns and isinstance(node.value, str) and "${" not in node.text and node.text:
            check_line(node.text, node, spot)
            return Secret(node.text)
        secret = reading.secret(node, spot)
        if not secret.is_asked and not secret.reveal():
            raise misfit(node, spot, "a text that is not empty", "write `${NAME}` and set the variable")
        if self.is_sent_plain:
            return checked_secret(secret, node, spot)
        return checked_line(secret, node, spot) if self.is_line else secret

    def schema(self) -> JsonSchema:
        """The same in JSON Schema terms."""
        return {"type": ["string", "number"]}


BASIC = (
    Key("username", SecretText(is_sent_plain=False, warns=False), is_required=True),
    Key("password", SecretText(is_sent_plain=False), is_required=True),
)
NAME = Text("a name of letters, digits and !#$%&'*+-.^_`|~", TOKEN.pattern)
SCHEME = Text("a word, or an empty text", f"({TOKEN.pattern})?", may_be_empty=True)
API_KEY = (
    Key("header", NAME, "the header that carries the key"),
    Key("query", Text("the name of a query parameter"), "the query parameter that carries the key"),
    Key("cookie", NAME, "the cookie that carries the key"),
    Key("value", SecretText(), "the key itself, as `${NAME}`", is_required=True),
)
JWT = (
    Key(
        "secret",
        SecretText(is_sent_plain=False, is_line=False),
        "the shared secret of HS256, HS384 and HS512, as `${NAME}`",
    ),
    Key(
        "key", SecretText(is_sent_plain=False, is_line=False), "the private key in PEM, as `${NAME}` or `${file:PATH}`"
    ),
    Key("algorithm", Choice(ALGORITHMS), "how it is signed; HS256 unless written"),
    Key("issuer", Told(), "the claim `iss`"),
    Key("subject", Told(), "the claim `sub`"),
    Key("audience", Audience(), "the claim `aud`: one, or a list"),
    Key("expires", LIFE, "how long a token is valid; 1h unless written"),
    Key("claims", Claims(), "claims of your own"),
    Key("key_id", Told(), "the header parameter `kid`: which of your keys signed it"),
    Key("header", NAME, "the header that carries the token; Authorization unless written"),
    Key("scheme", SCHEME, 'the word before the token; Bearer unless written, `""` for none'),
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
        return {"anyOf": [{"enum": ["off", False]}, {**kinds, "minProperties": 1}]}


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


ONE_KEY: JsonSchema = {"oneOf": [{"required": ["secret"]}, {"required": ["key"]}]}
READERS: dict[str, Callable[[Node, Spot, Reading], Mapping[str, Any]]] = {
    "bearer": _bearer,
    "basic": _basic,
    "api_key": _api_key,
    "jwt": _jwt,
}
KIND_KEYS = (
    Key("bearer", _Kind(SecretText().schema()), "a token, as `${NAME}`"),
    Key("basic", _Kind(mapping_schema(BASIC)), "user name and password"),
    Key("api_key", _Kind(mapping_schema(API_KEY)), "a key in a header, query parameter or cookie"),
    Key("jwt", _Kind({**mapping_schema(JWT), **ONE_KEY}), "a token that is signed here, anew before it expires"),
    *(Key(name) for name in LATER),
)
