"""Problem details (RFC 9457): the standard shape of an error answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MEDIA_TYPE = "application/problem+json"


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
    """Problem details from parsed JSON. Members of the wrong type are ignored, as RFC 9457 3.1 asks."""
    if not isinstance(document, dict):
        return None
    known = {name: document[name] for name in ("type", "title", "detail", "instance") if _is_text(document, name)}
    status = document.get("status")
    if isinstance(status, int) and not isinstance(status, bool):
        known["status"] = status
    standard = ("type", "title", "status", "detail", "instance")
    return ProblemDetails(**known, extensions={k: v for k, v in document.items() if k not in standard})


def _is_text(document: dict[str, Any], name: str) -> bool:
    return isinstance(document.get(name), str)
