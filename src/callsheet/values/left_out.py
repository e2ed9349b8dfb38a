"""What was left out of a value that became a model or dataclass, which then holds a default in its place.

Left out is not sent, and null is: so the JSON must be made of what was given, not of what the object holds. Pydantic knows
that of its models (`exclude_unset`), but not of dataclasses, and it tells a model made of a mapping from one that the caller
made, which is sent whole, at no depth.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import AliasChoices, AliasPath, BaseModel, RootModel
from pydantic.fields import FieldInfo

from callsheet.unset import UNSET

Drops = Callable[[Any], bool]
"""Whether the default of a field that was left out is not sent."""


def left_out(value: Any, given: Any, drops: Drops) -> dict[Any, Any]:
    """The parts of a value not to be sent, in the form of Pydantic's `exclude`: of all that `given` left out, what `drops` says."""
    if isinstance(value, RootModel):
        return left_out(value.root, given, drops)
    found: dict[Any, Any] = {}
    for key, part, of in _parts(value, given):
        if of is UNSET:
            if drops(part):
                found[key] = True
        elif inner := left_out(part, of, drops):
            found[key] = inner
    return found


def merged(first: dict[Any, Any], second: dict[Any, Any]) -> dict[Any, Any]:
    """What either of two forms of Pydantic's `exclude` names."""
    both = {key: (first[key], part) for key, part in second.items() if key in first}
    return {**first, **second, **{key: True if True in pair else merged(*pair) for key, pair in both.items()}}


def _parts(value: Any, given: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Key and value of each part, and what it was made of: UNSET if that was left out."""
    if isinstance(given, list | tuple) and isinstance(value, list | tuple):
        pairs = enumerate(zip(value, given, strict=False))
        return ((index, part, of) for index, (part, of) in pairs)
    if not isinstance(given, dict):
        return iter(())
    if isinstance(value, BaseModel):
        return _parts_of_model(value, given)
    if isinstance(value, dict):
        return ((key, part, given.get(key)) for key, part in value.items())
    names = [each.name for each in dataclasses.fields(value) if each.init] if dataclasses.is_dataclass(value) else []
    return ((name, getattr(value, name), given.get(name, UNSET)) for name in names)


def _parts_of_model(value: BaseModel, given: dict[Any, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name, field in type(value).model_fields.items():
        of = next((given[key] for key in names_of(name, field) if key in given), None)
        yield name, getattr(value, name), of if name in value.model_fields_set else UNSET


def names_of(name: str, field: FieldInfo) -> list[str]:
    """The names under which a field of a model may be given."""
    known = field.validation_alias
    aliases = known.choices if isinstance(known, AliasChoices) else [known]
    first = [alias.path[0] if isinstance(alias, AliasPath) else alias for alias in (field.alias, *aliases)]
    return [name, *(alias for alias in first if isinstance(alias, str))]
