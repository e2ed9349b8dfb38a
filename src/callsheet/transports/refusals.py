"""What several transports refuse, and the texts they refuse it with."""

from __future__ import annotations

from callsheet.errors import CLOSED
from callsheet.settings.caps import Caps

CLOSED_IN_FLIGHT = f"{CLOSED}: it was closed while this call was in flight"
STREAM_CLOSED = "the answer is closed; its body cannot be read any more"


def excess_fields(caps: Caps, count: int, size: int) -> str | None:
    """What exceeds the caps in a header block of `count` fields and `size` bytes; None if nothing does."""
    if count > caps.header_count:
        return f"{count} header fields, at most {caps.header_count} are allowed (caps.header_count)"
    if size > caps.headers:
        return f"{size} bytes of header fields, at most {caps.headers} are allowed (caps.headers)"
    return None
