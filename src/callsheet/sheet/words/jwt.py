"""`auth: {jwt: ...}`: the forms of its values, and the check that the key fits the algorithm."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from callsheet.auth.jwt_keys import ALGORITHMS, Unfit, family, signing_key
from callsheet.errors import UsageError
from callsheet.secret import Secret
from callsheet.sheet.forms.header_text import TOKEN, key_text
from callsheet.sheet.forms.quantities import seconds
from callsheet.sheet.forms.reading import FormOf, JsonSchema, Reading, Spot, misfit
from callsheet.sheet.forms.record import Key
from callsheet.sheet.forms.scalars import DURATION, Choice, Quantity, Text, scalar
from callsheet.sheet.forms.secret_text import SECRET_KEY
from callsheet.sheet.tree.findings import Misfit, Noted
from callsheet.sheet.tree.node import ListNode, MappingNode, Node, Scalar, is_null

NAME = Text("a name of letters, digits and !#$%&'*+-.^_`|~", TOKEN.pattern)
SCHEME = Text("a word, or an empty text", f"({TOKEN.pattern})?", may_be_empty=True)
DEFAULTS: Mapping[str, Any] = {"algorithm": "HS256", "expires": 3600.0, "header": "Authorization", "scheme": "Bearer"}
SHORTEST_LIFE = 10.0
"""Seconds. The times in a JWT are whole seconds, and clocks differ: a token of a shorter life could expire on its way."""
MADE_BY_US = {
    "iss": "write `issuer` beside `claims`",
    "sub": "write `subject` beside `claims`",
    "aud": "write `audience` beside `claims`",
    "exp": "write `expires` beside `claims`",
    "iat": "leave it out: it is when the token is made",
    "nbf": "leave it out: it is when the token is made",
    "jti": "leave it out: each token has its own",
}


def _life(written: object) -> float | None:
    life = seconds(written)
    return life if life is not None and life >= SHORTEST_LIFE else None


LIFE = Quantity(_life, "a duration from 10s to 366 days, such as `1h` or a number of seconds",
                DURATION.pattern, {"type": "number", "minimum": SHORTEST_LIFE}, spell=DURATION.spell)  # fmt: skip


def told_text(node: Node, spot: Spot, reading: Reading) -> str | Secret:
    """Read a text that is sent to a service; a secret if it comes through `${...}`. A whole number is taken as text."""
    if isinstance(node, Scalar) and isinstance(node.value, Secret):
        return node.value
    filled = scalar(node, spot, reading, "a text")
    is_text = isinstance(filled.value, str | int) and not isinstance(filled.value, bool)
    if not filled.text or not (is_text or filled.through):
        raise misfit(filled, spot, "a text")
    assert isinstance(node, Scalar)
    return reading.secret(node, spot) if filled.through else filled.text


TOLD_TEXT = FormOf(told_text, {"type": ["string", "integer"]})


def _audience(node: Node, spot: Spot, reading: Reading) -> Any:
    if not isinstance(node, ListNode):
        return told_text(node, spot, reading)
    if not node.items:
        raise misfit(node, spot, "a text, or a list of texts")
    return [told_text(item, spot, reading) for item in node.items]


_TEXTS = {"type": "array", "items": TOLD_TEXT.schema(), "minItems": 1}
_AUDIENCE = FormOf(_audience, {"anyOf": [TOLD_TEXT.schema(), _TEXTS]})


def json_mapping(node: Node, spot: Spot, reading: Reading) -> Mapping[str, Any]:
    """Read a mapping from name to any JSON value; a value that comes through `${...}` is a secret text."""
    if not isinstance(node, MappingNode):
        raise misfit(node, spot, "a mapping from name to value")
    return MappingProxyType(_mapping(node, spot, reading))


def _mapping(node: MappingNode, spot: Spot, reading: Reading) -> dict[str, Any]:
    return {
        key_text(key, spot): _value(value, spot.under(key.text), reading)
        for key, value in node.entries
        if not is_null(value)
    }


def _value(node: Node, spot: Spot, reading: Reading) -> Any:
    if isinstance(node, MappingNode):
        return _mapping(node, spot, reading)
    if isinstance(node, ListNode):
        return [_value(item, spot, reading) for item in node.items]
    if isinstance(node, Scalar) and isinstance(node.value, Secret):
        return node.value
    expected = "a JSON value: a text, a number, true, false, null, a list or a mapping"
    filled = scalar(node, spot, reading, expected)
    if filled.through and isinstance(node, Scalar):
        return reading.secret(node, spot)
    value = filled.value
    if not isinstance(value, str | int | float | None) or (isinstance(value, float) and not math.isfinite(value)):
        raise misfit(filled, spot, expected)
    return value


def _claims(node: Node, spot: Spot, reading: Reading) -> Mapping[str, Any]:
    """Name -> value. Raises Misfit for a claim that Callsheet sets."""
    for key, value in node.entries if isinstance(node, MappingNode) else ():
        if key.value in MADE_BY_US and not is_null(value):
            raise Misfit(key.place, f"{spot}: `{key.text}` is set by Callsheet", MADE_BY_US[key.text])
    return json_mapping(node, spot, reading)


_CLAIMS = FormOf(_claims, {"type": "object", "propertyNames": {"not": {"enum": list(MADE_BY_US)}}})
JWT = (
    Key("secret", SECRET_KEY, "the shared secret of HS256, HS384 and HS512, as `${NAME}`"),
    Key("key", SECRET_KEY, "the private key in PEM, as `${NAME}` or `${file:PATH}`"),
    Key("algorithm", Choice(ALGORITHMS), "how it is signed; HS256 unless written"),
    Key("issuer", TOLD_TEXT, "the claim `iss`"),
    Key("subject", TOLD_TEXT, "the claim `sub`"),
    Key("audience", _AUDIENCE, "the claim `aud`: one, or a list"),
    Key("expires", LIFE, "how long a token is valid; 1h unless written"),
    Key("claims", _CLAIMS, "claims of your own"),
    Key("key_id", TOLD_TEXT, "the header parameter `kid`: which of your keys signed it"),
    Key("header", NAME, "the header that carries the token; Authorization unless written"),
    Key("scheme", SCHEME, 'the word before the token; Bearer unless written, `""` for none'),
)
ONE_KEY: JsonSchema = {"oneOf": [{"required": ["secret"]}, {"required": ["key"]}]}


def checked_jwt(options: Mapping[str, Any], node: MappingNode, spot: Spot, reading: Reading) -> Mapping[str, Any]:
    """The options with their defaults. Raises Misfit for a key that does not fit the algorithm."""
    written = {key.text for key, value in node.entries if not is_null(value)}
    if any(name in written and name not in options for name in ("secret", "key", "algorithm")):
        raise Noted(node.place)
    options = {**options, **{name: value for name, value in DEFAULTS.items() if name not in options}}
    algorithm = options["algorithm"]
    given = [name for name in ("secret", "key") if name in options]
    if len(given) != 1:
        found = "both" if given else "none"
        hint = "HS256, HS384 and HS512 sign with a `secret`, the others with a private `key` in PEM"
        raise Misfit(node.place, f"{spot}: expected one of `secret` or `key`, found {found}", hint)
    wanted = "secret" if family(algorithm) == "HMAC" else "key"
    (name,) = given
    value = node.get(name) or node
    if name != wanted:
        signs = "a shared secret" if wanted == "secret" else "a private key"
        others = "HS256" if name == "secret" else "RS256"
        hint = f"write `{wanted}` instead, or an `algorithm` such as {others}"
        raise Misfit(value.place, f"{spot.under(name)}: {algorithm} signs with {signs}", hint)
    _check_key(algorithm, options[name], value, spot.under(name), reading)
    return options


def _check_key(algorithm: str, key: Secret, node: Node, spot: Spot, reading: Reading) -> None:
    if key.is_asked:
        return
    try:
        found = signing_key(algorithm, key)
    except UsageError as error:
        message, _, hint = str(error).rpartition(": ")
        raise Misfit(node.place, f"{spot}: {message}", hint) from None
    refuse_unfit(found, node, spot, reading)


def refuse_unfit(key: Any, node: Node, spot: Spot, reading: Reading) -> None:
    """Raise Misfit for a key that is Unfit, unless it is one of an outline: its variable may have no value there."""
    if isinstance(key, Unfit):
        wrong = Misfit(node.place, f"{spot}: {key.message}", key.hint)
        if not reading.findings.overlooks(wrong):
            raise wrong
