"""What came of one row, and what both colours of `map` share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, get_args

from callsheet.errors import APIError, ArgumentError, SheetError, UsageError

T = TypeVar("T")
OnError = Literal["raise", "keep"]
"""`raise`: the first error, in the order of the rows, is raised and ends the calls. `keep`: each error stays in its outcome."""

SOMEWHERE = -1
"""The `position` on such an error until it is known."""
BUSY = "another thread or task is waiting for the next outcome; let one of them iterate"
OF_PARENT = "these calls belong to the process that this one was forked from; begin others here"


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What the call for one row gave: its `value`, or the `error` that it raised. `index` counts the rows from 0."""

    row: Any
    index: int
    value: T | None = None
    error: APIError | None = None

    @property
    def ok(self) -> bool:
        """Whether the call gave a value."""
        return self.error is None

    def result(self) -> T:
        """The value; raises the error of a call that failed."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]


def is_kept(error: BaseException, on_error: OnError) -> bool:
    """Whether an error stays in its row's outcome, rather than being raised.

    A closed client, a wrong sheet and a service that stays away fail every row alike, and an exception that is no APIError is
    a defect in the caller's program or ours: these are raised always.
    """
    if not isinstance(error, APIError) or isinstance(error, UsageError | SheetError):
        return False
    return on_error == "keep" and error.position is None


def place(error: BaseException, index: int) -> None:
    """Say on an error that ends the rows, because they waited too long, which row is the first that is not done."""
    if isinstance(error, APIError) and error.position == SOMEWHERE:
        error.position = index
        error.args = (f"{error}; the first row that is not done has the index {index}",)


def most_ahead(concurrency: int) -> int:
    """How many rows may be taken whose outcomes were not yet given: enough that a slow call does not idle the rest."""
    return 2 * concurrency


def check_options(concurrency: Any, on_error: Any) -> None:
    """Raise ArgumentError unless both can be used."""
    if not isinstance(concurrency, int) or isinstance(concurrency, bool) or concurrency < 1:
        raise ArgumentError(f"`concurrency` must be a whole number, 1 or more; found {concurrency!r}")
    if on_error not in get_args(OnError):
        raise ArgumentError(f'`on_error` must be "raise" or "keep"; found {on_error!r}')
