"""Everything that is wrong with a sheet, collected, so that one error lists it all."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from callsheet.errors import Finding, SheetError
from callsheet.sheet.tree.place import Place


class Misfit(Exception):
    """One value that cannot be read. The reader of the mapping around it notes the error and goes on."""

    def __init__(self, place: Place, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.place = place
        self.message = message
        self.hint = hint


class Noted(Misfit):
    """A value that cannot be used because of an error that is noted already: `Findings.add` does not repeat it."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, "")


@dataclass(slots=True)
class Findings:
    """The errors and warnings found so far, each once."""

    errors: dict[tuple[Place, str], Misfit] = field(default_factory=dict)
    warnings: dict[tuple[Place, str], Misfit] = field(default_factory=dict)

    def add(self, misfit: Misfit) -> None:
        """Note an error, unless it is noted already: an inherited value is checked once for every operation."""
        if not isinstance(misfit, Noted):
            self.errors.setdefault((misfit.place, misfit.message), misfit)

    def add_once(self, misfit: Misfit) -> None:
        """Note an error unless there is one at its place: every operation inherits what is wrong in its service."""
        if all(place != misfit.place for place, _ in self.errors):
            self.add(misfit)

    def overlooks(self, misfit: Misfit) -> bool:
        """Whether this error is ignored here; only `OfTheSheet` ignores any."""
        return False

    def warn(self, misfit: Misfit) -> None:
        """Note something that works but should not stay so."""
        self.warnings.setdefault((misfit.place, misfit.message), misfit)

    def warned(self) -> tuple[Finding, ...]:
        """The warnings, in the order of the file."""
        return _in_order(self.warnings.values())

    def error(self) -> SheetError | None:
        """All errors as one, or None."""
        return SheetError(_in_order(self.errors.values())) if self.errors else None


class OfTheSheet(Findings):
    """Findings that ignore errors in values with `${...}`: where the sheet is used, the variables may hold others."""

    __slots__ = ()

    def add(self, misfit: Misfit) -> None:
        """Note an error, unless it is in a value with `${...}`."""
        if not self.overlooks(misfit):
            super().add(misfit)

    def overlooks(self, misfit: Misfit) -> bool:
        """Whether the error is in a value with `${...}`."""
        place = misfit.place
        text = place.source.line(place.line)[place.column - 1 :][: place.length] if place.source else ""
        return "${" in text


def _in_order(misfits: Iterable[Misfit]) -> tuple[Finding, ...]:
    return tuple(_finding(misfit) for misfit in sorted(misfits, key=lambda m: (m.place.line, m.place.column)))


def _finding(misfit: Misfit) -> Finding:
    place, hint = misfit.place, misfit.hint
    if place.source is None:
        return Finding(place.name, misfit.message, f"      {hint}" if hint else "")
    where = str(place) if place.line else place.name
    excerpt = place.source.excerpt(place, hint) if place.line else hint
    return Finding(where, misfit.message, excerpt, place.line, place.column)


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known word that was probably meant, or None; `cutoff` is how alike they must be, from 0 to 1."""
    plain = {name.lower().replace("-", "_"): name for name in known}
    close = difflib.get_close_matches(word.lower().replace("-", "_"), plain, n=1, cutoff=cutoff)
    return plain[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """The hint that names the nearest known word; empty if none is near."""
    close = nearest(word, known, cutoff=cutoff)
    return f"did you mean `{close}`?" if close else ""


def one_of(words: Iterable[str]) -> str:
    """`a`, `b` or `c`, quoted."""
    quoted = [f"`{word}`" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}" if quoted else "none"
