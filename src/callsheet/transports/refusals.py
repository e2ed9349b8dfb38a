"""What several transports refuse, and the texts they refuse it with."""

from __future__ import annotations

from collections.abc import Iterable

from callsheet.errors import CLOSED
from callsheet.settings.caps import Caps

CLOSED_IN_FLIGHT = f"{CLOSED}: it was closed while this call was in flight"
OF_PARENT = "this answer belongs to the process that this one was forked from; only that one can read it"
STREAM_CLOSED = "the answer is closed; its body cannot be read any more"

NO_LENGTH = "the Content-Length is no length (RFC 9112 6.3)"
LONGEST_BODY = 2**63 - 1
"""Bytes. libcurl ignores a longer length, as if the body ended with the connection."""


def told_length(fields: Iterable[str]) -> int | None:
    """The length that all values of the Content-Length fields agree on, None if there is no field. Raises ValueError."""
    values = {value.strip(" \t") for field in fields for value in field.split(",")}
    lengths = {value.lstrip("0") or "0" for value in values if value}
    if not values:
        return None
    told = lengths.pop() if len(lengths) == 1 else ""
    if not (told.isascii() and told.isdigit()) or len(told) > 19 or int(told) > LONGEST_BODY:
        raise ValueError(NO_LENGTH)
    return int(told)


def excess_fields(caps: Caps, count: int, size: int) -> str | None:
    """What exceeds the caps in a header block of `count` fields and `size` bytes; None if nothing does."""
    if count > caps.header_count:
        return f"{count} header fields, at most {caps.header_count} are allowed (caps.header_count)"
    if size > caps.headers:
        return f"{size} bytes of header fields, at most {caps.headers} are allowed (caps.headers)"
    return None
