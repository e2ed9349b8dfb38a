"""Follow a redirect within the origin that the credential belongs to.

A client that follows every redirect hands tokens and bodies to any server that an answer names, and one that never changes
the method sends an order twice. So redirects within the same origin (scheme, host, port) are followed, by the rules of RFC
9110 15.4; any other 3xx is given to the caller. To a further origin that the sheet allows goes only a GET or HEAD without
body and credentials. No redirect from there back to the service is followed: it would carry credentials again.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from callsheet.call import Attempt, Call
from callsheet.http.cross_origin import harmless, is_downgrade, spelled
from callsheet.http.request import Origin, Request, origin_of
from callsheet.http.response import Response
from callsheet.policies.scope import Own, Scope
from callsheet.secret import redact
from callsheet.settings.redirects import Redirects
from callsheet.settings.settings import Settings
from callsheet.verdicts import GiveUp, Resend

KEEP_METHOD = frozenset({307, 308})
MAY_CHANGE_POST = frozenset({301, 302})
SEE_OTHER = 303
FOLLOWED = KEEP_METHOD | MAY_CHANGE_POST | {SEE_OTHER}
OF_THE_BODY = frozenset({
    "content-type", "content-encoding", "content-language", "content-location", "content-disposition", "content-digest",
    "repr-digest", "digest", "last-modified", "idempotency-key",
})  # fmt: skip
"""Fields that describe a body, and are dropped with it (RFC 9110 15.4)."""
AS_WRITTEN = "/:@!$&'()*+,;=~%-._?#[]"
"""Characters of a Location that are kept; any other may not stand in a URI (RFC 3986 2) and is percent-encoded."""
SAFE_ELSEWHERE = frozenset({"GET", "HEAD"})
NOWHERE: frozenset[Origin] = frozenset()


class RedirectTarget(NamedTuple):
    """Where a Location leads: the origin, then path and query, once for the wire and once with secrets masked."""

    origin: Origin
    wire: str
    shown: str


class Redirect:
    """Ask for the request that a 3xx names, if it leads to the same origin, or to one of `allowed`.

    It answers `Resend` (send that request at once, not charged to retry), or `GiveUp` by `origin`, `redirects` (too many,
    or a loop) or `body` (it cannot be sent again): then the call's answer is the 3xx.
    """

    name = "redirects"

    def __init__(self, settings: Redirects, allowed: frozenset[Origin] = NOWHERE) -> None:
        self.settings = settings
        self.allowed = allowed

    def after(self, attempt: Attempt, now: float) -> Resend | GiveUp | None:
        """The request to send instead, or why there is none."""
        outcome = attempt.outcome
        if not isinstance(outcome, Response) or outcome.status_code not in FOLLOWED:
            return None
        if attempt.meaning is not None:  # an error rule takes it for a failure, such as a redirect to a login page
            return None
        location = outcome.field(b"location")
        if location is None:
            return None
        # The attempt's own request, not the call's: a token that was added for this attempt is masked in the Location, too.
        target = target_on(attempt.request, location, self.allowed)
        return self._verdict(attempt.call, target, outcome.status_code)

    def _verdict(self, call: Call, target: RedirectTarget | None, status: int) -> Resend | GiveUp:
        request = call.request
        if target is None:
            return GiveUp("origin")
        method = method_after(status, request.method)
        visited: list[tuple[str, str]] = call.notes.setdefault(self, [(request.method, request.wire_url)])
        if target.origin != request.origin and not may_leave(request, method):
            return GiveUp("origin")
        following = followed(request, method, target)
        hop = (method, following.wire_url)
        if hop in visited or len(visited) > self.settings.max:
            return GiveUp(self.name)
        if following.body is not None and not following.body.is_replayable:
            return GiveUp("body")
        visited.append(hop)
        return Resend(following)


def make(settings: Settings, scope: Scope, own: Own) -> tuple[Redirect, ...]:
    """The policy that follows redirects within the service's origin, and to those that the settings allow."""
    return () if settings.redirects is None else (Redirect(settings.redirects, settings.other_origins),)


def method_after(status: int, method: str) -> str:
    """The method of the request that follows (RFC 9110 15.4.2 to 15.4.9)."""
    if status == SEE_OTHER:
        return method if method == "HEAD" else "GET"
    return "GET" if status in MAY_CHANGE_POST and method == "POST" else method


def followed(request: Request, method: str, target: RedirectTarget) -> Request:
    """The request to the target of a redirect.

    If the method changes, the body and the fields that describe it are dropped. To another origin only harmless fields go.
    """
    base, headers, body = origin_part(request.wire_url), request.headers, request.body
    if target.origin != request.origin:
        base, headers, body = spelled(target.origin), harmless(headers), None
    elif method != request.method:
        headers, body = headers.without(OF_THE_BODY), None
    return Request(
        method,
        base + target.shown,
        headers,
        body,
        wire_url=base + target.wire,
        secrets=request.secrets,
        is_stream=request.is_stream,
        origin=target.origin,
    )


def may_leave(request: Request, method: str) -> bool:
    """Whether the request that follows may go to another origin: only a GET or HEAD without a body may."""
    return method in SAFE_ELSEWHERE and (method != request.method or request.body is None)


def origin_part(url: str) -> str:
    """Scheme and authority of an absolute URL, as they are written there."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def target_on(request: Request, location: str, allowed: frozenset[Origin] = NOWHERE) -> RedirectTarget | None:
    """The target of a Location on the request's own origin or an allowed one. None for another origin, an empty
    host, userinfo or no URL.

    A Location without a query does not take over the request's (RFC 3986 5.2.2), so a secret in that query is sent only if
    the Location repeats it. One without path and query means the same resource, without the secrets of its query.
    """
    reference = quote(location.encode("latin-1", "replace"), safe=AS_WRITTEN).partition("#")[0]
    public, shown_as = _query_of(request)
    base = urlsplit(request.wire_url)._replace(query=public, fragment="").geturl()
    try:
        written = urlsplit(reference)
        if (written.scheme or reference.startswith("//")) and not written.hostname:  # no URL of http (RFC 9110 4.2.1)
            return None
        parts = urlsplit(urljoin(base, reference))
        origin = origin_of(parts.geturl())
        if "@" in parts.netloc or parts.port == 0:
            return None
    except ValueError:
        return None
    path = without_dots(parts.path or "/")
    if origin != request.origin:
        is_allowed = origin in allowed and not is_downgrade(request.origin, origin)
        away = RedirectTarget(origin, *[_joined(path, parts.query)] * 2)
        return away if is_allowed and not _tells(request, away.wire, shown_as) else None
    shown = "&".join(shown_as.get(pair, pair) for pair in parts.query.split("&"))
    return RedirectTarget(origin, _joined(path, parts.query), redact(_joined(path, shown), request.secrets))


def _tells(request: Request, target: str, secret_pairs: dict[str, str]) -> bool:
    """Whether a target contains a secret of the request: servers copy the query of the request into a Location."""
    query = target.partition("?")[2].split("&")
    return redact(target, request.secrets) != target or any(pair in secret_pairs for pair in query)


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
    """The path with its `.` and `..` segments resolved (RFC 3986 5.2.4)."""
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
