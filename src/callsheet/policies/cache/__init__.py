"""Answer from the store where the rules of HTTP caching, or a time to live, allow it (RFC 9111, 5861, 8246).

Many services answer the same question with the same bytes for minutes. Whoever stores that has to know for how long it holds,
whose answer it is, and what makes it void; and a hundred calls that miss at once must not become a hundred requests.
"""

from __future__ import annotations

from typing import Any

from callsheet.auth.principal import is_found_by_chance, principal_of
from callsheet.policies.cache.cache import Cache, methods_of
from callsheet.policies.cache.storing import CacheStore, Invalidation
from callsheet.policies.scope import Own, Scope
from callsheet.settings.cache import Cache as CacheSettings
from callsheet.settings.retry import SAFE_METHODS
from callsheet.settings.settings import Settings


def make(settings: Settings, scope: Scope, own: Own, jar: Any = None) -> tuple[Cache, ...]:
    """The policy of an operation whose answers may be kept. `jar` is that of the service."""
    chosen = settings.cache
    if chosen is None or (own.operation and own.method not in methods_of(chosen, own)):
        return ()
    return (scope.one(("cache", own, settings), lambda: Cache(chosen, settings, scope, own, jar)),)


def why_never(settings: Settings, own: Own) -> str:
    """Why no answer under these settings is stored, though a `cache` is written; "" if some may be."""
    chosen = settings.cache
    if chosen is None:
        return ""
    if own.safe is False:
        return "nothing is stored: `safe: false` says that the call changes something"
    if own.operation and own.method not in methods_of(chosen, own):
        hint = ", unless it is `safe`" if own.method == "POST" and chosen.mode == "ttl" else ""
        return f"nothing is stored: an answer to {own.method} is not kept{hint}"
    if principal_of(settings) is None and not chosen.shared:
        if is_found_by_chance(settings.sign):
            return "nothing is stored: the environment or the machine gives the credentials of AWS, and the sheet does not say whose"
        return "nothing is stored: a function gives the credential, and the sheet does not say whose; write `auth: {python, identity}`"
    return ""


def make_store(settings: Settings, scope: Scope, own: Own, jar: Any = None) -> tuple[Any, ...]:
    """What stores answers; and where any call of the service is cached, what drops them as calls change something."""
    cached = make(settings, scope, own, jar)
    stores: tuple[Any, ...] = tuple(CacheStore(each) for each in cached)
    only_reads = own.method in SAFE_METHODS if own.operation and own.safe is None else own.safe
    if only_reads or not scope.caches:
        return stores
    cache = cached[0] if cached else Cache(CacheSettings(), settings, scope, own, jar)
    return (*stores, Invalidation(cache, is_safe=own.safe))
