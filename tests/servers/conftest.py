"""What holds for every test of a server."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    """Every server ends its threads."""
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) - before == set()
