"""A function of the user's, written as `module:function` or given as an object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from callsheet.sheet.forms.reading import FormOf, Reading, Spot, misfit
from callsheet.sheet.forms.scalars import scalar
from callsheet.sheet.forms.types import IMPORTED
from callsheet.sheet.tree.node import Node

EXPECTED = "a function as `package.module:function`"


def function(node: Node, spot: Spot, reading: Reading) -> str | Callable[..., Any]:
    """Read `module:function`; a sheet written in Python may hold the function itself."""
    value: Any = scalar(node, spot, reading, EXPECTED).value
    is_function = IMPORTED.fullmatch(value) is not None if isinstance(value, str) else callable(value)
    if not is_function:
        raise misfit(node, spot, EXPECTED, _respelt(value))
    found: str | Callable[..., Any] = value
    return found


FUNCTION = FormOf(function, {"type": "string", "pattern": rf"^({IMPORTED.pattern})$|\$\{{"})


def _respelt(value: Any) -> str:
    """The hint for `module.function`, with a dot for the colon."""
    module, _, name = value.rpartition(".") if isinstance(value, str) and ":" not in value else ("", "", "")
    meant = f"{module}:{name}"
    return f"did you mean `{meant}`?" if len(meant) <= 60 and IMPORTED.fullmatch(meant) else ""
