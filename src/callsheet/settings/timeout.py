"""How long a call and its parts may take: four limits, worked out from written values and defaults."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

from callsheet.settings.reasons import chosen


@dataclass(frozen=True, slots=True)
class Timeout:
    """The four limits of a call, in seconds."""

    connect: float = chosen(5.0, "name lookup, TCP and TLS of one try (5)")
    read: float = chosen(10.0, "no byte in either direction (10)")
    attempt: float = chosen(10.0, "one try, from name lookup to the last byte (10)")
    total: float = chosen(30.0, "from entering the call to the typed result, all waits and attempts (30)")


DEFAULT = Timeout()


@dataclass(frozen=True, slots=True)
class WrittenTimeout:
    """The limits that a sheet or a caller wrote; None for those that were not written."""

    connect: float | None = None
    read: float | None = None
    attempt: float | None = None
    total: float | None = None

    @classmethod
    def within(cls, seconds: float, known: WrittenTimeout | None = None) -> WrittenTimeout:
        """The short form `timeout: T`: total and attempt are T; a `known` connect or read is cut to T, others stay unwritten."""
        connect, read = (known.connect, known.read) if known else (None, None)
        return cls(
            connect=None if connect is None else min(connect, seconds),
            read=None if read is None else min(read, seconds),
            attempt=seconds,
            total=seconds,
        )

    @classmethod
    def given(cls, value: float | Mapping[str, float], known: WrittenTimeout) -> WrittenTimeout:
        """What a caller means by `timeout=`: a number of seconds, or some of the four limits, which replace those known.

        Raises ValueError saying what was expected.
        """
        if isinstance(value, Mapping):
            unknown = set(value) - {f.name for f in fields(cls)}
            if unknown:
                raise ValueError(f"unknown {', '.join(sorted(unknown))}; expected connect, read, attempt, total")
            written = cls(**{name: _seconds(number) for name, number in value.items()}).over(known)
        else:
            written = cls.within(_seconds(value), known)
        clash = written.contradiction()
        if clash:
            raise ValueError(
                f"`{clash[0]}` ({getattr(written, clash[0]):g} s) is longer than `{clash[1]}`, which holds it"
            )
        return written

    def over(self, lower: WrittenTimeout) -> WrittenTimeout:
        """These limits, with those of `lower` where nothing was written."""
        mine = {f.name: getattr(self, f.name) for f in fields(self)}
        return WrittenTimeout(**{k: getattr(lower, k) if v is None else v for k, v in mine.items()})

    def contradiction(self) -> tuple[str, str] | None:
        """The names of two written limits, if the first is longer than the second, which includes it; else None."""
        for part, whole in (("connect", "attempt"), ("connect", "total"), ("attempt", "total"), ("read", "total")):
            inner, outer = getattr(self, part), getattr(self, whole)
            if inner is not None and outer is not None and inner > outer:
                return part, whole
        return None

    def resolved(self) -> Timeout:
        """The four limits. A default is raised or lowered to fit those that were written."""
        written_parts = [value for value in (self.connect, self.read) if value is not None]
        attempt = self.attempt
        if attempt is None:
            attempt = max([DEFAULT.attempt, *written_parts])
            attempt = attempt if self.total is None else min(attempt, self.total)
        total = self.total if self.total is not None else max([DEFAULT.total, attempt, *written_parts])
        connect = self.connect if self.connect is not None else min(DEFAULT.connect, attempt, total)
        read = self.read if self.read is not None else max(DEFAULT.read, attempt)
        return Timeout(connect=connect, read=read, attempt=attempt, total=total)


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not (0 < value < math.inf):
        raise ValueError(f"expected a number of seconds above 0, found {value!r}")
    return float(value)
