"""The cache of a client as its user sees it: to be cleared, and counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from callsheet.errors import APIError, UsageError
from callsheet.sheet import ServiceSheet
from callsheet.stores.base import Clear, StoreUnavailableError

PATIENCE = 10.0
"""Seconds that clearing a store may take."""


class CacheCounts(NamedTuple):
    """What the cache was asked since the client was made: `requests`, of which `hits` were answered by it; `network` is how many
    answers the service was asked for, retries included.
    """

    requests: int
    hits: int
    network: int


class _AnyCacheControl:
    """What both colours have in common."""

    def __init__(
        self, store: Any, services: Mapping[str, ServiceSheet], states: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._store = store
        self._services = services
        self._states = states

    def counts(self, service: str | None = None) -> CacheCounts:
        """What this client asked the cache, for one service or for all. Raises UsageError for an unknown service."""
        self._check(service, None)
        states = [state for name, state in self._states().items() if service in (None, name)]
        return CacheCounts(
            sum(state.requests for state in states),
            sum(state.hits for state in states),
            sum(state.network for state in states),
        )

    def _question(self, service: str | None, operation: str | None) -> Clear:
        self._check(service, operation)
        for name, state in self._states().items():
            if service in (None, name):
                state.changed()
        return Clear(service, operation)

    def _check(self, service: str | None, operation: str | None) -> None:
        if service is not None and service not in self._services:
            raise UsageError(f"cache: there is no service `{service}`; the sheet has {', '.join(self._services)}")
        if operation is None:
            return
        if service is None:
            raise UsageError("cache: `operation` needs `service`, whose operation it is")
        known = self._services[service].operations
        if operation not in known:
            raise UsageError(f"cache: service `{service}` has no operation `{operation}`; it has {', '.join(known)}")


def _failed(error: Exception) -> APIError:
    return APIError(f"the cache could not be cleared: {error}")


class CacheControl(_AnyCacheControl):
    """What is stored for the calls of a Client."""

    def clear(self, service: str | None = None, operation: str | None = None) -> int:
        """Drop what is stored for an operation, a service, or all; gives how many answers that were.

        Raises UsageError for an unknown name, APIError if the store cannot be asked.
        """
        question = self._question(service, operation)
        try:
            return self._store.ask(question, PATIENCE)  # type: ignore[no-any-return]
        except (StoreUnavailableError, TimeoutError, OSError) as error:
            raise _failed(error) from None


class AsyncCacheControl(_AnyCacheControl):
    """What is stored for the calls of an AsyncClient. See CacheControl."""

    async def clear(self, service: str | None = None, operation: str | None = None) -> int:
        """Drop what is stored for an operation, a service, or all; gives how many answers that were."""
        question = self._question(service, operation)
        try:
            return await self._store.ask(question, PATIENCE)  # type: ignore[no-any-return]
        except (StoreUnavailableError, TimeoutError, OSError) as error:
            raise _failed(error) from None
