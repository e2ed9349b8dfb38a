"""Return cookies to the service that set them, and to no other.

Off by default: an API that needs a session says so. Each service has a jar of its own, kept by the standard library's
`http.cookiejar` under the rules of RFC 6265 and the stricter ones of its successor (RFC 6265bis): a cookie without
`Domain` is sent to its host only, a `Secure` one is accepted and sent over https only, and the rules of the prefixes
`__Host-` and `__Secure-` are enforced.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from email.utils import mktime_tz, parsedate_tz
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from types import SimpleNamespace
from urllib.parse import urlsplit
from urllib.request import Request as StandardRequest

from callsheet.call import Attempt
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.policies.scope import Own, Scope
from callsheet.secret import Secret
from callsheet.settings.settings import Settings
from callsheet.verdicts import Change

MOST_COOKIES = 50
"""Cookies kept per service (RFC 6265 6.1 asks for as many per domain). Beyond that the oldest are dropped."""
LONGEST_COOKIE = 4096
"""Characters of name and value (RFC 6265 6.1)."""
LONGEST_LIFE = 400 * 86400
"""Seconds (RFC 6265bis 5.5)."""
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
PORT = re.compile(r":[0-9]*\Z")
MAX_AGE = re.compile(r"-?[0-9]+\Z")
ADDRESS = re.compile(r"[0-9.]+\Z|\[")
"""A host that is an address has no domain above it (RFC 6265 5.1.3)."""


class Cookies:
    """Put the cookies of a service's jar into each request, and take those of each answer into the jar.

    It answers `Change`: the same request with a Cookie field. A cookie that the caller gave replaces the jar's of the same
    name. One jar serves all operations of a service, from any thread. `wall_clock` is the time of day, by which cookies
    expire.
    """

    name = "cookies"

    def __init__(self, wall_clock: Callable[[], float]) -> None:
        self.wall_clock = wall_clock
        self.forget()

    @property
    def holds_any(self) -> bool:
        """Whether the jar holds a cookie."""
        return len(self.jar) > 0

    def before(self, attempt: Attempt, now: float) -> Change | None:
        """The request with the cookies of the jar that belong to its URL; nothing if there are none."""
        request = attempt.request
        changed = with_cookies(request, self._pairs_for(request))
        return None if changed is request else Change(changed)

    def after(self, attempt: Attempt, now: float) -> None:
        """Keep, replace and delete cookies as the answer says, whatever its status."""
        answer = attempt.outcome
        if not isinstance(answer, Response) or answer.field(b"set-cookie") is None:
            return
        moment = self.wall_clock()
        asked = standard(attempt.request)
        with self.lock:
            self.jar.take(answer.headers.get_list("set-cookie"), asked, moment)

    def forget(self) -> None:
        """Begin with an empty jar in a forked child: the session belongs to the parent."""
        self.lock = threading.Lock()
        self.jar = Jar()

    def _pairs_for(self, request: Request) -> list[str]:
        with self.lock:
            if not len(self.jar):
                return []
            asked = standard(request)
            self.jar.drop_expired(self.wall_clock())
            self.jar.add_cookie_header(asked)
        field = asked.get_header("Cookie", "")
        return field.split("; ") if field else []


def make(settings: Settings, scope: Scope, own: Own) -> tuple[Cookies, ...]:
    """The one jar of the service."""
    return (scope.one(("cookies",), lambda: Cookies(scope.wall_clock)),) if settings.cookies else ()


class Rules(DefaultCookiePolicy):
    """Which cookies are kept and returned."""

    def __init__(self) -> None:
        super().__init__(
            rfc2965=False, strict_domain=True, strict_ns_domain=self.DomainStrictNonDomain, secure_protocols=("https",)
        )

    def set_ok(self, cookie: Cookie, request: StandardRequest) -> bool:
        """Whether a cookie may be kept."""
        is_secure = request.type == "https"
        name = cookie.name.lower()
        if cookie.secure and not is_secure:
            return False
        if cookie.domain_specified and ADDRESS.match(host_of(request)):
            return False
        if name.startswith(("__host-", "__secure-")) and not cookie.secure:
            return False
        if name.startswith("__host-") and (cookie.domain_specified or not cookie.path_specified or cookie.path != "/"):
            return False
        return super().set_ok(cookie, request)

    def return_ok_expires(self, cookie: Cookie, request: StandardRequest) -> bool:
        """True: `Jar.drop_expired` has already removed expired cookies, by the clock of the policy."""
        return True


class Jar(CookieJar):
    """Cookies by domain, path and name. Unlike its base, it reads no clock: its methods are given the time."""

    def __init__(self) -> None:
        self.rules = Rules()
        super().__init__(self.rules)
        # `Cookies` has a lock. An interrupt right after this one is taken would leave it so.
        self._cookies_lock = SimpleNamespace(acquire=bool, release=bool)

    def clear_expired_cookies(self) -> None:
        """Do nothing: the base would read the clock here; `drop_expired` is given the time."""

    def drop_expired(self, now: float) -> None:
        """Remove the cookies that have expired."""
        for cookie in [cookie for cookie in self if cookie.is_expired(int(now))]:
            self.clear(cookie.domain, cookie.path, cookie.name)

    def take(self, fields: list[str], request: StandardRequest, now: float) -> None:
        """Keep, replace or delete the cookies of an answer's Set-Cookie fields; ignore those that the rules do not allow."""
        for field in fields:
            cookie = cookie_from(field, request, now)
            if cookie is not None and self.rules.set_ok(cookie, request):
                self.set_cookie(cookie)
        self.drop_expired(now)
        kept = list(self)
        for oldest in kept[: max(0, len(kept) - MOST_COOKIES)]:
            self.clear(oldest.domain, oldest.path, oldest.name)


