"""Starts the threads of the library."""

from __future__ import annotations

import threading
from collections.abc import Callable

from callsheet.errors import LocalFault

NO_THREAD = (
    "this machine starts no further thread ({error}); is a limit reached (ulimit -u, pids of the container, memory)?"
)


def new_thread(name: str, work: Callable[..., object], *arguments: object) -> threading.Thread:
    """A daemon thread that does `work(*arguments)`, and does not delay the exit of the program. Raises LocalFault."""
    thread = threading.Thread(target=work, args=arguments, name=f"callsheet-{name}", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise LocalFault(NO_THREAD.format(error=error)) from None
    return thread
