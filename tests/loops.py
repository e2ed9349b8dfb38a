"""The event loops of the asyncio tests: the standard one, and uvloop's, which `uvicorn[standard]` brings.

Only what a test itself runs is on uvloop; servers stay on the standard loop.
"""

import asyncio
from functools import partial

import pytest

try:
    import uvloop
except ImportError:  # not on Windows, not on PyPy: tests that need it are skipped
    uvloop = None

ON_UVLOOP = {"marks": pytest.mark.needs("uvloop")}
LOOPS = ("asyncio", pytest.param("uvloop", **ON_UVLOOP))
"""The names of the loops."""
COLOURS = ("blocking", *LOOPS)
"""Threads, and tasks of each loop."""


def colours(blocking, tasks):
    """Parameters by the names in COLOURS, of a class or a function for each: uvloop's is the second with `loop="uvloop"`."""
    is_class = isinstance(tasks, type)
    on_uvloop = (
        type(f"Uvloop{tasks.__name__}", (tasks,), {"loop": "uvloop"}) if is_class else partial(tasks, loop="uvloop")
    )
    return [
        pytest.param(blocking, id="blocking"),
        pytest.param(tasks, id="asyncio"),
        pytest.param(on_uvloop, id="uvloop", **ON_UVLOOP),
    ]


def new_runner(loop="asyncio"):
    """An asyncio.Runner with the loop of this name."""
    return asyncio.Runner(loop_factory=uvloop.new_event_loop if loop == "uvloop" else None)


def run(steps, loop="asyncio"):
    """As asyncio.run, in the loop of this name."""
    with new_runner(loop) as runner:
        return runner.run(steps)


@pytest.fixture(params=LOOPS)
def in_loop(request):
    """`run` in each of the loops."""
    return partial(run, loop=request.param)
