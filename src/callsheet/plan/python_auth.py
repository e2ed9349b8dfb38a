"""The function of `auth: {python: "module:function"}`, looked up and given its options."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

from callsheet.errors import SheetError
from callsheet.policies.python_auth import PythonAuth
from callsheet.settings.settings import AuthSettings
from callsheet.values.codec import imported


def python_auth_of(auth: AuthSettings) -> PythonAuth:
    """The policy. Raises SheetError for a function that cannot be had or called."""
    written, where = auth.options["python"], auth.options["where"]
    function: Any = imported(written, where) if isinstance(written, str) else written
    label = written if isinstance(written, str) else getattr(function, "__qualname__", type(function).__qualname__)
    options = auth.options["options"]
    problem = _problem(function, options)
    if problem:
        raise SheetError(f"{where}: `auth.python`: `{label}` {problem}")
    return PythonAuth(partial(function, **options), f"auth {label}")


def _problem(function: Any, options: dict[str, Any]) -> str:
    """Why it cannot be called with a request and the options; "" if it can."""
    if not callable(function) or isinstance(function, type):
        return "is no function" if not callable(function) else "is a class; name an instance of it, or a function"
    for each in (function, type(function).__call__):
        if inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each):
            return "is a coroutine function; write a plain one, or a plain generator, which serves both clients"
    try:
        inspect.signature(function).bind(None, **options)
    except TypeError as error:
        return f"cannot be called with a request{' and these options' if options else ''}: {error}"
    except ValueError:  # a builtin that does not tell what it takes
        pass
    return ""
