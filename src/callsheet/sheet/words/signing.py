"""`sign`: how requests are signed, and the check that the key fits."""

from __future__ import annotations

import re
from collections.abc import Callable

from callsheet.auth import aws, hmac_signing, http_signature
from callsheet.auth.components import revealed
from callsheet.auth.kept_key import shared_secret
from callsheet.errors import UsageError
from callsheet.settings.settings import Settings, SignSettings
from callsheet.sheet.forms.one_kind import OneKind
from callsheet.sheet.forms.reading import Form, FormOf, Reading, Spot, misfit
from callsheet.sheet.forms.record import Key, Layer, mapping_schema
from callsheet.sheet.tree.findings import Findings, Misfit
from callsheet.sheet.tree.node import MappingNode, Node, Scalar
from callsheet.sheet.words.jwt import refuse_unfit
from callsheet.sheet.words.signing_kinds import (
    AWS,
    HMAC,
    HTTP_SIGNATURE,
    HTTP_SIGNATURE_DEFAULTS,
    SignOptions,
    options_of,
)

PRINTABLE = re.compile(r"[\x20-\x7e]+")
EXPECTED = '`off`, or a mapping with one kind such as `{hmac: {key: "${KEY}"}}`'


def _hmac(node: MappingNode, spot: Spot, reading: Reading) -> SignOptions:
    options = options_of(HMAC, node, spot, reading)
    has_nonce = "nonce_header" in options or "{nonce}" in options.get("value", "")
    defaults = {
        "key_encoding": "text",
        "algorithm": "sha256",
        "header": "X-Signature",
        "value": "{signature}",
        "timestamp": "seconds",
        "encoding": "hex",
        "components": ("method", "path", "query", "timestamp", *(("nonce",) if has_nonce else ()), "body"),
        "separator": "\n",
    }
    options = {"key": options["key"], **defaults, **options}
    if "timestamp" in options["components"] and "{timestamp}" not in options["value"]:
        options.setdefault("timestamp_header", "X-Timestamp")
    _check_told(options, node, spot)
    if not options["key"].is_asked:
        key = shared_secret(options["key"], options["key_encoding"], hmac_signing.SHORTEST_KEY)
        refuse_unfit(key, node.get("key") or node, spot.under("key"), reading)
    return options


def _check_told(options: SignOptions, node: MappingNode, spot: Spot) -> None:
    """Raise Misfit unless the time and the nonce are both signed and sent: the service needs them to verify."""
    for name in ("timestamp", "nonce"):
        told = f"{name}_header" if f"{name}_header" in options else "value"
        is_told = told != "value" or f"{{{name}}}" in options["value"]
        is_signed = name in options["components"]
        if is_told and not is_signed:
            place = (node.get(told) or node).place
            raise Misfit(
                place, f"{spot.under(told)}: the {name} is sent and not signed", f"add `{name}` to `components`"
            )
        if is_signed and not is_told:
            place = (node.get("components") or node).place
            message = f"{spot.under('components')}: the {name} is signed and not sent"
            raise Misfit(place, message, f"write `{name}_header: X-{name.title()}`")
    names = [options[name].lower() for name in ("header", "timestamp_header", "nonce_header") if name in options]
    if len(set(names)) < len(names):
        raise Misfit(node.place, f"{spot}: two of its headers have the same name", "name them apart")


def _http_signature(node: MappingNode, spot: Spot, reading: Reading) -> SignOptions:
    options = options_of(HTTP_SIGNATURE, node, spot, reading)
    options |= {name: value for name, value in HTTP_SIGNATURE_DEFAULTS.items() if name not in options}
    algorithm, encoding = options["algorithm"], options["key_encoding"]
    if encoding != "text" and algorithm != "hmac-sha256":
        place = (node.get("key_encoding") or node).place
        raise Misfit(place, f"{spot.under('key_encoding')}: {algorithm} takes a key in PEM", "remove it")
    if not PRINTABLE.fullmatch(revealed(options["key_id"])):
        place = (node.get("key_id") or node).place
        raise Misfit(place, f"{spot.under('key_id')}: a character outside printable ASCII", "name the key otherwise")
    if not options["key"].is_asked:
        key = http_signature.signature_key(algorithm, options["key"], encoding)
        refuse_unfit(key, node.get("key") or node, spot.under("key"), reading)
    return options


def _aws(node: MappingNode, spot: Spot, reading: Reading) -> SignOptions:
    options = options_of(AWS, node, spot, reading)
    return {**options, "credentials": options.get("credentials"), "payload": options.get("payload", "auto")}


def check_sign(layer: Layer, settings: Settings, spot: Spot, findings: Findings) -> None:
    """Note a credential in the header `Authorization`, which carries the signature of AWS."""
    if settings.sign is None or settings.sign.kind != "aws":
        return
    auth = settings.auth
    carrier = "Authorization" if auth is not None and auth.kind in ("bearer", "basic", "oauth2") else ""
    if auth is not None:
        carrier = str(auth.options.get("header", carrier))
    names = {carrier.lower(), *(name.lower() for name in settings.headers)}
    if "authorization" in names:
        hint = "write `auth: off`, or send the credential in another header"
        message = (
            f"{spot.under('sign')}: the signature of AWS stands in `Authorization`, and so does another credential"
        )
        findings.add_once(Misfit(layer["sign"].node.place, message, hint))


READERS: dict[str, tuple[Callable[[MappingNode, Spot, Reading], SignOptions], Callable[[], None]]] = {
    "hmac": (_hmac, lambda: None),
    "http_signature": (_http_signature, http_signature.require_library),
    "aws": (_aws, aws.require_botocore),
}
"""For each kind, the function that reads it, and one that raises UsageError if its library is missing."""


def _sign(node: Node, spot: Spot, reading: Reading) -> SignSettings | None:
    kind = ONE_KIND.chosen(node, spot, reading)
    if kind is None:
        return None
    key, value = kind
    return SignSettings(key.text, _read(key, value, spot.under(key.text), reading))


def _read(key: Scalar, node: Node, spot: Spot, reading: Reading) -> SignOptions:
    read, require = READERS[key.text]
    if not isinstance(node, MappingNode):
        raise misfit(node, spot, f"a mapping of {', '.join(each.name for each in KEYS[key.text])}")
    try:
        require()
    except UsageError as error:
        message, _, hint = str(error).rpartition(": ")
        raise Misfit(key.place, f"{spot}: {message}", hint) from None
    return read(node, spot, reading)


KEYS = {"hmac": HMAC, "http_signature": HTTP_SIGNATURE, "aws": AWS}
ABOUT = {
    "hmac": "a keyed hash over parts of the request, laid out as the service wants it",
    "http_signature": "HTTP Message Signatures (RFC 9421)",
    "aws": "AWS Signature Version 4",
}
KIND_KEYS = tuple(Key(kind, FormOf(_sign, mapping_schema(keys)), ABOUT[kind]) for kind, keys in KEYS.items())
"""For messages and the JSON Schema; `_read` reads the value of each."""
ONE_KIND = OneKind(KIND_KEYS, tuple(KEYS), "sign", EXPECTED)
SIGN: Form = FormOf(_sign, {"anyOf": [{"enum": ["off", False]}, {**mapping_schema(KIND_KEYS), "minProperties": 1}]})
