"""What is raised in a callback of libcurl, above all by a signal handler: pycurl would print it, and the call go on without.

pycurl hands an Exception to `sys.excepthook`, from where it is taken here. (A KeyboardInterrupt it passes on by itself.) Signal
handlers run in the main thread alone, so the hook is another one there only, and only while libcurl acts.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import pycurl


def told(act: Callable[..., Any], *arguments: Any) -> Any:
    """What libcurl gives for this. Raises what a callback raised meanwhile."""
    if threading.get_ident() != threading.main_thread().ident:
        return act(*arguments)
    raised: list[BaseException] = []
    given: Any = None
    # Nothing is called between the change and `try`: an interrupt there would leave the hook in place.
    hook, sys.excepthook = sys.excepthook, lambda _kind, error, _traceback: raised.append(error)
    try:
        given = act(*arguments)
    except pycurl.error:
        if not raised:
            raise
    finally:
        sys.excepthook = hook
    if raised:
        sys.last_value = sys.last_traceback = None  # where pycurl put it: it would keep the call's frames alive
        raise raised[0]
    return given
