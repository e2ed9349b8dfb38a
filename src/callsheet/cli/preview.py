"""`--dry-run`: the request as it would be sent, its secrets masked."""

from __future__ import annotations

import re

from callsheet.cli.output import json_text
from callsheet.cli.screen import Screen, visible
from callsheet.errors import DecodeError
from callsheet.http.request import Request
from callsheet.secret import MASK, Secret, redact

CREDENTIALS = re.compile(r"authorization|cookie|api-?key|token|secret|password|signature|session", re.IGNORECASE)
"""Header names whose values are credentials, wherever they came from."""


def is_secret(name: str, value: str | Secret) -> bool:
    """Whether a header's value must not be shown."""
    return isinstance(value, Secret) or CREDENTIALS.search(name) is not None


def show_request(request: Request, screen: Screen) -> None:
    """Put method, URL, header fields and body on the data stream; nothing is sent."""
    screen.print("\n".join([f"{request.method} {request.url}", *_header_lines(request)]))
    content = request.body.content if request.body is not None else None
    if content:
        screen.print("\n" + redact(visible(_laid_out(content, screen)), request.secrets))


def _header_lines(request: Request) -> list[str]:
    return [f"{name}: {MASK if is_secret(name, value) else value}" for name, value in request.headers.fields]


def _laid_out(content: bytes, screen: Screen) -> str:
    if screen.is_terminal:
        from callsheet.http.json import loads

        try:
            return json_text(loads(content))
        except (ValueError, DecodeError):
            pass
    return content.decode("utf-8", "replace")
