"""Requests to another origin that the sheet allows: they carry nothing that proves who we are.

They carry only what is known to be harmless, so that a new kind of credential is never sent there by mistake. A policy is
asked only about requests to the service's own origin unless its line in `plan/order.py` says `all_origins`; of the sheet's
header fields only those that `http/cross_origin.py` lists are sent, and of its parameters none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from callsheet.errors import ArgumentError, OriginRefused
from callsheet.http.cross_origin import exact_origin, is_downgrade, spelled
from callsheet.http.request import CREDENTIALS, Origin, Request
from callsheet.plan.path import checked_target
from callsheet.secret import Secret, redact
from callsheet.settings.settings import Settings

ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
URL = re.compile(
    r"(?P<origin>https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?)(?P<rest>[/?].*)?\Z",
    re.IGNORECASE | re.DOTALL,
)
USER_INFO = re.compile(r"(?<=//)[^/]*@")
EXPECTED = "expected a path that begins with one `/`, or an http or https URL without user name"
Keyed = Callable[[Request], str | None]


class Destination(NamedTuple):
    """Where an absolute URL leads: its origin, and its path with the query, encoded for the wire."""

    origin: Origin
    path: str


def is_absolute(target: Any) -> bool:
    """Whether the target of a request is a URL with a scheme, not a path."""
    return isinstance(target, str) and ABSOLUTE.match(target) is not None


def place_of(url: str) -> Destination:
    """Origin and path of an absolute URL. Raises ArgumentError for a URL that different programs read differently."""
    match = URL.match(url)
    try:
        origin = None if match is None or (match["port"] and not int(match["port"])) else exact_origin(match["origin"])
    except ValueError:
        origin = None
    if match is None or origin is None:
        shown = USER_INFO.sub("***@", url.partition("?")[0])[:80]
        raise ArgumentError(f"path {shown!r}: {EXPECTED}; a host outside ASCII is written in its `xn--` form")
    rest = match["rest"] or "/"
    return Destination(origin, checked_target(rest if rest.startswith("/") else f"/{rest}"))


def check_allowed(place: Destination, settings: Settings) -> None:
    """Raises OriginRefused, which says what to write on the sheet, for an origin that the service may not go to."""
    home = settings.origin
    if place.origin in settings.other_origins:
        return
    wanted = spelled(place.origin)
    if is_downgrade(home, place.origin):
        raise OriginRefused(
            f"{wanted} is not {spelled(home)}, and from https no request goes to http", stopped_by="origin"
        )
    message = f"{wanted} is not the origin of this service, {spelled(home)}"
    what = f"to go there without credentials, write `allow_origins: [{wanted}]` at the service"
    raise OriginRefused(f"{message}; {what}; to prove who you are there, declare it as a service", stopped_by="origin")


def check_given(headers: Mapping[str, Any] | None, proving: frozenset[str]) -> None:
    """Raises ArgumentError if the caller gave a header whose name is that of a credential."""
    for name in headers or {}:
        if str(name).lower() in proving:
            raise ArgumentError(
                f"header `{name}`: a credential goes to the service's own origin alone; declare the other one as a service"
            )


def check_untold(request: Request, secrets: tuple[Secret, ...]) -> None:
    """Raises ArgumentError for a request whose URL or header fields contain a secret of the service."""
    texts = [request.wire_url, *(value for _, value in request.headers.fields if isinstance(value, str))]
    if any(redact(text, secrets) != text for text in texts):
        raise ArgumentError(
            f"{spelled(request.origin)}: the URL or a header holds a secret of the service, which goes to its own origin alone"
        )


def proving_names(fields: Any, later: tuple[str, ...]) -> frozenset[str]:
    """The names, in lower case, of header fields that hold a credential, in general or for this service."""
    secret = {name.lower() for name, value in fields if isinstance(value, Secret)}
    return CREDENTIALS | secret | {name.lower() for name in later}


def keyed_at_home(keyed: Keyed | None, settings: Settings) -> Keyed | None:
    """The function that puts keys on requests, limited to requests to the service's own origin."""
    if keyed is None or not settings.allow_origins:
        return keyed
    home = settings.origin
    return lambda request: keyed(request) if request.origin == home else None
