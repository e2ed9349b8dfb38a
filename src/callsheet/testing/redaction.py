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
JSON_LINE = re.compile(r"(?m)^(?P<head>(?:data:)?[ \t]*)(?P<document>[\[{].*[\]}])[ \t]*(?=\r?$)")
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
        kept = (self._pair(name, value) if sign else name for name, sign, value in pairs)
        return self.text(head + mark + "&".join(kept))

    def _pair(self, name: str, value: str) -> str:
        return f"{name}={MASK if names_a_credential(name) else self._inner(value)}"

    def _inner(self, value: str) -> str:
        """A query parameter that may be a URL itself, which a login goes back to."""
        inner = unquote(value)
        masked = self.url(inner) if "?" in inner else self._inner(inner) if "%3f" in inner.lower() else inner
        return value if masked == inner else quote(masked, safe="*")

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
        text = JSON_LINE.sub(self._line, text)
        if kind.startswith(FORM):
            pairs = parse_qsl(text, keep_blank_values=True)
            return {"text": urlencode([(name, self._field(name, value)) for name, value in pairs], safe="*")}
        text = self.text(text)
        if text.isprintable() or all(c.isprintable() or c in "\r\n\t" for c in text):
            return {"text": text}
        return {"base64": base64.b64encode(text.encode("utf-8", "surrogateescape")).decode()}

    def _data(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return named((self.text(name), self._field(name, inner)) for name, inner in value.items())
        if isinstance(value, list):
            return [self._data(item) for item in value]
        return self.text(value) if isinstance(value, str) else value

    def _field(self, name: str, value: Any) -> Any:
        # `tokens: 5` is a count, and `tokens: [5]` are words.
        has_texts = isinstance(value, list) and any(isinstance(item, str) for item in value)
        is_secret = names_a_credential(name.removesuffix("s") if has_texts else name)
        return self._hidden(value) if is_secret else self._data(value)

    def _hidden(self, value: Any) -> Any:
        """What stands under the name of a credential: every text and number in it is masked, whatever its own name is."""
        if isinstance(value, Mapping):
            return named((self.text(name), self._hidden(inner)) for name, inner in value.items())
        if isinstance(value, list):
            return [self._hidden(item) for item in value]
        if value is None or isinstance(value, bool):
            return value
        self._learned.add(str(value))
        return MASK

    def _line(self, found: re.Match[str]) -> str:
        """A line that is a JSON document, as in JSON Lines and server-sent events."""
        try:
            document = json.loads(found["document"])
        except ValueError:
            return found[0]
        masked = self._data(document)
        return found[0] if masked == document else found["head"] + json.dumps(masked)


def named(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A mapping that keeps each member, also where the names of two were masked."""
    kept: dict[str, Any] = {}
    for name, value in pairs:
        while name in kept:
            name += "*"  # noqa: PLW2901 the next free name
        kept[name] = value
    return kept


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
    """JSON data in which these values are masked in every text, also percent-encoded; names only in a body's JSON."""
    long = sorted((each for each in learned if len(each) >= SHORTEST_FOUND_BY_VALUE and each != MASK), key=len)
    shapes = [shape for each in reversed(long) for shape in _in_urls(each)]
    return _scrubbed(value, shapes)


def _in_urls(text: str) -> list[str]:
    """As it is, and percent-encoded twice, once: in a URL within a URL, and in one."""
    quoted = quote(text, safe="", errors="replace")
    return [text, quote(quoted, safe=""), quoted]


def _scrubbed(value: Any, shapes: list[str], *, is_json: bool = False) -> Any:
    if isinstance(value, Mapping):
        names = [_scrubbed(name, shapes) if is_json else name for name in value]
        inner = (_scrubbed(each, shapes, is_json=is_json or name == "json") for name, each in value.items())
        return named(zip(names, inner, strict=True))
    if isinstance(value, list):
        return [_scrubbed(inner, shapes, is_json=is_json) for inner in value]
    if isinstance(value, str):
        for shape in shapes:
            value = value.replace(shape, MASK)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return MASK if is_number and is_json and str(value) in shapes else value


def _leaves(value: Any, name: str = "") -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [
            leaf for key, each in value.items() for leaf in _leaves(each, name if names_a_credential(name) else key)
        ]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in _leaves(inner, name)]
    return [] if value is None or isinstance(value, bool) else [(name, str(value))]


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