def cookie_from(field: str, request: StandardRequest, now: float) -> Cookie | None:
    """The cookie in a Set-Cookie field (RFC 6265 5.2); None if the field holds no valid one."""
    first, *rest = field.split(";")
    name, equals, value = (part.strip(" \t") for part in first.partition("="))
    if not name or not equals or CONTROL.search(field) or len(name) + len(value) > LONGEST_COOKIE:
        return None
    attributes = dict(map(_attribute, rest))
    domain = _domain(attributes.get("domain", ""), host_of(request))
    path = attributes.get("path", "")
    is_path = path.startswith("/")
    expires = _expiry(attributes, now)
    return Cookie(
        version=0,
        name=name,
        value=value,
        port=None,
        port_specified=False,
        domain=domain or _dotted(host_of(request)),
        domain_specified=bool(domain),
        domain_initial_dot=bool(domain),
        path=path if is_path else default_path(request),
        path_specified=is_path,
        secure="secure" in attributes,
        expires=expires,
        discard=expires is None,
        comment=None,
        comment_url=None,
        rest={},
    )


def _attribute(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name.strip(" \t").lower(), value.strip(" \t")


def _domain(given: str, host: str) -> str:
    """The Domain attribute with a leading dot, as the jar spells it; empty for a cookie that belongs to the host alone."""
    domain = given.lower().removeprefix(".")
    if not domain or (domain == host and (ADDRESS.match(host) or "." not in host)):
        return ""
    return f".{domain}"


def _dotted(host: str) -> str:
    """The host as the jar spells it: it adds `.local` to one without dots (RFC 2965 1)."""
    return host if "." in host else f"{host}.local"


def _expiry(attributes: dict[str, str], now: float) -> int | None:
    """When a cookie expires, in seconds of the epoch; None: with the jar. Max-Age overrides Expires (RFC 6265 4.1.2.2)."""
    age = attributes.get("max-age", "")
    if MAX_AGE.match(age):
        return int(now + (0 if age.startswith("-") else min(int(age[:12]), LONGEST_LIFE)))
    try:
        moment = mktime_tz(parsedate_tz(attributes.get("expires", "")))  # type: ignore[arg-type]  # None raises TypeError
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return int(min(moment, now + LONGEST_LIFE))


def host_of(request: StandardRequest) -> str:
    """The host without its port, in lower case."""
    return PORT.sub("", request.host).lower()


def default_path(request: StandardRequest) -> str:
    """The folder of the request's path (RFC 6265 5.1.4)."""
    return urlsplit(request.full_url).path.rpartition("/")[0] or "/"


def standard(request: Request) -> StandardRequest:
    """The request as the standard library's type, which its jar expects."""
    return StandardRequest(request.wire_url)  # noqa: S310 it is never opened, only read


def with_cookies(request: Request, pairs: list[str]) -> Request:
    """The request with one Cookie field (RFC 6265 5.4): its own cookies, then those of `pairs` with other names."""
    given = [value for name, value in request.headers.fields if name.lower() == "cookie"]
    named = {pair.partition("=")[0].strip() for value in given for pair in _text(value).split(";")}
    added = [pair for pair in pairs if pair.partition("=")[0] not in named]
    if not added:
        return request
    parts = [part for value in given for part in (value, "; ")]
    return request.with_headers(request.headers.with_fields([("Cookie", Secret(*parts, "; ".join(added)))]))


def _text(value: str | Secret) -> str:
    """The text of a Cookie field. A secret one is revealed, because the names of its cookies stand beside their values."""
    return value if isinstance(value, str) else value.reveal()
