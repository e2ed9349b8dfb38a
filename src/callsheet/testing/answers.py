"""What a script can answer a request with: a Reply, or a Fault in its place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from callsheet.errors import APIError, UsageError
from callsheet.unset import UNSET

Chunk = bytes | str | float
"""A piece of a body, or the number of seconds that pass before the next piece."""


@dataclass(frozen=True)
class Reply:
    """An answer that a function given to `Route.call` can return.

    It comes after `delay` seconds of the clock. `chunks` is a body in pieces, with numbers among them for the seconds until
    the next piece. `cut` breaks the body off after so many bytes.
    """

    status: int = 200
    content: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    cut: int | None = None
    chunks: tuple[bytes | float, ...] | None = None


@dataclass(frozen=True)
class Fault:
    """The error that is raised in place of an answer: after `delay` seconds, or when the limit named by `until` is reached.

    `is_kept`: as if the connection had served an earlier request.
    """

    kind: type[APIError]
    message: str
    delay: float = 0.0
    until: str | None = None
    is_kept: bool = False


def reply_of(
    status: int = 200,
    *,
    json: Any = UNSET,
    text: str | None = None,
    content: bytes | None = None,
    chunks: Sequence[Chunk] | None = None,
    headers: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
    delay: float = 0.0,
) -> Reply:
    """The reply with this one body. Raises UsageError for two bodies, and for an impossible status, delay or chunk."""
    bodies = {
        "json": json is not UNSET,
        "text": text is not None,
        "content": content is not None,
        "chunks": bool(chunks),
    }
    given = [name for name, is_given in bodies.items() if is_given]
    if len(given) > 1:
        raise UsageError(f"respond: `{given[0]}` and `{given[1]}` are both given; an answer has one body")
    if isinstance(status, bool) or status not in range(200, 600):
        raise UsageError(f"respond: expected a status from 200 to 599, found {status!r}")
    if not delay >= 0:
        raise UsageError(f"respond: expected a delay of seconds, 0 or more, found {delay!r}")
    fields = list(headers.items() if isinstance(headers, Mapping) else headers or ())
    body, kind = _body(json, text, content)
    if kind and not any(name.lower() == "content-type" for name, _ in fields):
        fields.append(("Content-Type", kind))
    pieces = None if chunks is None else tuple(map(_chunk, chunks))
    return Reply(status, body, tuple(fields), delay, chunks=pieces)


def _body(value: Any, text: str | None, content: bytes | None) -> tuple[bytes, str | None]:
    if value is not UNSET:
        try:
            return json.dumps(value, ensure_ascii=False).encode(), "application/json"
        except (TypeError, ValueError) as error:
            raise UsageError(f"respond: `json` cannot be written as JSON: {error}") from None
    if text is not None:
        return text.encode(), "text/plain; charset=utf-8"
    return content or b"", None


def _chunk(chunk: Any) -> bytes | float:
    if isinstance(chunk, str):
        return chunk.encode()
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, int | float) and chunk >= 0:
        return float(chunk)
    raise UsageError(f"respond: a chunk is bytes, text, or seconds until the next one; found {chunk!r}")


def given_by(value: Any) -> Reply | Fault | BaseException:
    """What the result of a function given to `Route.call` stands for."""
    if isinstance(value, Reply | Fault | BaseException):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return reply_of(value)
    if isinstance(value, bytes):
        return reply_of(content=value)
    if isinstance(value, tuple):
        return reply_of(value[0], json=value[1])
    return reply_of(json=value)
