"""What the factory of a policy is given: the operation, and a Scope, by which the calls of a service share state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from callsheet.events import Event
from callsheet.settings.settings import Settings

Made = TypeVar("Made")


class SharedStore(NamedTuple):
    """A store that answers Reserve and Hold. `refuses`: whether calls are refused while the store cannot be asked."""

    store: Any
    refuses: bool


class Own(NamedTuple):
    """The operation that policies are made for, and the names of the settings that the sheet writes at the operation itself.

    A key inside a setting is named as well: `rate_limit` and `rate_limit.rates`. `method` is its method, `safe` whether its calls
    only read, if the sheet says it. All are empty for undeclared requests.
    """

    operation: str = ""
    written: frozenset[str] = frozenset()
    method: str = ""
    safe: bool | None = None


class Scope(Protocol):
    """What the calls of one service share.

    `settings` are the service's, without those of any operation: first those in force for these calls, then, if
    `client.service` was given settings of its own, the service's usual ones. `store` keeps limits that several processes share, `cache` stored
    answers; `caches`: whether any operation of the service is cached. `hears`: whether a listener wants events of a type. `left_out` are
    header fields, in lower case, that are taken out of every request: a policy need not fill them. `now` is the monotonic clock, `wall_clock` the time of day, both
    in seconds; `pick` draws a number from 0 to 1.
    """

    service: str
    settings: tuple[Settings, ...]
    store: SharedStore | None
    cache: Any
    caches: bool
    hears: Callable[[type[Event]], bool]
    left_out: frozenset[str]
    now: Callable[[], float]
    wall_clock: Callable[[], float]
    pick: Callable[[], float]

    def one(self, key: tuple[Any, ...], make: Callable[[], Made]) -> Made:
        """The object that all calls of the service share under this key; `make` makes it at the first request for it.

        The object has a method `forget`, which is called in a forked child to drop the state of the parent.
        """


Factory = Callable[[Settings, Scope, Own], tuple[Any, ...]]
"""Makes the policies of one kind for an operation's settings; an empty tuple if they turn it off."""
