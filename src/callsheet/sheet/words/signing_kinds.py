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
from callsheet.sheet.forms.reading import JsonSchema, Reading, Spot, misfit
from callsheet.sheet.forms.record import Key, check_keys, mapping_schema, plain, read_keys
from callsheet.sheet.forms.scalars import DURATION, Choice, Quantity, Switch, Text, scalar
from callsheet.sheet.forms.secret_text import SecretText
from callsheet.sheet.tree.findings import Misfit, Noted, nearest, one_of
from callsheet.sheet.tree.node import ListNode, MappingNode, Node, is_null
from callsheet.sheet.words.jwt import NAME, ToldText

SignOptions = Mapping[str, Any]
PLACE = re.compile(r"\{(\w*)\}")


@dataclass(frozen=True, slots=True)
class Components:
    """A list of what is signed, nothing twice; `words` are the likeliest, for hints."""

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
                close = nearest(text, self.words) if isinstance(text, str) else None
                raise misfit(item, spot, self._expected(), f"did you mean `{close}`?" if close else "")
            if text in found and not text.startswith("text:"):
                raise Misfit(item.place, f"{spot}: `{text}` twice", "remove one")
            found.append(text)
        return tuple(found)

    def _expected(self) -> str:
        return f"{', '.join(f'`{word}`' for word in self.words)} or {self.also}"

    def schema(self) -> JsonSchema:
        """The same in JSON Schema terms."""
        return {"type": "array", "minItems": 1, "items": {"type": "string"}}


class Layout:
    """A header's value with places for what is told in it."""

    expected = "a text with `{signature}` in it, such as `sha256={signature}`"

    def read(self, node: Node, spot: Spot, reading: Reading) -> str:
        """The layout."""
        text = scalar(node, spot, reading, self.expected).value
        if not isinstance(text, str) or not text.isprintable() or not text.isascii() or text != text.strip():
            raise misfit(node, spot, self.expected)
        names = PLACE.findall(text)
        unknown = [name for name in names if name not in ("signature", "timestamp", "nonce")]
        if unknown:
            message = f"{spot}: there is no `{{{unknown[0]}}}`"
            raise Misfit(node.place, message, "it takes `{signature}`, `{timestamp}` and `{nonce}`")
        if names.count("signature") != 1:
            raise misfit(node, spot, self.expected)
        return text

    def schema(self) -> JsonSchema:
        """The same in JSON Schema terms."""
        return {"type": "string"}


def _whole_seconds(written: object) -> int | None:
    found = seconds(written)
    return int(found) if found is not None and found >= 1 else None


LIFE = Quantity(_whole_seconds, "a duration from 1s to 366 days, such as `5m` or a number of seconds",
                DURATION.pattern, {"type": "number", "minimum": 1}, spell=DURATION.spell)  # fmt: skip
KEY = SecretText(is_sent_plain=False, is_line=False)
HMAC = (
    Key("key", KEY, "the secret that the service has, too, as `${NAME}`", is_required=True),
    Key("key_encoding", Choice(KEY_ENCODINGS), "how the key is written; text unless written"),
    Key("algorithm", Choice(hmac_signing.ALGORITHMS), "the hash; sha256 unless written"),
    Key("header", NAME, "the header that carries the signature; X-Signature unless written"),
    Key("value", Layout(), 'what stands in that header; "{signature}" unless written'),
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
        KEY,
        "the private key in PEM, or the secret of hmac-sha256, as `${NAME}` or `${file:PATH}`",
        is_required=True,
    ),
    Key("key_id", ToldText(), "which of your keys it is, to the service", is_required=True),
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
    Key("nonce", Switch(), "whether it has a number used once; true unless written"),
    Key("tells_algorithm", Switch(), "whether the signature tells its algorithm; true unless written"),
    Key("tag", Text("printable ASCII", r"[\x20-\x7e]+"), "which application it is for"),
)
HTTP_SIGNATURE_DEFAULTS = {"key_encoding": "text", "label": "sig1", "nonce": True, "tells_algorithm": True}
EXPLICIT = (
    Key("access_key", KEY, "the access key's id", is_required=True),
    Key("secret_key", KEY, "the secret access key, as `${NAME}`", is_required=True),
    Key("session_token", KEY, "of temporary credentials"),
)
PROFILE = (Key("profile", Text("the name of a profile"), "one of the shared files", is_required=True),)


class CredentialsForm:
    """`default`, a profile, or the credentials themselves."""

    expected = "`default`, `{profile: NAME}`, or a mapping of access_key and secret_key"

    def read(self, node: Node, spot: Spot, reading: Reading) -> Any:
        """None for the default chain."""
        if not isinstance(node, MappingNode):
            if scalar(node, spot, reading, self.expected).value == "default":
                return None
            raise misfit(node, spot, self.expected)
        # Not a dict, which stands for a mapping whose parts are still to be merged.
        return MappingProxyType(options_of(PROFILE if node.get("profile") else EXPLICIT, node, spot, reading))

    def schema(self) -> JsonSchema:
        """The same in JSON Schema terms."""
        return {"anyOf": [{"const": "default"}, mapping_schema(PROFILE), mapping_schema(EXPLICIT)]}


AWS = (
    Key("service", Text("a name such as `s3` or `execute-api`", r"[a-z0-9-]+"), "the service's name in signatures", is_required=True),
    Key("region", Text("a region such as `eu-central-1`", r"[a-z0-9-]+"), "the region's name in signatures", is_required=True),
    Key("credentials", CredentialsForm(), "the default chain unless written"),
    Key("payload", Choice(("auto", "signed")), "signed: S3 bodies that are read as they are sent are signed over TLS, too"),
)  # fmt: skip


def options_of(keys: tuple[Key, ...], node: MappingNode, spot: Spot, reading: Reading) -> dict[str, Any]:
    """The values of a mapping, less what could not be read. Raises Noted if what is required is not among them."""
    check_keys(node, keys, f"sign.{spot.path.rpartition('.')[2]}", spot, reading.findings)
    options = plain(read_keys(node, keys, spot, reading))
    missing = [key.name for key in keys if key.is_required and (node.get(key.name) is None or is_null(node.get(key.name)))]  # type: ignore[arg-type]  # fmt: skip
    for name in missing:
        others = one_of(key.name for key in keys if key.name != name)
        reading.findings.add(Misfit(node.place, f"{spot}: `{name}` is missing", f"write it beside {others}"))
    if any(key.name not in options for key in keys if key.is_required) or _lacks_some(node, options):
        raise Noted(node.place)
    return options


def _lacks_some(node: MappingNode, options: SignOptions) -> bool:
    """Whether something that was written could not be read: what goes with what cannot be told then."""
    return any(key.text not in options for key, value in node.entries if not is_null(value))
