"""What holds in every test of many calls: no thread outlives it."""

import gc
import threading
import time

import pytest

from tests.loops import ON_UVLOOP
from tests.many.worlds import WORLDS


@pytest.fixture(
    params=[pytest.param(each, id=each.name, **(ON_UVLOOP if "uvloop" in each.name else {})) for each in WORLDS]
)
def world(request):
    return request.param


def own_threads():
    return {thread for thread in threading.enumerate() if thread.name in ("callsheet-map", "iteration")}


@pytest.fixture(autouse=True)
def _nothing_is_left():
    before = own_threads()
    yield
    until = time.monotonic() + 5.0
    while own_threads() - before and time.monotonic() < until:
        gc.collect()
    assert own_threads() - before == set()
