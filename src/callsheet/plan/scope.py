"""Holds what the calls of one service share: slots, limiters, breakers, budgets, cookies, tokens, signers."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from callsheet.events import Event, Listener, by_event
from callsheet.policies.scope import SharedStore
from callsheet.settings.settings import Settings

Made = TypeVar("Made")


class SharedThings:
    """The objects that policies share, each made once for its key."""

    def __init__(self) -> None:
        self._things: list[tuple[tuple[Any, ...], Any]] = []
        # Re-entrant: making one may import a module of the user's, which may call this very service.
        self._lock = threading.RLock()

    def one(self, key: tuple[Any, ...], make: Callable[[], Made]) -> Made:
        """The object with this key, made at first use. Keys are compared one by one, since options of credentials have no hash."""
        with self._lock:
            for known, thing in self._things:
                if known == key:
                    return thing  # type: ignore[no-any-return]
            made = make()
            for known, thing in self._things:
                if known == key:  # made meanwhile, by a call from within `make`
                    return thing  # type: ignore[no-any-return]
            self._things.append((key, made))
            return made

    def __len__(self) -> int:
        return len(self._things)

    def forget(self) -> None:
        """Have every object drop its state in a forked child: the calls under way belong to the parent."""
        self._lock = threading.RLock()
        for _, thing in self._things:
            thing.forget()


class ServiceScope:
    """The scope of one service under one set of settings; see `policies.scope.Scope` for what policies may ask of it.

    `like` is the scope of the same service under its usual settings. Both share their objects, so that equal settings have
    one object. Different slots and limits hold in addition to those of `like`; a different breaker or budget replaces that of `like`.
    """

    def __init__(
        self,
        service: str,
        settings: Settings,
        like: ServiceScope | None = None,
        *,
        store: SharedStore | None = None,
        cache: Any = None,
        caches: bool = False,
        listeners: tuple[Listener, ...] = (),
        left_out: frozenset[str] = frozenset(),
        now: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        pick: Callable[[], float] = random.random,
    ) -> None:
        self.service = service
        self.settings: tuple[Settings, ...] = (settings, *(like.settings if like else ()))
        self.store = store
        self.cache = cache
        self.caches = caches
        told = by_event(listeners)
        self.hears: Callable[[type[Event]], bool] = lambda kind: bool(told[kind])
        self.left_out = left_out
        self.now = now
        self.wall_clock = wall_clock
        self.pick = pick
        self.shared: SharedThings = like.shared if like else SharedThings()
        self.one = self.shared.one

    def forget(self) -> None:
        """Drop in a forked child the state that policies share."""
        self.shared.forget()
