"""Which variables and mounted files a sheet refers to, even if the rest of the sheet cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from callsheet.errors import SheetError
from callsheet.sheet.environments import chosen, overlay_of
from callsheet.sheet.flat import unflattened
from callsheet.sheet.forms.variables import INSIDE, REFERENCE
from callsheet.sheet.overlay import overlaid
from callsheet.sheet.tree.compose import compose
from callsheet.sheet.tree.findings import Findings
from callsheet.sheet.tree.node import MappingNode, Node, Scalar, scalars
from callsheet.sheet.tree.place import SheetText

FILLED = ("defaults", "services", "stores")
"""The parts of a sheet in which `${...}` is filled in."""


class Reference(NamedTuple):
    """One `${...}`: a variable, or the path of a mounted file. `why` is the reason that `${NAME:?why}` gives."""

    name: str
    line: int
    is_file: bool = False
    has_default: bool = False
    why: str = ""


def references_in(text: str, name: str, env: str | None, variables: Mapping[str, str]) -> list[Reference]:
    """The references of a sheet in its environment, each once, in the order of the file.

    In a text that is no YAML, these are all outside comments.
    """
    findings = Findings()
    text = text.removeprefix("\ufeff")
    try:
        tree = compose(SheetText(name, text), text, findings)
    except SheetError:
        tree = None
    found: Iterator[Reference]
    if isinstance(tree, MappingNode):
        found = (each for scalar in _values(tree, env, variables, findings) for each in _in(scalar))
    else:
        found = _in_lines(text)
    kept: dict[tuple[str, bool], Reference] = {}
    for each in sorted(found, key=lambda each: (each.has_default, each.line)):
        kept.setdefault((each.name, each.is_file), each)  # the first that has to be set counts
    return sorted(kept.values(), key=lambda each: each.line)


def _values(tree: MappingNode, env: str | None, variables: Mapping[str, str], findings: Findings) -> Iterator[Scalar]:
    sheet = unflattened(tree, findings)
    name, _ = chosen(sheet, env, variables, findings)
    if name is not None:
        sheet = overlaid(sheet, overlay_of(sheet, name), findings)
    nodes: list[Node | None] = [sheet.get(part) for part in FILLED]
    return (scalar for node in nodes if node is not None for scalar in scalars(node))


def _in(scalar: Scalar) -> Iterator[Reference]:
    if isinstance(scalar.value, str):
        yield from _in_text(scalar.text, scalar.place.line)


def _in_lines(text: str) -> Iterator[Reference]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith("#"):
            yield from _in_text(line, number)


def _in_text(text: str, line: int) -> Iterator[Reference]:
    for match in REFERENCE.finditer(text):
        inside = match["inside"]
        if inside is None:
            continue
        if inside.startswith("file:"):
            yield Reference(inside.removeprefix("file:"), line, is_file=True)
        elif known := INSIDE.fullmatch(inside):
            why = known["rest"] if known["how"] == "?" else ""
            yield Reference(known["name"], line, has_default=bool(known["how"] == "-" and known["rest"]), why=why or "")
