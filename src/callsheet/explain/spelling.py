"""Writes settings as a sheet does: `10s`, `10MiB`, `50%`, `50/s`, `off`. The table of keys knows the units."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from callsheet.secret import MASK, Secret
from callsheet.settings.error_rules import ErrorRule
from callsheet.settings.fallback import Fallback
from callsheet.settings.pages import Paginate
from callsheet.settings.rate_limit import Rate
from callsheet.settings.settings import AuthSettings, SignSettings
from callsheet.sheet.forms.quantities import spelled_rate, spelled_seconds
from callsheet.sheet.forms.record import Key
from callsheet.sheet.tree.flow import flow
from callsheet.sheet.words.error_rules import rule_data
from callsheet.sheet.words.fallback import fallback_data
from callsheet.sheet.words.key_table import SETTINGS
from callsheet.sheet.words.pages import paginate_data

SHORT = {"bearer": "token"}
"""Kinds of a credential that are written without the name of their only option."""


def spelled(name: str, value: Any) -> str:
    """The value of a setting, by its dotted name, as it would be written on a sheet; a secret is `***`."""
    form = next((key.form for key in keys_of(name)), None)
    spell = getattr(form, "spell", None)
    if value is None:
        return getattr(form, "when_none", None) or ("off" if _takes_off(form) else "none")
    if spell is None and isinstance(value, float):
        spell = spelled_seconds  # a float without a spelling of its own is in seconds
    if isinstance(value, Fallback):
        return flow(plain_data(value))  # in which a null is a value
    if spell is None or isinstance(value, str | Secret):
        return _flow(plain_data(value))
    return str(spell(value))


def about(name: str) -> str:
    """What the table of keys says about a setting; empty if it says nothing."""
    return next((key.about for key in keys_of(name)), "")


def keys_of(name: str) -> Iterator[Key]:
    """The keys of a dotted name; several if the key of an operation accepts less than the service's."""
    head, *rest = name.split(".")
    found = [key for key in SETTINGS if key.name == head]
    for part in rest:
        records = [getattr(key.form, "record", key.form) for key in found]
        found = [key for record in records for key in getattr(record, "keys", ()) if key.name == part]
    yield from found


def _auth_data(auth: AuthSettings) -> dict[str, Any]:
    option = SHORT.get(auth.kind, "")
    return {auth.kind: auth.options.get(option, auth.options)}


WRITTEN: dict[type, Callable[[Any], Any]] = {
    Secret: lambda _: MASK,
    Rate: lambda rate: spelled_rate(rate.count, rate.seconds),
    AuthSettings: _auth_data,
    SignSettings: lambda sign: {sign.kind: sign.options},
    ErrorRule: rule_data,
    Fallback: fallback_data,
    Paginate: paginate_data,
}
"""Types that a sheet writes differently than by the names of their fields."""


def plain_data(value: Any) -> Any:
    """The value as data for JSON, secrets masked. Records become mappings, sets sorted lists, functions and types their names."""
    as_written = WRITTEN.get(type(value))
    if as_written is not None:
        value = as_written(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain_data(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain_data(inner) for name, inner in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(plain_data, value))
    if isinstance(value, list | tuple):
        return [plain_data(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, re.Pattern):
        return value.pattern
    named = getattr(value, "__qualname__", None)
    return f"{value.__module__}:{named}" if named else str(value)


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {_flow(inner)}' for name, inner in value.items() if inner is not None)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _takes_off(form: Any) -> bool:
    schema = form.schema() if form is not None else {"enum": ["off"]}
    options = schema.get("anyOf", [schema])
    return any("off" in option.get("enum", ()) or option.get("type") == "boolean" for option in options)
