"""`callsheet request https://host/path`: a URL in place of a service, called without a sheet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from callsheet.cli.find_sheet import Wanted
from callsheet.errors import SheetError, UsageError

if TYPE_CHECKING:
    from callsheet.sheet import ServiceSheet

SCHEME = re.compile(r"(https?:|:?)//", re.IGNORECASE)
"""Also `://example.com/x`, the rest of a URL."""
SHORT = re.compile(r":(?P<port>\d*)(?P<path>[/?].*)?", re.DOTALL)
"""`:8000/path`, on this machine."""
HOST = re.compile(
    r"(?:[^\s/?#@=]+@)?(?:(?:[^\s/?#:@=]+\.[^\s/?#:@=]+|localhost|\[[0-9A-Fa-f:.]+\])(?::\d+)?|[\w-]+:\d+)(?:[/?#].*)?",
    re.DOTALL,
)
"""`example.com/x`, `localhost:3000`, `web:8080/x`, `user:password@example.com`."""
USER = re.compile("//[^/?#]*@")
NAMES = re.compile(r"[\w.-]+")
METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH", "TRACE")
NAME = "api"


def without_sheet(words: tuple[str, ...], wanted: Wanted) -> tuple[ServiceSheet, tuple[str, ...]] | None:
    """The service that a URL stands for, and the words METHOD, PATH and items; the method is empty if none was given.

    None where the words name a service, or where METHOD and a whole URL stand and there is a sheet, whose service may be meant.
    """
    url = url_of(words[0]) if words else None
    if url:
        # `shop.get_user` may be an operation, for which `call` was forgotten.
        return None if NAMES.fullmatch(words[0]) and _has_sheet(wanted) else _service(url, ("", *words[1:]))
    url = url_of(words[1]) if words[1:] and (words[0].isupper() or words[0].upper() in METHODS) else None
    if url is None or (SCHEME.match(words[1]) and _has_sheet(wanted)):
        return None
    return _service(url, (words[0], *words[2:]))


def url_of(word: str) -> str | None:
    """The URL that a word stands for, with http where it has no scheme; None if it is none."""
    scheme = SCHEME.match(word)
    if scheme:
        return word if scheme[1].strip(":") else f"http:{word.removeprefix(':')}"
    short = SHORT.fullmatch(word)
    if short:
        port = f":{short['port']}" if short["port"] else ""
        return f"http://localhost{port}{short['path'] or '/'}"
    return f"http://{word}" if HOST.fullmatch(word) else None


def _has_sheet(wanted: Wanted) -> bool:
    try:
        return wanted.path().is_file()
    except UsageError:
        return False


def _service(url: str, words: tuple[str, ...]) -> tuple[ServiceSheet, tuple[str, ...]]:
    from callsheet.sheet import Sheet

    shown = USER.sub("//***@", url)[:60]
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UsageError(f"{shown}: {error}") from None
    host = parts.netloc.rpartition("@")[2]
    settings: dict[str, Any] = {"base_url": f"{parts.scheme}://{host}"}
    if parts.username:
        own = {"username": unquote(parts.username), "password": unquote(parts.password or "")}
        settings |= {"auth": {"basic": own}}
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    try:
        return Sheet(services={NAME: settings}).services[NAME], (words[0], path, *words[1:])
    except SheetError as error:
        raise UsageError(f"{shown}: {error.findings[0].message.partition(': ')[2]}") from None
