"""The keys of each kind of `sign`, and the forms of their values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from callsheet.auth import hmac_signing, http_signature
from callsheet.auth.kept_key import KEY_ENCODINGS
from callsheet.sheet.forms.quantities import seconds
from callsheet.sheet.forms.reading import FormOf, JsonSchema, Reading, Spot, misfit
from callsheet.sheet.forms.record import Key, mapping_schema, read_options
from callsheet.sheet.forms.scalars import DURATION, SWITCH, Choice, Quantity, Text, scalar
from callsheet.sheet.forms.secret_text import SECRET_KEY
from callsheet.sheet.tree.findings import Misfit, Noted, did_you_mean
from callsheet.sheet.tree.node import ListNode, MappingNode, Node, is_null
from callsheet.sheet.words.jwt import NAME, TOLD_TEXT

SignOptions = Mapping[str, Any]
PLACE = re.compile(r"\{(\w*)\}")


@dataclass(frozen=True, slots=True)
class Components:
    """The list of what is signed, nothing twice. Messages offer `words`, the likeliest, and then `also`."""

    pattern: re.Pattern[str]
    words: tuple[str, ...]
    also: str

    def read(self, node: Node, spot: Spot, reading: Reading) -> tuple[str, ...]:
        """The components."""
        if not isinstance(node, ListNode) or not node.items:
            raise misfit(node, spot, "a list of components", f"such as `[{', '.join(self.words[:3])}]`")
        found: list[str] = []
        for item in node.items:
            text = scalar(item, spot, reading, self._expected()).value
            if not isinstance(text, str) or not self.pattern.fullmatch(text):
                hint = did_you_mean(text, self.words) if isinstance(text, str) else ""
                raise misfit(item, spot, self._expected(), hint)
            if text in found and not text.startswith("text:"):
                raise Misfit(item.place, f"{spot}: `{text}` twice", "remove one")
            found.append(text)
        return tuple(found)

    def _expected(self) -> str:
        return f"{', '.join(f'`{word}`' for word in self.words)} or {self.also}"

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        return {"type": "array", "minItems": 1, "items": {"type": "string"}}


LAYOUTS = "a text with `{signature}` in it, such as `sha256={signature}`"


def _layout(node: Node, spot: Spot, reading: Reading) -> str:
    """A header's value in which `{signature}`, `{timestamp}` and `{nonce}` are filled in."""
    text = scalar(node, spot, reading, LAYOUTS).value
    if not isinstance(text, str) or not text.isprintable() or not text.isascii() or text != text.strip():
        raise misfit(node, spot, LAYOUTS)
    names = PLACE.findall(text)
    unknown = [name for name in names if name not in ("signature", "timestamp", "nonce")]
    if unknown:
        message = f"{spot}: there is no `{{{unknown[0]}}}`"
        raise Misfit(node.place, message, "it takes `{signature}`, `{timestamp}` and `{nonce}`")
    if names.count("signature") != 1:
        raise misfit(node, spot, LAYOUTS)
    return text


def _whole_seconds(written: object) -> int | None:
    found = seconds(written)
    return int(found) if found is not None and found >= 1 else None


LIFE = Quantity(_whole_seconds, "a duration from 1s to 366 days, such as `5m` or a number of seconds",
                DURATION.pattern, {"type": "number", "minimum": 1}, spell=DURATION.spell)  # fmt: skip
