"""The body of a curl command: JSON, a form, parts, or a content of some type."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote

from callsheet.errors import ArgumentError

FORM = "application/x-www-form-urlencoded"
PAIRS = re.compile(r"[^=&\s]+=[^&\s]*(?:&[^=&\s]+=[^&\s]*)*")
PART_OPTION = re.compile(r";\s*(type|filename)=(\"(?:[^\"\\]|\\.)*\"|[^;]*(?:;\s*charset=[^;]*)?)")


@dataclass(frozen=True, slots=True)
class CurlBody:
    """The body. `kind` is its key on a sheet; `value` is a JSON value, pairs, parts, or text of `media_type`.

    If `value` is None, the content is that of the file at `path`.
    """

    kind: str
    value: Any
    media_type: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class CurlPart:
    """One part of a multipart body: text, or the file at `path`."""

    name: str
    text: str = ""
    path: str | None = None
    options: tuple[tuple[str, str], ...] = ()

    @property
    def item(self) -> str:
        """The type and file name behind the path of an item, such as `;type=text/csv`."""
        return "".join(f";{name}={value}" for name, value in self.options)


def part_of(option: str, value: str) -> CurlPart:
    """The part that `--form` or `--form-string` stands for. Raises ArgumentError."""
    name, equals, content = value.partition("=")
    if not equals or not name:
        raise ArgumentError(f"curl's {option}: expected NAME=CONTENT")
    if option == "--form-string":
        return CurlPart(name, content)
    if content.startswith("<"):
        raise ArgumentError(f"curl's {option} {name}=<...: the text is in a file; put it into the command to import it")
    options = tuple((key, _unquoted(text)) for key, text in PART_OPTION.findall(content))
    rest = _unquoted(PART_OPTION.sub("", content).removeprefix("@"))
    return CurlPart(name, path=rest, options=options) if content.startswith("@") else CurlPart(name, rest)


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def data_of(option: str, value: str) -> str:
    """What an option of `--data` and its kin adds to the body. Raises ArgumentError for a file."""
    is_named = option == "--data-urlencode" and "=" not in value and "@" in value
    if is_named or (value.startswith("@") and option not in ("--data-raw", "--data-urlencode")):
        raise ArgumentError(f"curl's {option} @...: the body is in a file; put it into the command to import its form")
    return urlencoded(value) if option == "--data-urlencode" else value


def urlencoded(value: str) -> str:
    """What `--data-urlencode` makes of its value."""
    name, equals, content = value.partition("=")
    if not equals:
        return quote(value, safe="")
    return f"{name}={quote(content, safe='')}" if name else quote(content, safe="")


def body_of(text: str, content_type: str) -> CurlBody:
    """The body that a text is, by its content type, or without one by its looks. Raises ArgumentError."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in ("", "application/json") or kind.endswith("+json") or (kind == FORM and text[:1] in ("{", "[")):
        body = _json(text)
        if body is not None:
            return body
        if kind not in ("", FORM):
            raise ArgumentError("the curl command's body is not JSON, and its Content-Type says that it is")
    if kind in ("", FORM):
        if not PAIRS.fullmatch(text):
            raise ArgumentError("the curl command's body is neither JSON nor a form; name its type with a Content-Type")
        return CurlBody("form", parse_qsl(text, keep_blank_values=True))
    return CurlBody("content", text, content_type)


def _json(text: str) -> CurlBody | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    if value is None:
        raise ArgumentError("the curl command's body is `null`, which is not sent")
    return CurlBody("json", value)
