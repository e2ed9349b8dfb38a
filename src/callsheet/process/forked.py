"""What must happen in a forked child: the parent's connections are its own, and even closing a copy harms them."""

from __future__ import annotations

import ctypes
import os
from typing import Any, Protocol
from weakref import WeakSet


class Forgetful(Protocol):
    """An object with state that a forked child must not share."""

    def forget(self) -> None:
        """Begin anew, without using or closing what was there."""


_known: WeakSet[Any] = WeakSet()


def forget_after_fork(holder: Forgetful) -> None:
    """Have `holder.forget()` called in every forked child."""
    _known.add(holder)


def leak(thing: object) -> None:
    """Keep an object for ever, so that nothing it owns is closed, not even when the interpreter ends."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _forget_all() -> None:
    for holder in list(_known):
        holder.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
