"""Finalizers that are C functions.

A signal handler may run in any Python code, a finalizer's, too. What it raises there, such as KeyboardInterrupt, is lost:
Python prints it, and the program goes on. Within a C function no handler runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from operator import call


class Finalized:
    """An object whose finalizer is set for each one, since `__del__` is a slot: to C functions alone, or to `nothing`."""

    __slots__ = ("__del__",)
    __del__: Callable[[], object]

    def _finally_do(self, acts: Iterable[Callable[[], object]]) -> None:
        """Have the finalizer do this. Each is done once, also if `__del__` is called before."""
        self.__del__ = partial(deque, map(call, acts), 0)


nothing = bool
"""For `__del__`, if nothing is left to do."""
