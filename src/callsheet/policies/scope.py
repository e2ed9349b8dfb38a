"""What the factory of a policy is given: the port to what the calls of one service share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from callsheet.settings.settings import Settings

Made = TypeVar("Made")


class SharedStore(NamedTuple):
    """A store that answers Reserve and Hold, and whether nothing is sent while it cannot be asked."""

    store: Any
    refuses: bool


class Own(NamedTuple):
    """The operation that policies are made for, and the names of the settings that the sheet writes at it alone.

    A key inside a setting is named, too: `rate_limit` and `rate_limit.rates`. Both are empty for undeclared requests.
    """

    operation: str = ""
    written: frozenset[str] = frozenset()


class Scope(Protocol):
    """What the calls of one service share.

    `settings` are the service's own, without those of any operation: first under the settings that were given for these
    calls in code, then under each wider set of them. `store` keeps limits that several processes share. `left_out` are
    header fields, in lower case, that no policy may fill. `now` is the monotonic clock, `wall_clock` the time of day, both
    in seconds; `pick` draws a number from 0 to 1.
    """

    service: str
    settings: tuple[Settings, ...]
    store: SharedStore | None
    left_out: frozenset[str]
    now: Callable[[], float]
    wall_clock: Callable[[], float]
    pick: Callable[[], float]

    def one(self, key: tuple[Any, ...], make: Callable[[], Made]) -> Made:
        """The one thing of this key that all calls of the service share; `make` makes it when it is first asked for.

        What it makes has a method `forget`, by which it begins anew in a forked child.
        """


Factory = Callable[[Settings, Scope, Own], tuple[Any, ...]]
"""Makes the policies of one kind that are on under an operation's settings; none where it is off."""
