"""Masks credentials, found by name or by value, in requests and answers that a cassette writes to a file."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from callsheet.http.headers import Headers
from callsheet.secret import MASK, SHORTEST_FOUND_BY_VALUE, Secret, redact
from callsheet.secret.credential_names import IN_TEXT, names_a_credential

FORM = "application/x-www-form-urlencoded"
UNREADABLE = "(a body whose coding could not be undone)"


class Redaction:
    """Masks the values of these secrets wherever they stand, and every value that is named like a credential.

    Values masked by their name are added to `learned`, so that they can be masked where they come under another name.
    """

    def __init__(self, secrets: Iterable[Secret], learned: set[str] | None = None) -> None:
        self._secrets = tuple(secrets)
        self._learned = set[str]() if learned is None else learned
        self._learned.update(text for secret in self._secrets for text in _texts_of(secret))

    def text(self, text: str) -> str:
        """The text with the secrets' values masked, also where they stand in Base64."""
        for secret in self._secrets:
            for shape in {shape for value in _texts_of(secret) for shape in _in_base64(value)}:
                text = text.replace(shape, MASK)
        return IN_TEXT.sub(self._masked, redact(text, self._secrets))

    def _masked(self, found: re.Match[str]) -> str:
        if not names_a_credential(found["name"]) or found["value"] == MASK:
            return found[0]
        self._learned.add(found["value"])
        return found["head"] + MASK

    def url(self, url: str) -> str:
        """The URL with the query parameters masked that are named like a credential."""
        head, mark, query = url.partition("?")
        pairs = [pair.partition("=") for pair in query.split("&")] if mark else []
        self._learned.update(unquote(value) for name, _, value in pairs if names_a_credential(name))
        kept = [f"{name}{sign}{MASK if sign and names_a_credential(name) else value}" for name, sign, value in pairs]
        return self.text(head + mark + "&".join(kept))

    def headers(self, headers: Headers) -> list[list[str]]:
        """Names and values of the fields, with the values masked that are named like a credential."""
        shown = headers.multi_items()
        for name, value in shown:
            if names_a_credential(name):
                self._learned.update(credentials_in(value))
        return [[name, MASK if names_a_credential(name) else self.url(value)] for name, value in shown]

    def body(self, content: bytes, kind: str) -> dict[str, Any]:
        """A body as a cassette keeps it: under `json`, `text` or `base64`, masked; an empty dict for an empty body."""
        if not content:
            return {}
        text = content.decode("utf-8", "surrogateescape")
        try:
            return {"json": self._data(json.loads(text))}
        except ValueError:
            pass
        if kind.startswith(FORM):
            pairs = parse_qsl(text, keep_blank_values=True)
            return {"text": urlencode([(name, self._field(name, value)) for name, value in pairs], safe="*")}
        text = self.text(text)
        if text.isprintable() or all(c.isprintable() or c in "\r\n\t" for c in text):
            return {"text": text}
        return {"base64": base64.b64encode(text.encode("utf-8", "surrogateescape")).decode()}

    def _data(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: self._field(name, inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._data(item) for item in value]
        return self.text(value) if isinstance(value, str) else value

    def _field(self, name: str, value: Any) -> Any:
        if not names_a_credential(name) or not isinstance(value, str):
            return self._data(value)
        self._learned.add(value)
        return MASK


def named_secrets(url: str, headers: Headers, content: bytes, kind: str) -> list[Secret]:
    """The values that a request sends under the name of a credential; a service may send them back under another name."""
    named = [*parse_qsl(url.partition("?")[2]), *((n, v) for n, v in headers.fields if isinstance(v, str))]
    if kind.startswith(FORM):
        named += parse_qsl(content.decode("utf-8", "replace"))
    try:
        named += _leaves(json.loads(content)) if content else []
    except ValueError:
        pass
    found = [each for name, value in named if names_a_credential(name) for each in credentials_in(value)]
    return [Secret(each) for each in found if each]


def credentials_in(value: str) -> list[str]:
    """The value and the parts of it that a service may repeat alone: a cookie's value, a token, the password of `Basic`."""
    found = [value, *(pair.partition("=")[2].strip() for pair in value.split(";")), value.rpartition(" ")[2]]
    if value.lower().startswith("basic "):
        try:
            found.append(base64.b64decode(value[6:], validate=True).decode("utf-8", "replace").partition(":")[2])
        except ValueError:
            pass
    return [each for each in dict.fromkeys(found) if len(each) >= SHORTEST_FOUND_BY_VALUE]


def without(value: Any, learned: Iterable[str]) -> Any:
    """JSON data in which these values are masked in every text, also percent-encoded; names stay as they are."""
    long = sorted((each for each in learned if len(each) >= SHORTEST_FOUND_BY_VALUE and each != MASK), key=len)
    shapes = [shape for each in reversed(long) for shape in (each, quote(each, safe="", errors="replace"))]
    return _scrubbed(value, shapes)


def _scrubbed(value: Any, shapes: list[str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _scrubbed(inner, shapes) for name, inner in value.items()}
    if isinstance(value, list):
        return [_scrubbed(inner, shapes) for inner in value]
    if isinstance(value, str):
        for shape in shapes:
            value = value.replace(shape, MASK)
    return value


def _leaves(value: Any, name: str = "") -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, str(key))]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in _leaves(inner, name)]
    return [(name, value)] if isinstance(value, str) else []


def _texts_of(secret: Secret) -> list[str]:
    """The secret's present and recent values, whole and in parts, as far as they are known without asking its source."""
    return [text for parts in secret.known_parts() for text in ("".join(parts), *parts) if text]


def _in_base64(value: str) -> list[str]:
    """How a value of nine bytes or more looks inside of Base64, at each of the three offsets at which it may begin."""
    raw = value.encode("utf-8", "surrogatepass")
    if len(raw) < 9:
        return []
    shapes = []
    for before in range(3):
        coded = base64.b64encode(bytes(before) + raw).decode().rstrip("=")
        # The first and last characters depend on the bytes before and after the value.
        inner = coded[4 if before else 0 : -4]
        shapes += [inner, inner.translate(str.maketrans("+/", "-_"))]
    return [shape for shape in shapes if len(shape) >= 8]


def bytes_of(body: Mapping[str, Any]) -> bytes:
    """The bytes of a body as `Redaction.body` keeps it."""
    if "json" in body:
        return json.dumps(body["json"]).encode()
    if "text" in body:
        return str(body["text"]).encode("utf-8", "surrogateescape")
    return base64.b64decode(body.get("base64", ""))
