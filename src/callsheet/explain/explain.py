"""Makes explanations of the settings and the list of policies that calls really use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from callsheet.errors import ArgumentError
from callsheet.explain.explanation import Explanation
from callsheet.explain.setting import Setting
from callsheet.explain.spelling import about, plain_data, spelled
from callsheet.explain.worst_case import worst_case
from callsheet.plan.order import steps
from callsheet.plan.service import ServicePlans
from callsheet.secret import MASK
from callsheet.settings.reasons import reason
from callsheet.settings.settings import Settings
from callsheet.sheet import Operation, Provenance
from callsheet.sheet.forms.quantities import per_second, rate
from callsheet.sheet.provenance import BUILT_IN, OPEN, Value, values_of
from callsheet.sheet.tree.masks import CREDENTIAL
from callsheet.values.typeref import FILE
from callsheet.version import USER_AGENT

IN_ADDITION = ("concurrency", "rate_limit")
"""If an operation has one of these, that of the service applies to its calls as well."""


def explained(plans: ServicePlans, operation: str | None, calls: float | str) -> Explanation:
    """The explanation of an operation under the settings of these plans; of undeclared requests if `operation` is None.

    Raises SheetError, UsageError; ArgumentError if `calls` is no rate.
    """
    sheet, code = plans.sheet, plans.code
    scope, own = plans.apart(operation)
    declared = sheet.operations[operation] if operation is not None else None
    settings, origins = sheet.settings(operation, code), sheet.origins(operation, code)
    apart = [name for name in IN_ADDITION if name in own.written]
    whole, places = (sheet.settings(None, code), sheet.origins(None, code)) if apart else (settings, origins)
    limits = [settings.rate_limit, *([whole.rate_limit] if "rate_limit" in apart else [])]
    per = ("service", "operation") if declared else ("service",)
    return Explanation(
        service=sheet.name,
        operation=operation,
        environment=sheet.environment,
        method=declared.method if declared else None,
        path=declared.path if declared else None,
        settings=_settings(settings, origins),
        beside=tuple(found for found in _settings(whole, places) if found.name.partition(".")[0] in apart),
        pipeline=steps(settings, scope, own),
        worst_case=worst_case(
            settings,
            declared.method if declared else None,
            per_second_of(calls),
            [limit for limit in limits if limit.per in per],
        ),
        varied=tuple(name for name, other in sheet.operations.items() if other.layer) if declared is None else (),
        may_transfer=declared is None or _may_transfer(declared),
    )


def per_second_of(calls: float | str) -> float:
    """The calls per second that a number, or a rate such as `100/s`, means. Raises ArgumentError."""
    found = rate(calls)
    each = found[0] / found[1] if found else per_second(calls)
    if not each or not math.isfinite(each):
        shown = repr(calls)[:40]
        raise ArgumentError(f"calls: expected a rate such as `100/s` or a number per second above 0, found {shown}")
    return each


def _may_transfer(operation: Operation) -> bool:
    """Whether calls of the operation may stream an answer, or send a file or an iterator."""
    sends_files = any(field.type.value == FILE for field in operation.multipart or ())
    return bool(operation.stream) or operation.content is not None or sends_files


def _settings(settings: Settings, origins: Mapping[str, Provenance]) -> tuple[Setting, ...]:
    if not any(name.lower() == "user-agent" for name in settings.headers):
        settings = replace(settings, headers={**settings.headers, "User-Agent": USER_AGENT})
    found: dict[str, Setting] = {}
    for value in values_of(settings):
        name = _unread_above(value.name, origins) or value.name
        if name not in found:
            origin = origins.get(name, Provenance(BUILT_IN))
            found[name] = _unread(name, origin) if origin.unread else _setting(value, origin)
    found |= {name: _unread(name, o) for name, o in origins.items() if o.unread and name not in found}
    return tuple(found.values())


def _unread_above(name: str, origins: Mapping[str, Provenance]) -> str:
    """The name of the record that contains a value, if the whole record comes from a variable that is not known here; else ""."""
    while name := name.rpartition(".")[0]:
        if name in origins and origins[name].unread:
            break
    return name


def _unread(name: str, origin: Provenance) -> Setting:
    written = " ".join(f"${{{variable}}}" for variable in origin.variables)
    return Setting(name, None, written, origin, about(name))


def _setting(value: Value, origin: Provenance) -> Setting:
    name = value.name
    is_open = value.field in OPEN and value.record is Settings
    is_masked = is_open and bool(origin.variables or CREDENTIAL.search(name.partition(".")[2]))
    why = "" if value.record is Settings else reason(value.record, value.field)
    return Setting(
        name,
        MASK if is_masked else plain_data(value.value),
        MASK if is_masked else spelled(name, value.value),
        origin,
        why or about(value.field if is_open else name),
    )
