"""All settings of one operation, in one record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from callsheet.http.cross_origin import is_downgrade
from callsheet.http.request import Origin, origin_of
from callsheet.secret import Secret
from callsheet.settings.breaker import Breaker
from callsheet.settings.cache import Cache
from callsheet.settings.caps import Caps
from callsheet.settings.concurrency import Concurrency
from callsheet.settings.envelope import Envelope
from callsheet.settings.error_rules import ErrorRule
from callsheet.settings.fallback import Fallback
from callsheet.settings.idempotency_key import IdempotencyKey
from callsheet.settings.pages import Paginate
from callsheet.settings.pool import Pool
from callsheet.settings.rate_limit import RateLimit
from callsheet.settings.redirects import Redirects
from callsheet.settings.retry import Retry
from callsheet.settings.timeout import Timeout, WrittenTimeout
from callsheet.settings.tls import TLS


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """How requests prove who sends them: `kind` is a word of the sheet (`bearer`, `basic`, `api_key`), `options` its
    values, every credential among them a `Secret`.
    """

    kind: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SignSettings:
    """How requests are signed: `kind` is a word of the sheet (`hmac`, `http_signature`, `aws`), `options` its values with
    their defaults, every key among them a `Secret`.
    """

    kind: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of an operation, or of a service's undeclared requests. None means off.

    `headers` and `params` are sent with every request. `written` has the limits of `timeout` that were written, so that a
    call's own can replace some of them. `proxy` is a URL with its port, a `Secret` if it holds a password. `allow_origins`
    are further origins that requests may go to, as `scheme://host` with a port that is not the scheme's own (none: what is
    sent to a service is meant for it). `addresses` says which addresses may be connected to (any: many services run in
    their caller's private network).
    """

    base_url: str
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    timeout: Timeout = Timeout()
    written: WrittenTimeout = WrittenTimeout()
    retry: Retry | None = Retry()
    idempotent: bool = False
    idempotency_key: IdempotencyKey | None = None
    breaker: Breaker | None = Breaker()
    rate_limit: RateLimit = RateLimit()
    concurrency: Concurrency = Concurrency()
    pool: Pool = Pool()
    caps: Caps = Caps()
    tls: TLS = TLS()
    http2: bool = False
    auth: AuthSettings | None = None
    sign: SignSettings | None = None
    redirects: Redirects | None = None
    cookies: bool = False
    proxy: str | Secret | None = None
    trust_env: bool = False
    compress: Literal["gzip"] | None = None
    deadline_header: str | None = None
    envelope: Envelope | None = None
    errors: tuple[ErrorRule, ...] = ()
    fallback: Fallback | None = None
    cache: Cache | None = None
    paginate: Paginate | None = None
    allow_origins: tuple[str, ...] = ()
    addresses: Literal["any", "public"] = "any"

    @property
    def origin(self) -> Origin:
        """The service's own origin."""
        return origin_of(self.base_url)

    @property
    def other_origins(self) -> frozenset[Origin]:
        """The allowed origins except its own; those of plain http are left out if the service is called by https."""
        home = self.origin
        listed = {origin_of(origin) for origin in self.allow_origins} - {home}
        return frozenset(origin for origin in listed if not is_downgrade(home, origin))

    @property
    def all_tls(self) -> tuple[TLS, ...]:
        """The TLS settings of the service, and those of its token endpoint if it has its own."""
        own = self.auth.options.get("tls") if self.auth else None
        return (self.tls,) if own is None else (self.tls, own)
