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


_known: WeakSet[Any] = WeakSet()
_locks: WeakSet[Any] = WeakSet()


def forget_after_fork(holder: Forgetful) -> None:
    """Have `holder.forget()` called in every forked child."""
    _known.add(holder)


def new_lock(kind: Any = threading.Lock) -> Any:
    """A lock (or an RLock) that nobody holds in a forked child."""
    made = kind()
    _locks.add(made)
    return made


def leak(thing: object) -> None:
    """Keep an object for ever, so that nothing it owns is closed, not even when the interpreter ends."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _forget_all() -> None:
    for lock in list(_locks):
        lock._at_fork_reinit()  # noqa: SLF001 as the standard library does with its own
    for holder in list(_known):
        holder.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
