"""Problem details (RFC 9457): the standard shape of an error answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MEDIA_TYPE = "application/problem+json"
TEXTS = ("type", "title", "detail", "instance")


@dataclass(frozen=True)
class ProblemDetails:
    """An error as the service describes it (RFC 9457 3.1). `extensions` has the members that the service added."""

    type: str = "about:blank"
    title: str | None = None
    status: int | None = None
    detail: str | None = None
    instance: str | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)


def problem_from(document: Any) -> ProblemDetails | None:
    """Problem details from parsed JSON, None if it is no object. Members of a wrong type are ignored (RFC 9457 3.1)."""
    if not isinstance(document, dict):
        return None
    known = {name: document[name] for name in TEXTS if isinstance(document.get(name), str)}
    status = document.get("status")
    if isinstance(status, int) and not isinstance(status, bool):
        known["status"] = status
    return ProblemDetails(**known, extensions={k: v for k, v in document.items() if k not in (*TEXTS, "status")})
