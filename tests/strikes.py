"""What a signal handler raises, at each moment at which one may run: when a function begins, and when a C function returns."""

import gc
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import callsheet

OURS = str(Path(callsheet.__file__).parent)


class Struck(BaseException):
    """What the handler raises."""


def struck(number: int, work: Callable[[], Any]) -> str:
    """Do the work, and raise Struck at the `number`-th moment in our code. Gives where; "" if it had fewer, and was done.

    Raises what came out of it instead of Struck.
    """
    left, place = [number], [""]

    def look(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        # A generator that is closed is told of as if it were called, but no handler runs there.
        may_run = event == "c_return" or (event == "call" and not code.co_flags & inspect.CO_GENERATOR)
        if may_run and code.co_filename.startswith(OURS):
            left[0] -= 1
            if left[0] == 0:
                place[0] = (
                    f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}, {frame.f_code.co_qualname}, {event}"
                )
                raise Struck

    sys.setprofile(look)
    try:
        work()
    except Struck:
        return place[0]
    finally:
        sys.setprofile(None)
    assert left[0] > 0, f"swallowed in {place[0]}"
    return ""


def strikes(work: Callable[[], Any], step: int = 1) -> Iterator[str]:
    """Strike the work at its first moment, at its second, and so on, until it is done; gives where each was."""
    lost: list[Any] = []
    before, sys.unraisablehook = sys.unraisablehook, lost.append
    number = 1
    try:
        while place := struck(number, work):
            yield place
            number += step
        gc.collect()
    finally:
        sys.unraisablehook = before
    assert [each.object for each in lost if each.exc_type is Struck] == []
