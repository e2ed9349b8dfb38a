"""A function of the user's, by its name or itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from callsheet.sheet.forms.reading import JsonSchema, Reading, Spot, misfit
from callsheet.sheet.forms.scalars import scalar
from callsheet.sheet.forms.types import IMPORTED
from callsheet.sheet.tree.node import Node


class Function:
    """`module:function`; in Python, the function itself."""

    expected = "a function as `package.module:function`"

    def read(self, node: Node, spot: Spot, reading: Reading) -> str | Callable[..., Any]:
        """The name, or the function."""
        value: Any = scalar(node, spot, reading, self.expected).value
        is_function = IMPORTED.fullmatch(value) is not None if isinstance(value, str) else callable(value)
        if not is_function:
            raise misfit(node, spot, self.expected, _respelt(value))
        function: str | Callable[..., Any] = value
        return function

    def schema(self) -> JsonSchema:
        """The same in JSON Schema terms."""
        return {"type": "string", "pattern": rf"^({IMPORTED.pattern})$|\$\{{"}


def _respelt(value: Any) -> str:
    """The hint for a function that is named as Python names it."""
    module, _, name = value.rpartition(".") if isinstance(value, str) and ":" not in value else ("", "", "")
    meant = f"{module}:{name}"
    return f"did you mean `{meant}`?" if len(meant) <= 60 and IMPORTED.fullmatch(meant) else ""
