"""What a cache did for one call, in the words of `Cache-Status` (RFC 9211)."""

from __future__ import annotations

NAME = "callsheet"


def hit(left: float) -> str:
    """The answer came from the cache; it is stale in `left` seconds, or has been for as long if that is negative."""
    return f"{NAME}; hit; ttl={round(left)}"


def forwarded(
    why: str, *, status: int | None = None, stored: bool = False, collapsed: bool = False, detail: str = ""
) -> str:
    """The service was asked: `why`, what it said to a conditional request, whether its answer was stored, and why not."""
    parts = [NAME, f"fwd={why}"]
    if status is not None:
        parts.append(f"fwd-status={status}")
    if stored:
        parts.append("stored")
    if collapsed:
        parts.append("collapsed")
    if detail:
        quoted = detail.replace("\\", "\\\\").replace('"', '\\"')
        parts.append(f'detail="{quoted}"')
    return "; ".join(parts)
