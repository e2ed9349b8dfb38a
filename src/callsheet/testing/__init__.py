"""What users test their own code with: time that does not pass, answers that are scripted or recorded, faults at a rate.

A name is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from callsheet.testing.cassette import Cassette
    from callsheet.testing.fake import AsyncFakeTransport, FakeTransport
    from callsheet.testing.faults import AsyncFaults, Faults
    from callsheet.testing.frozen_clock import FrozenClock

__all__ = ["AsyncFakeTransport", "AsyncFaults", "Cassette", "FakeTransport", "Faults", "FrozenClock"]

_HOMES = {
    "AsyncFakeTransport": "fake",
    "AsyncFaults": "faults",
    "Cassette": "cassette",
    "FakeTransport": "fake",
    "Faults": "faults",
    "FrozenClock": "frozen_clock",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"callsheet.testing.{home}"), name)
