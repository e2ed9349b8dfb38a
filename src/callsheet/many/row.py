"""One row of a `map`, and the call that it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callsheet.errors import ArgumentError
from callsheet.plan.bodies import declares
from callsheet.plan.plan import HeaderValues, Plan, TimeoutLike
from callsheet.settings.idempotency_key import IdempotencyKey
from callsheet.sheet.words.operation import Operation
from callsheet.unset import UNSET

KEY = "idempotency_key"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a `map` with options of its own: the `arguments` of its call by name, and the same options as of `call`.

    They come before those given to `map`; `headers` replace those of the same name.
    """

    arguments: Mapping[str, Any]
    idempotency_key: str | None = None
    timeout: TimeoutLike | None = None
    headers: HeaderValues | None = None


class RowOptions:
    """Tells arguments from options in each row. `common` are the options for all rows. Raises ArgumentError for one key for all."""

    def __init__(self, plan: Plan, operation: Operation, common: Mapping[str, Any]) -> None:
        self._common = common
        self._header = (plan.settings.idempotency_key or IdempotencyKey()).header.lower()
        self._takes_key = declares(operation, KEY)
        if common.get(KEY, UNSET) not in (None, UNSET) or self.have_key(common):
            message = f"{plan.label}: `{KEY}`: all rows would have the same key, and the service would take them for one request"
            hint = f"give each row its own: Row(arguments, {KEY}=...)"
            raise ArgumentError(f"{message}; {hint}", service=plan.service, operation=plan.operation)

    def have_key(self, options: Mapping[str, Any]) -> bool:
        """Whether the header fields among the options have an idempotency key."""
        headers = options.get("headers")
        return isinstance(headers, Mapping) and any(str(name).lower() == self._header for name in headers)

    def of(self, row: Any) -> tuple[Any, dict[str, Any]]:
        """The arguments of a row, and the options of its call."""
        if isinstance(row, Row):
            own = {KEY: row.idempotency_key, "timeout": row.timeout, "headers": self._merged(row.headers)}
            return row.arguments, {**self._common, **{name: each for name, each in own.items() if each is not None}}
        if self._takes_key or not isinstance(row, Mapping) or KEY not in row:
            return row, dict(self._common)
        arguments = dict(row)
        return arguments, {**self._common, KEY: arguments.pop(KEY)}

    def _merged(self, own: Any) -> Any:
        common = self._common.get("headers")
        if not isinstance(own, Mapping) or not isinstance(common, Mapping):
            return own
        replaced = {str(name).lower() for name in own}
        return {**{name: each for name, each in common.items() if str(name).lower() not in replaced}, **own}
