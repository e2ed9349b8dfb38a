"""Writes the body of a request as options of curl."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

from callsheet.cli.curl.shell_words import Piece, VariableNames, joined
from callsheet.cli.shown_body import is_a_secret
from callsheet.http.body_sources import InMemory
from callsheet.http.files import OpenFile, PathFile
from callsheet.http.request import Request
from callsheet.http.streamed_body import Gzipped, StreamedBody
from callsheet.secret import Secret
from callsheet.values import form
from callsheet.values.multipart import Multipart, Part

COMPRESSED = "the body is compressed on its way out, which curl does not do"
STDIN = ("<stdin>", "0")
OptionWords = list[list[Piece]]


def body_words(request: Request, names: VariableNames) -> OptionWords:
    """The options for the body. Raises ValueError for a body that no command line can carry."""
    body: Any = request.body
    if isinstance(body, Multipart):
        return [word for part in body.parts for word in _part(part, request.secrets, names)]
    if isinstance(body, StreamedBody):
        return [*_unnamed(request), ["--data-binary ", joined([f"@{_file(body.stored)}"])]]
    if body is None and request.method not in ("POST", "PUT", "PATCH"):
        return []
    if "content-encoding" in request.headers:
        raise ValueError(COMPRESSED)
    text = _text(body.content if body is not None else b"", "the body")
    if body is not None and body.content_type == form.MEDIA_TYPE and text:
        return _form(text, request.secrets, names)
    return [*_unnamed(request), ["--data-raw ", joined([text])]]


def is_multipart(request: Request) -> bool:
    """Whether curl makes the body, and so its content type."""
    return isinstance(request.body, Multipart)


def _unnamed(request: Request) -> OptionWords:
    """Stop curl from declaring a body without a content type as a form."""
    return [] if "content-type" in request.headers else [["--header ", "'Content-Type:'"]]


def _text(content: bytes | None, what: str) -> str:
    try:
        text = (content or b"").decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{what} is not text: send it from a file with --data-binary @file") from None
    if "\0" in text:
        raise ValueError(f"{what} holds a NUL, which no command line can carry")
    return text


def _form(text: str, secrets: tuple[Secret, ...], names: VariableNames) -> OptionWords:
    pairs = [pair.partition("=") for pair in text.split("&")]
    values = [unquote_plus(value) for _, _, value in pairs]
    if not any(is_a_secret(value, secrets) for value in values):
        return [["--data-raw ", joined([text])]]
    return [
        ["--data-urlencode ", joined([f"{name}=", *names.word(value, unquote_plus(name))])]
        if is_a_secret(value, secrets)
        else ["--data-raw ", joined([f"{name}={raw}"])]
        for (name, _, raw), value in zip(pairs, values, strict=True)
    ]


def _part(part: Part, secrets: tuple[Secret, ...], names: VariableNames) -> OptionWords:
    if "=" in part.name:
        raise ValueError(f"a part is named {part.name!r}, and curl ends a name at `=`")
    typed = f";type={part.media_type}" if part.media_type else ""
    named = f";filename={_quoted(part.filename)}" if part.filename is not None else ""
    if not isinstance(part.content, InMemory):
        return [["--form ", joined([f"{part.name}=@{_quoted(_file(part.content))}{typed}{named}"])]]
    text = _text(part.content.content, f"part {part.name!r}")
    if typed or named:
        return [["--form ", joined([f"{part.name}={_quoted(text)}{typed}{named}"])]]
    value = names.word(text, part.name) if is_a_secret(text, secrets) else [text]
    return [["--form-string ", joined([f"{part.name}=", *value])]]


def _quoted(text: str) -> str:
    """The text in double quotes, as curl reads it inside of `--form`."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _file(stored: Any) -> str:
    """The path that curl can read the body from, `-` for stdin. Raises ValueError if there is none."""
    if isinstance(stored, PathFile):
        return str(stored.path)
    if isinstance(stored, OpenFile) and stored.name in STDIN:
        return "-"
    if not isinstance(stored, Gzipped):
        raise ValueError("the body is read from an open file or an iterator, which curl cannot name")  # noqa: TRY004 what every body that has no command raises
    raise ValueError(COMPRESSED)
