"""The request of the page that a link leads to: the operation's own, with another URL, on an origin that it may go to."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urljoin

from callsheet.errors import ArgumentError, OriginRefused
from callsheet.http.cross_origin import harmless, spelled
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.plan.compile import RequestBase, joined_url
from callsheet.plan.other_origins import Destination, check_allowed, check_untold, place_of
from callsheet.secret import redact

SAFE = ("GET", "HEAD")


def resolved(link: str, request: Request, response: Response) -> str:
    """The absolute URL of a link (RFC 3986 5.2), without the secrets of the request's query that the service repeated."""
    found = response.url if response.url != request.url else request.wire_url
    try:
        url = urljoin(found.partition("?")[0], link.strip().partition("#")[0])
    except ValueError:
        return link
    start, mark, query = url.partition("?")
    secret = {wire for wire, shown in _pairs(request) if wire != shown}
    return start + mark + "&".join(pair for pair in query.split("&") if pair not in secret)


def request_at(link: str, request: Request, base: RequestBase, mask: Callable[[str], str]) -> Request:
    """The request of an operation, sent to an absolute URL instead; `mask` masks it where it is shown. Raises OriginRefused."""
    try:
        place = place_of(link)
    except ArgumentError as error:
        raise OriginRefused(mask(f"the link to the next page: {error}"), stopped_by="origin") from None
    if place.origin != base.origin:
        return _elsewhere(place, request, base, mask)
    named = {pair.partition("=")[0] for pair in place.path.partition("?")[2].split("&")}
    constant = {pair.partition("=")[0] for pair in base.shown_query}
    kept = [
        (wire, shown)
        for wire, shown in _pairs(request)
        if (name := wire.partition("=")[0]) not in named and (wire != shown or name in constant)
    ]
    home = spelled(base.origin)
    shown_url = joined_url(home, place.path, [shown for _, shown in kept])
    return Request(
        request.method,
        mask(redact(shown_url, request.secrets)),
        request.headers,
        request.body,
        wire_url=joined_url(home, place.path, [wire for wire, _ in kept]),
        secrets=request.secrets,
        origin=base.origin,
    )


def _elsewhere(place: Destination, request: Request, base: RequestBase, mask: Callable[[str], str]) -> Request:
    check_allowed(place, base.settings)
    if request.method not in SAFE or request.body is not None:
        message = f"{spelled(place.origin)}: only a GET without a body goes to another origin than the service's own"
        raise OriginRefused(message, stopped_by="origin")
    url = spelled(place.origin) + place.path
    made = Request(request.method, url, harmless(request.headers), secrets=request.secrets, origin=place.origin)
    try:
        check_untold(made, request.secrets)
    except ArgumentError as error:
        raise OriginRefused(str(error), stopped_by="origin") from None
    if mask(url) != url:
        message = f"{spelled(place.origin)}: the link holds a secret of the request, which goes to its own origin alone"
        raise OriginRefused(message, stopped_by="origin")
    return made


def _pairs(request: Request) -> list[tuple[str, str]]:
    """Each pair of the query as it is sent, and as it may be shown."""
    sent, shown = request.wire_url.partition("?")[2].split("&"), request.url.partition("?")[2].split("&")
    return list(zip(sent, shown, strict=True)) if len(sent) == len(shown) else []
