"""Which answers are kept, and for how long they serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from callsheet.settings.reasons import chosen


@dataclass(frozen=True, slots=True)
class Cache:
    """How answers are kept: as their header fields say (`http`, RFC 9111), or for a time of ours (`ttl`)."""

    mode: Literal["http", "ttl"] = chosen(
        "http", "`http`: the answer's own fields say how long it serves (RFC 9111); `ttl`: we do"
    )
    ttl: float | None = chosen(None, "for how long a success serves in mode `ttl`, whatever its fields say")
    methods: tuple[str, ...] | None = chosen(
        None,
        "Methods whose answers are kept in mode `ttl` (none named: GET, HEAD, and that of an operation that is `safe`)",
    )
    vary_on: tuple[str, ...] | None = chosen(
        None,
        "Arguments and header fields that tell answers apart, beside URL, body, `Vary` and who we are "
        "(none named: in mode `ttl` every header field of the call)",
    )
    shared: bool = chosen(
        False,
        "whether everybody may be shown the answer: in mode `http` those that say `public`, in mode `ttl` all (false)",
    )
    max_entry: int = chosen(1024 * 1024, "A larger answer is not kept (1 MiB: one must not push out all the others)")
    stale_while_revalidate: float | None = chosen(
        None,
        "for how long after its end an answer serves while another is fetched (none: as the answer says, RFC 5861)",
    )
    stale_if_error: float | None = chosen(
        None,
        "for how long after its end an answer serves where the call would fail (none: as the answer says, RFC 5861)",
    )
