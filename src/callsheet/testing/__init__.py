"""Tools for users' own tests: a clock that jumps, answers that are scripted or recorded, faults at a rate.

The module behind a name is imported when the name is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from callsheet.testing.answers import Reply
    from callsheet.testing.cassette import Cassette
    from callsheet.testing.fake import FakeTransport
    from callsheet.testing.faults import Faults
    from callsheet.testing.frozen_clock import FrozenClock
    from callsheet.testing.sent import Sent
    from callsheet.testing.unexpected import UnexpectedRequest

__all__ = ["Cassette", "FakeTransport", "Faults", "FrozenClock", "Reply", "Sent", "UnexpectedRequest"]

_HOMES = {
    "Cassette": "cassette",
    "FakeTransport": "fake",
    "Faults": "faults",
    "FrozenClock": "frozen_clock",
    "Reply": "answers",
    "Sent": "sent",
    "UnexpectedRequest": "unexpected",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"callsheet.testing.{home}"), name)
