"""What must happen in a forked child: the parent's connections are its own, and even closing a copy harms them.

In a child, a lock that another thread held at the fork is never released, and what that one counted may be half counted.
"""

from __future__ import annotations

import ctypes
import os
import threading
from typing import Any, Protocol
from weakref import WeakSet


class Forgetful(Protocol):
    """An object with state that a forked child must not share."""

    def forget(self) -> None:
        """Begin anew, without using or closing what was there."""


class Resting(Protocol):
    """An object with a lock or a file that must not be in use at a fork."""

    def rest(self) -> None:
        """Before a fork: wait until it is not in use, and let nobody use it."""

    def wake(self) -> None:
        """After a fork, in the parent: go on."""


_known: WeakSet[Any] = WeakSet()
_resting: WeakSet[Any] = WeakSet()
_locks: WeakSet[Any] = WeakSet()


def forget_after_fork(holder: Forgetful) -> None:
    """Have `holder.forget()` called in every forked child."""
    _known.add(holder)


def rest_while_forking(holder: Resting) -> None:
    """Have `holder.rest()` called before every fork, and `holder.wake()` after it in the parent."""
    _resting.add(holder)


def new_lock(kind: Any = threading.Lock) -> Any:
    """A lock (or an RLock) that nobody holds in a forked child."""
    made = kind()
    _locks.add(made)
    return made


def leak(thing: object) -> None:
    """Keep an object for ever, so that nothing it owns is closed, not even when the interpreter ends."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _forget_all() -> None:
    _one_fork._at_fork_reinit()  # type: ignore[attr-defined] # noqa: SLF001 as the standard library does with its own
    _at_rest.clear()
    for lock in list(_locks):
        lock._at_fork_reinit()  # noqa: SLF001 as the standard library does with its own
    for holder in list(_known):
        holder.forget()


_at_rest: list[Any] = []
_one_fork = threading.Lock()


def _rest_all() -> None:
    _one_fork.acquire()
    for holder in list(_resting):
        holder.rest()
        _at_rest.append(holder)


def _wake_all() -> None:
    while _at_rest:
        _at_rest.pop().wake()
    _one_fork.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_rest_all, after_in_parent=_wake_all, after_in_child=_forget_all)
