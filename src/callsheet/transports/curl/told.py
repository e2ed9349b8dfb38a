"""What is raised in a callback of libcurl, mostly by a signal handler: pycurl would print it, and the call go on without.

pycurl hands an Exception to `sys.excepthook`, from where it is taken here. (A KeyboardInterrupt it passes on by itself.) Signal
handlers run in the main thread alone, so only there the hook is another one, while libcurl acts.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import pycurl

from callsheet.errors import LocalFault


def told(act: Callable[..., Any], *arguments: Any) -> Any:
    """What libcurl gives for this. Raises what a callback raised meanwhile, LocalFault for an error of a multi.

    Not for what calls the timer function, unless that is a C function: what is no Exception would be lost there.
    """
    raised: list[BaseException] = []
    is_main, hook, given = threading.get_ident() == threading.main_thread().ident, sys.excepthook, None
    if is_main:  # nothing is called between this and `try`: an interrupt there would leave the hook in place
        sys.excepthook = lambda _kind, error, _traceback: raised.append(error)
    try:
        given = act(*arguments)
    except pycurl.error as error:
        if not raised:
            errno = error.args[0] if len(error.args) > 1 else None
            raise LocalFault(f"libcurl cannot go on: {error.args[-1]}", errno=errno, was_sent=True) from None
    except SystemError as error:  # the socket function raised what is no Exception, and libcurl gave a result
        raise error.__cause__ or error from None
    finally:
        if is_main:
            sys.excepthook = hook
    if raised:
        sys.last_value = sys.last_traceback = None  # where pycurl put it: it would keep the call's frames alive
        raise raised[0]
    return given
