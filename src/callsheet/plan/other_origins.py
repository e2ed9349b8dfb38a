"""Requests to another origin that the sheet allows: nothing goes there that proves who we are.

Only what is known to be harmless goes along, so that a new kind of credential stays at home without a line here: policies
whose line in `plan/order.py` does not say otherwise are asked only about requests to the service's own origin, and of the
sheet's header fields and parameters only those that `http/cross_origin.py` lists are sent.
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


class Destination(NamedTuple):
    """Where an absolute URL leads: the origin, and path and query as on the wire."""

    origin: Origin
    path: str


def is_absolute(target: Any) -> bool:
    """Whether it is a URL with its scheme."""
    return isinstance(target, str) and ABSOLUTE.match(target) is not None


def place_of(url: str) -> Destination:
    """Origin and path of an absolute URL. Raises ArgumentError for one that is read differently here and there."""
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
    """Raises OriginRefused, which says what to write on the sheet."""
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
    """Raises ArgumentError for a header of this call that is a credential, by its name."""
    for name in headers or {}:
        if str(name).lower() in proving:
            raise ArgumentError(
                f"header `{name}`: a credential goes to the service's own origin alone; declare the other one as a service"
            )


def check_untold(request: Request, secrets: tuple[Secret, ...]) -> None:
    """Raises ArgumentError for a request that has a secret of the service in its URL or a field."""
    texts = [request.wire_url, *(value for _, value in request.headers.fields if isinstance(value, str))]
    if any(redact(text, secrets) != text for text in texts):
        raise ArgumentError(
            f"{spelled(request.origin)}: the URL or a header holds a secret of the service, which goes to its own origin alone"
        )


def proving_names(fields: Any, later: tuple[str, ...]) -> frozenset[str]:
    """The names, in lower case, of header fields that are a credential: always, or for this service."""
    secret = {name.lower() for name, value in fields if isinstance(value, Secret)}
    return CREDENTIALS | secret | {name.lower() for name in later}


def keyed_at_home(
    keyed: Callable[[Request], str | None] | None, settings: Settings
) -> Callable[[Request], str | None] | None:
    """What keys requests, to the service's own origin only."""
    if keyed is None or not settings.allow_origins:
        return keyed
    home = settings.origin
    return lambda request: keyed(request) if request.origin == home else None
