"""Adding to the text of a sheet: what stands there keeps its place, layout and comments."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from callsheet.cli.curl_import import Draft
from callsheet.errors import UsageError

HEAD = """\
# The APIs we call. `callsheet check` checks this file, `callsheet list` shows what can be called.
callsheet: 1

services:
"""


class NoPlaceError(Exception):
    """Nothing can be added to the text by itself: it is written in a way that only its author should change."""


@dataclass(frozen=True, slots=True)
class Added:
    """The new text, and under which names."""

    text: str
    service: str
    operation: str
    inherits_auth: bool = False


def added(text: str, made: Draft, *, is_named: bool) -> Added:
    """The text with an operation added: to the service of the same base URL, else to a new one.

    `is_named`: the service's name was chosen, and is not another one's. Raises NoPlaceError, UsageError.
    """
    if not text.strip():
        return Added(HEAD + indented(made.service_lines(), 2), made.service, made.operation)
    services = _child(_composed(text), "services")
    if services is None:
        raise NoPlaceError("it has no `services:` mapping, or one in braces")
    known = {key.value: value for key, value in services.value}
    name = _same_service(known, made, is_named=is_named)
    if name is None:
        made.service = _fresh(made.service, known)
        lines = made.service_lines()
        return Added(_after(text, services, lines), made.service, made.operation)
    return _in_service(text, known[name], name, made)


def _in_service(text: str, service: yaml.Node, name: str, made: Draft) -> Added:
    if not _is_block(service):
        raise NoPlaceError(f"service `{name}` is written in braces")
    keys = {key.value: value for key, value in service.value}
    operations = keys.get("operations")
    inherits = bool(made.auth) and _kind(keys.get("auth")) == made.auth.strip("{").partition(":")[0]
    if operations is None:
        lines = ["operations:", *(f"  {line}" for line in made.operation_lines(with_auth=not inherits))]
        return Added(_after(text, service, lines), name, made.operation, inherits)
    if not _is_block(operations):
        raise NoPlaceError(f"the operations of service `{name}` are written in braces")
    made.operation = _fresh(made.operation, {key.value for key, _ in operations.value})
    lines = made.operation_lines(with_auth=not inherits)
    return Added(_after(text, operations, lines), name, made.operation, inherits)


def _kind(auth: yaml.Node | None) -> str:
    """The kind of credential of an `auth`; empty for none."""
    return str(auth.value[0][0].value) if isinstance(auth, yaml.MappingNode) and auth.value else ""


def _composed(text: str) -> yaml.Node | None:
    try:
        # The Python loader: the marks of libyaml's end elsewhere.
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        raise UsageError("the sheet is not YAML; `callsheet check` tells where") from None


def _child(node: yaml.Node | None, name: str) -> yaml.MappingNode | None:
    entries = node.value if _is_block(node) and isinstance(node, yaml.MappingNode) else []
    found = next((value for key, value in entries if key.value == name), None)
    return found if isinstance(found, yaml.MappingNode) and _is_block(found) else None


def _is_block(node: yaml.Node | None) -> bool:
    return isinstance(node, yaml.MappingNode) and not node.flow_style and bool(node.value)


def _same_service(known: dict[str, yaml.Node], made: Draft, *, is_named: bool) -> str | None:
    """The service that the operation belongs to: the one of the chosen name, or of the same base URL."""
    if is_named and made.service in known:
        return made.service
    for name, service in known.items():
        keys = {key.value: value.value for key, value in service.value} if _is_block(service) else {}
        base = keys.get("base_url")
        if not is_named and isinstance(base, str) and _shorten(base, made):
            return name
    return None


def _shorten(base: str, made: Draft) -> bool:
    """Whether the draft's URL is below a base URL; then the base's path is taken off the draft's."""
    base = base.rstrip("/")
    prefix = base.removeprefix(made.base_url)
    if base == made.base_url:
        return True
    if prefix == base or not made.path.startswith(f"{prefix}/"):
        return False
    made.path = made.path.removeprefix(prefix)
    return True


def _fresh(name: str, taken: dict[str, yaml.Node] | set[str]) -> str:
    count, fresh = 1, name
    while fresh in taken:
        count += 1
        fresh = f"{name}_{count}"
    return fresh


def _after(text: str, mapping: yaml.Node, lines: list[str]) -> str:
    """The text with lines put behind the last value of a block mapping, indented as its keys are."""
    column = mapping.value[0][0].start_mark.column
    last = _last_line(mapping)
    breaks = "\r\n" if "\r\n" in text else "\n"
    rows = re.split(r"(?<=\n)", text)
    head, tail = rows[: last + 1], rows[last + 1 :]
    if head and not head[-1].endswith("\n"):
        head[-1] += breaks
    blank = breaks if column <= 2 else ""
    return "".join(head) + blank + indented(lines, column).replace("\n", breaks) + "".join(tail)


def _last_line(node: yaml.Node) -> int:
    """The line, from 0, that a value ends on; a block mapping's own mark ends behind the comments that follow it."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return _last_line(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _last_line(node.value[-1])
    mark = node.end_mark
    return int(mark.line if mark.column > 0 or mark.line == node.start_mark.line else mark.line - 1)


def indented(lines: list[str], spaces: int) -> str:
    """Lines of a file."""
    return "".join(f"{' ' * spaces}{line}\n" for line in lines)
