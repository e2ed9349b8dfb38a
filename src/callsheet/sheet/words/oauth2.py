"""`auth: {oauth2: ...}`: the forms of its values, and which of them go together (RFC 6749, RFC 7521, RFC 7523, RFC 8705)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from callsheet import settings
from callsheet.sheet.forms.reading import FormOf, Reading, Spot, misfit
from callsheet.sheet.forms.record import Key, Written, mapping_schema, plain, read_options
from callsheet.sheet.forms.scalars import Choice, Text
from callsheet.sheet.forms.secret_text import SECRET_TEXT
from callsheet.sheet.tree.findings import Misfit, Noted, one_of
from callsheet.sheet.tree.node import ListNode, MappingNode, Node, Scalar, is_null
from callsheet.sheet.words.addresses import is_loopback, refuse, wrong_with_url
from callsheet.sheet.words.jwt import JWT, ONE_KEY, TOLD_TEXT, checked_jwt, told_text
from callsheet.sheet.words.tls import TLS, check_written_tls

GRANTS = ("client_credentials", "refresh_token", "jwt_bearer")
CLIENT_AUTH = ("basic", "body", "private_key_jwt", "tls", "none")
EXPECTED = "an https URL such as `https://login.example.com/oauth2/token`"
LIFE_OF_ASSERTION = 300.0
"""Seconds: an assertion is used at once."""
SCOPE = Text('a scope: printable ASCII without a space, `"` or `\\`', r"[\x21\x23-\x5b\x5d-\x7e]+")
OWN_PARAMS = frozenset(
    {"grant_type", "scope", "audience", "client_id", "client_secret", "refresh_token", "assertion", "client_assertion"}
)


def _token_url(node: Node, spot: Spot, reading: Reading) -> str:
    """The URL of the token endpoint: https, or http on this machine."""
    text = Text(EXPECTED).read(node, spot, reading)
    refuse(wrong_with_url(text.partition("?")[0]), node, spot)
    url = urlsplit(text)
    if url.fragment or "#" in text:
        raise Misfit(node.place, f"{spot}: a fragment is never sent", "remove it")
    if url.scheme == "http" and not is_loopback(url.hostname or ""):
        hint = "write https: the client's secret is sent there"
        raise Misfit(node.place, f"{spot}: expected {EXPECTED}, found http", hint)
    return text


def _scopes(node: Node, spot: Spot, reading: Reading) -> tuple[str, ...]:
    """The scopes in a list, or in one text with spaces between them (RFC 6749 3.3)."""
    if isinstance(node, ListNode):
        return tuple(SCOPE.read(item, spot, reading) for item in node.items)
    text = Text("a list of scopes, or one text with spaces between them").read(node, spot, reading)
    return tuple(SCOPE.read(Scalar(word, word, node.place), spot, reading) for word in text.split(" ") if word)


def _assertion(node: Node, spot: Spot, reading: Reading) -> tuple[dict[str, Any], Node]:
    """The options of a JWT that we sign for the token endpoint, and their node; `checked_oauth2` adds the rest."""
    return read_options(node, ASSERTION_KEYS, "jwt", spot, reading), node


def _more_params(node: Node, spot: Spot, reading: Reading) -> Mapping[str, Any]:
    """Name -> text; a text that comes through `${...}` is a secret."""
    if not isinstance(node, MappingNode):
        raise misfit(node, spot, "a mapping from name to text")
    for key, _ in node.entries:
        if key.text in OWN_PARAMS:
            raise Misfit(key.place, f"{spot}: `{key.text}` is set by Callsheet", "write it beside `params`")
    texts = {key.text: told_text(value, spot.under(key.text), reading) for key, value in node.entries}
    return MappingProxyType(texts)


def _own_tls(node: Node, spot: Spot, reading: Reading) -> settings.TLS:
    layer = TLS.read(node, spot, reading)
    check_written_tls(Written(layer, node), spot, reading.findings)
    return settings.TLS(**plain(layer))


ASSERTION_KEYS = tuple(key for key in JWT if key.name not in ("header", "scheme"))
_SCOPES = FormOf(_scopes, {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
_ASSERTION = FormOf(_assertion, {**mapping_schema(ASSERTION_KEYS), **ONE_KEY})
_MORE_PARAMS = FormOf(_more_params, {"type": "object", "additionalProperties": TOLD_TEXT.schema()})
OAUTH2 = (
    Key(
        "token_url",
        FormOf(_token_url, {"type": "string"}),
        "where tokens are to be had; https, and its redirects are not followed",
        is_required=True,
    ),
    Key("client_id", TOLD_TEXT, "who we are to the provider"),
    Key("client_secret", SECRET_TEXT, "the client's secret, as `${NAME}`"),
    Key("scopes", _SCOPES, "what the token shall be good for"),
    Key("grant", Choice(GRANTS), "client_credentials, unless a refresh_token or an assertion is written"),
    Key("refresh_token", SECRET_TEXT, "the first refresh token; later ones are kept in memory"),
    Key("assertion", _ASSERTION, "the JWT of grant jwt_bearer, signed here (RFC 7523 2.1)"),
    Key("client_auth", Choice(CLIENT_AUTH), "how the client proves itself; basic unless written"),
    Key("client_assertion", _ASSERTION, "the JWT of client_auth private_key_jwt, signed here (RFC 7523 2.2)"),
    Key("audience", TOLD_TEXT, "the parameter `audience`, by which some providers know the API"),
    Key("params", _MORE_PARAMS, "further parameters of the token request"),
    Key(
        "tls",
        FormOf(_own_tls, TLS.schema()),
        "whom to trust at the token endpoint, where that is not on the service's own origin",
    ),
)


def checked_oauth2(options: Mapping[str, Any], node: MappingNode, spot: Spot, reading: Reading) -> Mapping[str, Any]:
    """The options with their defaults. Raises Misfit for options that contradict each other."""
    written = {key.text for key, value in node.entries if not is_null(value)}
    if any(key.name in written and key.name not in options for key in OAUTH2):
        raise Noted(node.place)
    made = {**options, "grant": _grant(options, node, spot), "client_auth": _client_auth(options, node, spot)}
    _check_client(made, node, spot)
    for name in ("assertion", "client_assertion"):
        if name in options:
            made[name] = _whole_assertion(name, made, spot.under(name), reading)
    return MappingProxyType(made)


def _grant(options: Mapping[str, Any], node: MappingNode, spot: Spot) -> str:
    """The grant: as written, else the one that the written options belong to."""
    needs = {"refresh_token": "refresh_token", "jwt_bearer": "assertion"}
    given = [grant for grant, name in needs.items() if name in options]
    grant: str = options.get("grant") or (given[0] if given else GRANTS[0])
    if grant in needs and needs[grant] not in options:
        name = needs[grant]
        raise Misfit((node.get("grant") or node).place, f"{spot}: `{name}` is missing", f"grant {grant} needs it")
    for other in given:
        if other != grant:
            name = needs[other]
            hint = f"write `grant: {other}`, or remove it"
            raise Misfit((node.get(name) or node).place, f"{spot}: `{name}` is of no use to grant {grant}", hint)
    return grant


def _client_auth(options: Mapping[str, Any], node: MappingNode, spot: Spot) -> str:
    """How the client proves who it is: as written, else by the secret or the assertion that is given."""
    proofs = {"client_secret": ("basic", "body"), "client_assertion": ("private_key_jwt",)}
    given = [name for name in proofs if name in options]
    if len(given) > 1:
        raise Misfit(node.place, f"{spot}: expected one of {one_of(proofs)}, found both", "a client proves itself once")
    if not given and options.get("client_auth") == "tls":
        return _by_certificate(options, node, spot)
    fitting = proofs[given[0]] if given else ("none",)
    chosen: str = options.get("client_auth") or fitting[0]
    if chosen not in fitting:
        needed = next((name for name, ways in proofs.items() if chosen in ways), None)
        hint = f"write `{needed}`" if needed else f"remove `{given[0]}`"
        found = f"`{given[0]}`" if given else "no proof"
        raise Misfit((node.get("client_auth") or node).place, f"{spot}: client_auth {chosen} with {found}", hint)
    return chosen


def _by_certificate(options: Mapping[str, Any], node: MappingNode, spot: Spot) -> str:
    """`tls`: the client proves itself by its certificate, at the token endpoint alone (RFC 8705 2)."""
    place = (node.get("client_auth") or node).place
    if "tls" not in options or options["tls"].cert is None:
        written = node.get("tls")
        if isinstance(written, MappingNode) and written.get("cert"):
            raise Noted(place)  # as a certificate that cannot be read
        raise Misfit(place, f"{spot}: client_auth tls without a certificate", "write `tls: {cert: PATH, key: PATH}`")
    if urlsplit(options["token_url"]).scheme != "https":
        raise Misfit(
            place, f"{spot}: client_auth tls needs a `token_url` of https", "no certificate is shown over http"
        )
    return "tls"


def _check_client(made: Mapping[str, Any], node: MappingNode, spot: Spot) -> None:
    """Raise Misfit for a client without `client_id`; only grant jwt_bearer can do without, as its assertion says it."""
    if "client_id" not in made and (made["client_auth"] != "none" or made["grant"] != "jwt_bearer"):
        raise Misfit(node.place, f"{spot}: `client_id` is missing", "the provider knows the client by it")
    if made["grant"] == "client_credentials" and made["client_auth"] == "none":
        hint = "write it as `${NAME}`, or `client_assertion: {key: ..., algorithm: ...}`"
        raise Misfit(node.place, f"{spot}: `client_secret` is missing", hint)


def _whole_assertion(name: str, made: Mapping[str, Any], spot: Spot, reading: Reading) -> Mapping[str, Any]:
    """The options of a JWT, whole: RFC 7523 3 says what it has to tell."""
    options, node = made[name]
    follows = {"audience": made["token_url"], "expires": LIFE_OF_ASSERTION}
    if "client_id" in made:
        follows["issuer"] = made["client_id"]
        if name == "client_assertion":
            follows["subject"] = made["client_id"]
    whole = {**follows, **options}
    if "issuer" not in whole:
        raise Misfit(node.place, f"{spot}: `issuer` is missing", "write it, or a `client_id` beside the assertion")
    return checked_jwt(whole, node, spot, reading)
