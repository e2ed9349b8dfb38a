"""`--dry-run`: the request as it would be sent, its secrets masked."""

from __future__ import annotations

import re

from callsheet.cli.screen import Screen, visible
from callsheet.http.request import Request
from callsheet.secret import MASK, Secret

CREDENTIALS = re.compile(r"authorization|cookie|api-?key|token|secret|password|signature|session", re.IGNORECASE)
"""Names of headers that hold credentials, even if their values are not known to be secrets."""


def is_secret(name: str, value: str | Secret) -> bool:
    """Whether a header's value must not be shown."""
    return isinstance(value, Secret) or CREDENTIALS.search(name) is not None


def head_of_request(request: Request) -> str:
    """Method, URL and header fields, secrets masked."""
    lines = [f"{name}: {MASK if is_secret(name, value) else value}" for name, value in request.headers.fields]
    return visible("\n".join([f"{request.method} {request.url}", *lines]))


def show_request(request: Request, screen: Screen) -> None:
    """Put method, URL, header fields and body on the data stream; nothing is sent."""
    from callsheet.cli.shown_body import shown_body

    screen.print(head_of_request(request))
    body = shown_body(request, screen)
    if body:
        screen.print(f"\n{body}")
