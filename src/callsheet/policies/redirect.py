"""Follow a redirect that stays where the credential belongs.

A client that follows anywhere hands tokens and bodies to whoever the answer names, and one that changes no method sends
an order twice. So only the same origin (scheme, host, port) is followed, by the rules of RFC 9110 15.4, and everything
else is left to the caller as the answer that it is.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from callsheet.call import Attempt, Call
from callsheet.http.request import Request, origin_of
from callsheet.http.response import Response
from callsheet.secret import redact
from callsheet.settings.redirects import Redirects
from callsheet.verdicts import GiveUp, Resend

KEEP_METHOD = frozenset({307, 308})
MAY_CHANGE_POST = frozenset({301, 302})
SEE_OTHER = 303
FOLLOWED = KEEP_METHOD | MAY_CHANGE_POST | {SEE_OTHER}
OF_THE_BODY = frozenset({
    "content-type", "content-encoding", "content-language", "content-location", "content-disposition", "content-digest",
    "repr-digest", "digest", "last-modified", "idempotency-key",
})  # fmt: skip
"""Fields that speak of a body, and go when it goes (RFC 9110 15.4)."""
AS_WRITTEN = "/:@!$&'()*+,;=~%-._?#[]"
"""Octets of a Location that stay; any other, which no URI may hold (RFC 3986 2), is percent-encoded."""


class Target(NamedTuple):
    """Where a Location leads on this origin: path and query, for the wire and as they may be shown."""

    wire: str
    shown: str


class Redirect:
    """Ask for the request that a 3xx names, if it leads to the same origin.

    It answers `Resend` (send this one, at once, not charged to retry), or `GiveUp` by `origin`, `redirects` (too many,
    or a loop) or `body` (it cannot be sent again): then the 3xx stays.
    """

    name = "redirects"

    def __init__(self, settings: Redirects) -> None:
        self.settings = settings

    def after(self, attempt: Attempt, now: float) -> Resend | GiveUp | None:
        """The request to send instead, or why there is none."""
        outcome = attempt.outcome
        if not isinstance(outcome, Response) or outcome.status_code not in FOLLOWED:
            return None
        if (
            attempt.meaning is not None
        ):  # an error rule says that it is no redirect, but a failure: to a login page, say
            return None
        location = outcome.field(b"location")
        if location is None:
            return None
        # What was put in for this attempt alone, a token, is masked in the Location, too.
        target = target_on(attempt.request, location)
        return self._verdict(attempt.call, target, outcome.status_code)

    def _verdict(self, call: Call, target: Target | None, status: int) -> Resend | GiveUp:
        request = call.request
        if target is None:
            return GiveUp("origin")
        method = method_after(status, request.method)
        visited: list[tuple[str, str]] = call.notes.setdefault(self, [(request.method, request.wire_url)])
        following = followed(request, method, target)
        hop = (method, following.wire_url)
        if hop in visited or len(visited) > self.settings.max:
            return GiveUp(self.name)
        if following.body is not None and not following.body.is_replayable:
            return GiveUp("body")
        visited.append(hop)
        return Resend(following)


def method_after(status: int, method: str) -> str:
    """The method of the request that follows (RFC 9110 15.4.2 to 15.4.9)."""
    if status == SEE_OTHER:
        return method if method == "HEAD" else "GET"
    return "GET" if status in MAY_CHANGE_POST and method == "POST" else method


def followed(request: Request, method: str, target: Target) -> Request:
    """The request with another target; a changed method takes the body, and what speaks of it, away."""
    base = origin_part(request.wire_url)
    keeps_body = method == request.method
    return Request(
        method,
        base + target.shown,
        request.headers if keeps_body else request.headers.without(OF_THE_BODY),
        request.body if keeps_body else None,
        wire_url=base + target.wire,
        secrets=request.secrets,
        is_stream=request.is_stream,
        origin=request.origin,
    )


def origin_part(url: str) -> str:
    """Scheme and authority of an absolute URL, as they are written there."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def target_on(request: Request, location: str) -> Target | None:
    """What a Location names on the request's own origin; None for another origin, userinfo or what is no URL.

    A reference without a query takes none over (RFC 3986 5.2.2), so a secret there goes only where the Location has it;
    one without path and query means the same resource, less the secrets of its query.
    """
    reference = quote(location.encode("latin-1", "replace"), safe=AS_WRITTEN).partition("#")[0]
    public, shown_as = _query_of(request)
    base = urlsplit(request.wire_url)._replace(query=public, fragment="").geturl()
    try:
        parts = urlsplit(urljoin(base, reference))
        if "@" in parts.netloc or parts.port == 0 or origin_of(parts.geturl()) != request.origin:
            return None
    except ValueError:
        return None
    path = without_dots(parts.path or "/")
    shown = "&".join(shown_as.get(pair, pair) for pair in parts.query.split("&"))
    return Target(_joined(path, parts.query), redact(_joined(path, shown), request.secrets))


def _joined(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


def _query_of(request: Request) -> tuple[str, dict[str, str]]:
    """The query without its secret pairs, and how each secret pair is shown."""
    wire = urlsplit(request.wire_url).query.split("&")
    shown = urlsplit(request.url).query.split("&")
    if len(wire) != len(shown):
        return "", {}
    pairs = list(zip(wire, shown, strict=True))
    return "&".join(pair for pair, seen in pairs if pair == seen), {pair: seen for pair, seen in pairs if pair != seen}


def without_dots(path: str) -> str:
    """The path with `.` and `..` segments carried out (RFC 3986 5.2.4)."""
    kept: list[str] = []
    steps = path.split("/")[1:]
    for step in steps:
        if step == "..":
            del kept[-1:]
        elif step != ".":
            kept.append(step)
    if steps[-1:] in (["."], [".."]):
        kept.append("")
    return "/" + "/".join(kept)
