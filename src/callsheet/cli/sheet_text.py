"""Adds an operation to the text of a sheet; the rest of the text keeps its layout and comments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

import yaml

from callsheet.cli.curl.command_line import CurlRequest
from callsheet.cli.curl.draft import Draft, origin, service_name
from callsheet.cli.curl.shell_words import REFERENCE, free_name
from callsheet.errors import UsageError

HEAD = """\
# The APIs we call. `callsheet check` checks this file, `callsheet list` shows what can be called.
callsheet: 1

services:
"""


class NoPlaceError(Exception):
    """The text is written in a way (in braces, for example) that only its author should add to."""


@dataclass(frozen=True, slots=True)
class Added:
    """The new text of the sheet, and the names and lines that were added to it."""

    text: str
    service: str
    operation: str
    lines: tuple[str, ...] = ()
    inherited: tuple[str, ...] | None = None
    """The variables of the service's own `auth` if the operation uses that, else None."""


class ServiceOfRequest(NamedTuple):
    """The service that a request belongs to, on the sheet or new, and the path of its base URL."""

    service: str
    prefix: str = ""


def target_in(text: str, request: CurlRequest, named: str | None) -> ServiceOfRequest:
    """The service of this name, else of this URL, else a new one. Raises NoPlaceError, UsageError."""
    known = _services(text)
    parts = urlsplit(request.url)
    if named is not None and named in known:
        base = _base_url(known[named])
        prefix = _below(base, request.url)
        if prefix is None and "${" not in base:
            raise UsageError(f"service `{named}` is at {base}, and the curl command goes to {origin(parts)}")
        return ServiceOfRequest(named, prefix or "")
    for name, service in known.items() if named is None else ():
        prefix = _below(_base_url(service), request.url)
        if prefix is not None:
            return ServiceOfRequest(name, prefix)
    return ServiceOfRequest(free_name(named or service_name(parts.hostname or ""), known.__contains__))


def _services(text: str) -> dict[str, yaml.Node]:
    if not text.strip():
        return {}
    services = _child(_composed(text), "services")
    if services is None:
        raise NoPlaceError("it has no `services:` mapping, or one in braces")
    return {key.value: value for key, value in services.value}


def _base_url(service: yaml.Node) -> str:
    entries = service.value if isinstance(service, yaml.MappingNode) else []
    return next((str(value.value) for key, value in entries if key.value == "base_url"), "")


def _below(base: str, url: str) -> str | None:
    """The path of the base URL if the URL is below it, else None."""
    base_parts, parts = urlsplit(base.rstrip("/")), urlsplit(url)
    if not base or origin(base_parts) != origin(parts):
        return None
    is_below = f"{parts.path}/".startswith(f"{base_parts.path}/")
    return base_parts.path if is_below else None


def added(text: str, made: Draft) -> Added:
    """The text with the operation added, to its service or to a new one. Raises NoPlaceError, UsageError."""
    lines = made.service_lines()
    if not text.strip():
        return Added(HEAD + indented(lines, 2), made.service, made.operation, tuple(lines))
    services = _child(_composed(text), "services")
    known = _services(text)
    assert services is not None
    if made.service in known:
        return _in_service(text, known[made.service], made.service, made)
    return Added(_after(text, services, lines), made.service, made.operation, tuple(lines))


def _in_service(text: str, service: yaml.Node, name: str, made: Draft) -> Added:
    if not _is_block(service):
        raise NoPlaceError(f"service `{name}` is written in braces")
    keys = {key.value: value for key, value in service.value}
    operations = keys.get("operations")
    auth, inherited = _auth_beside(keys.get("auth"), made)
    if operations is None:
        lines = ["operations:", *(f"  {line}" for line in made.operation_lines(auth))]
        return Added(_after(text, service, lines), name, made.operation, tuple(lines), inherited)
    if not _is_block(operations):
        raise NoPlaceError(f"the operations of service `{name}` are written in braces")
    taken = {key.value for key, _ in operations.value}
    made.operation = free_name(made.operation, taken.__contains__)
    lines = made.operation_lines(auth)
    return Added(_after(text, operations, lines), name, made.operation, tuple(lines), inherited)


def _auth_beside(service: yaml.Node | None, made: Draft) -> tuple[str, tuple[str, ...] | None]:
    """The `auth` to write at the operation, or "" and the variables of the service's `auth` if that one serves."""
    if service is None or _is_off(service):
        return made.auth, None
    if not made.auth:
        return "off", None
    own, new = _leaves(service), _leaves(yaml.compose(made.auth, Loader=yaml.SafeLoader))
    is_same = own.keys() == new.keys() and all(_may_be_same(own[place], new[place]) for place in own)
    return ("", tuple(REFERENCE.findall(" ".join(own.values())))) if is_same else (made.auth, None)


def _is_off(auth: yaml.Node) -> bool:
    return isinstance(auth, yaml.ScalarNode) and auth.value.lower() in ("off", "false", "null", "~", "")


def _leaves(node: yaml.Node | None, place: str = "") -> dict[str, str]:
    """The texts of a credential by their places: `basic.username`."""
    if not isinstance(node, yaml.MappingNode):
        return {place: str(node.value)} if isinstance(node, yaml.ScalarNode) else {}
    return {at: text for key, value in node.value for at, text in _leaves(value, f"{place}.{key.value}").items()}


def _may_be_same(own: str, new: str) -> bool:
    """Equal, or both from a variable: a service is taken to have one credential of a kind."""
    return own == new or bool(REFERENCE.search(own) and REFERENCE.search(new))


def _composed(text: str) -> yaml.Node | None:
    try:
        # The Python loader, as the end marks of libyaml are at other places.
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        raise UsageError("the sheet is not YAML; `callsheet check` tells where") from None


def _child(node: yaml.Node | None, name: str) -> yaml.MappingNode | None:
    entries = node.value if _is_block(node) and isinstance(node, yaml.MappingNode) else []
    found = next((value for key, value in entries if key.value == name), None)
    return found if isinstance(found, yaml.MappingNode) and _is_block(found) else None


def _is_block(node: yaml.Node | None) -> bool:
    return isinstance(node, yaml.MappingNode) and not node.flow_style and bool(node.value)


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
    """The line, from 0, that a value ends on. The end mark of a block mapping is no help: it is behind later comments."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return _last_line(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _last_line(node.value[-1])
    mark = node.end_mark
    return int(mark.line if mark.column > 0 or mark.line == node.start_mark.line else mark.line - 1)


def indented(lines: list[str], spaces: int) -> str:
    """The lines as text, each indented by so many spaces."""
    return "".join(f"{' ' * spaces}{line}\n" for line in lines)