HMAC = (
    Key("key", SECRET_KEY, "the secret that the service has, too, as `${NAME}`", is_required=True),
    Key("key_encoding", Choice(KEY_ENCODINGS), "how the key is written; text unless written"),
    Key("algorithm", Choice(hmac_signing.ALGORITHMS), "the hash; sha256 unless written"),
    Key("header", NAME, "the header that carries the signature; X-Signature unless written"),
    Key("value", FormOf(_layout, {"type": "string"}), 'what stands in that header; "{signature}" unless written'),
    Key("timestamp_header", NAME, "the header that carries the time; X-Timestamp unless written, if it is signed"),
    Key("timestamp", Choice(tuple(hmac_signing.TIMES)), "how the time is written; seconds unless written"),
    Key("nonce_header", NAME, "the header that carries a number used once"),
    Key("encoding", Choice(tuple(hmac_signing.ENCODINGS)), "how the signature is written; hex unless written"),
    Key(
        "components",
        Components(
            hmac_signing.COMPONENT,
            ("method", "path", "query", "timestamp", "nonce", "body", "body_sha256", "target", "url", "host"),
            "`header:NAME` or `text:...`",
        ),
        "what is signed, in this order",
    ),
    Key(
        "separator", Text("a text", may_be_empty=True), "what stands between the components; a line feed unless written"
    ),
)
HTTP_SIGNATURE = (
    Key(
        "key",
        SECRET_KEY,
        "the private key in PEM, or the secret of hmac-sha256, as `${NAME}` or `${file:PATH}`",
        is_required=True,
    ),
    Key("key_id", TOLD_TEXT, "which of your keys it is, to the service", is_required=True),
    Key("algorithm", Choice(tuple(http_signature.ALGORITHMS)), "how it is signed", is_required=True),
    Key("key_encoding", Choice(KEY_ENCODINGS), "how the secret of hmac-sha256 is written; text unless written"),
    Key(
        "components",
        Components(
            http_signature.COMPONENT,
            (*http_signature.DERIVED, http_signature.DIGEST),
            "the name of a header in lower case",
        ),
        "what is signed; method, authority, path, query and the digest of a body unless written",
    ),
    Key("label", Text("lower-case letters, digits and _-.*", http_signature.LABEL.pattern), "sig1 unless written"),
    Key("expires", LIFE, "how long the signature is valid; not told unless written"),
    Key("nonce", SWITCH, "whether it has a number used once; true unless written"),
    Key("tells_algorithm", SWITCH, "whether the signature tells its algorithm; true unless written"),
    Key("tag", Text("printable ASCII", r"[\x20-\x7e]+"), "which application it is for"),
)
HTTP_SIGNATURE_DEFAULTS = {"key_encoding": "text", "label": "sig1", "nonce": True, "tells_algorithm": True}
EXPLICIT = (
    Key("access_key", SECRET_KEY, "the access key's id", is_required=True),
    Key("secret_key", SECRET_KEY, "the secret access key, as `${NAME}`", is_required=True),
    Key("session_token", SECRET_KEY, "of temporary credentials"),
)
PROFILE = (Key("profile", Text("the name of a profile"), "one of the shared files", is_required=True),)


CREDENTIALS = "`default`, `{profile: NAME}`, or a mapping of access_key and secret_key"


def _credentials(node: Node, spot: Spot, reading: Reading) -> Any:
    """A profile, or the credentials themselves; None for `default`, the chain of botocore."""
    if not isinstance(node, MappingNode):
        if scalar(node, spot, reading, CREDENTIALS).value == "default":
            return None
        raise misfit(node, spot, CREDENTIALS)
    # Not a dict, which would be merged with a lower layer's credentials, key by key.
    return MappingProxyType(options_of(PROFILE if node.get("profile") else EXPLICIT, node, spot, reading))


_CREDENTIALS = FormOf(
    _credentials, {"anyOf": [{"const": "default"}, mapping_schema(PROFILE), mapping_schema(EXPLICIT)]}
)
AWS = (
    Key("service", Text("a name such as `s3` or `execute-api`", r"[a-z0-9-]+"), "the service's name in signatures", is_required=True),
    Key("region", Text("a region such as `eu-central-1`", r"[a-z0-9-]+"), "the region's name in signatures", is_required=True),
    Key("credentials", _CREDENTIALS, "the default chain unless written"),
    Key("payload", Choice(("auto", "signed")), "signed: S3 bodies that are read as they are sent are signed over TLS, too"),
)  # fmt: skip


def options_of(keys: tuple[Key, ...], node: MappingNode, spot: Spot, reading: Reading) -> dict[str, Any]:
    """The values of a mapping. Raises Noted unless all can be read: how they fit together cannot be checked otherwise."""
    options = read_options(node, keys, f"sign.{spot.path.rpartition('.')[2]}", spot, reading)
    if any(key.text not in options for key, value in node.entries if not is_null(value)):
        raise Noted(node.place)
    return options
