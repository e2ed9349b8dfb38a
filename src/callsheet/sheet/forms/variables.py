"""`${...}` in a parsed value: environment variables and mounted secrets."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from callsheet.secret import Secret
from callsheet.secret.sources import EMPTY, MountedFile
from callsheet.sheet.tree.findings import Misfit
from callsheet.sheet.tree.masks import CREDENTIAL
from callsheet.sheet.tree.node import Node, Scalar, scalars

REFERENCE = re.compile(r"\$\$\{|\$\{(?P<inside>[^{}]*)\}|\$\{")
INSIDE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::(?P<how>[-?])(?P<rest>.*))?", re.DOTALL)
FORMS = "`${NAME}`, `${NAME:-default}`, `${NAME:?why}` or `${file:PATH}`, and `$${` for a literal `${`"
FilledPart = str | MountedFile


@dataclass(frozen=True, slots=True)
class Filled:
    """A text after substitution.

    `through` names the variables and files that it holds, `trimmed` the variables whose line break at the end was cut off, and
    `odd` has the variables whose value was probably set wrong, each with the reason.
    """

    parts: tuple[FilledPart, ...] = field(repr=False)
    through: tuple[str, ...]
    trimmed: tuple[str, ...] = ()
    odd: tuple[tuple[str, str], ...] = ()

    def secret(self) -> Secret:
        """The text as a secret; mounted files are read anew."""
        return Secret(*self.parts)

    def text(self) -> str:
        """The text as it is now."""
        return "".join(part if isinstance(part, str) else part.read() for part in self.parts)


@dataclass(frozen=True, slots=True, repr=False)
class Variables:
    """What `${...}` stands for: `values` by name, and the files in `folder`; `clock` says when a file is read again.

    Only those of `services` must have a value; None: those of all.
    """

    values: Mapping[str, str]
    folder: Path
    clock: Callable[[], float] = time.monotonic
    services: Collection[str] | None = None

    def fill(self, node: Scalar, *, is_secret: bool = False) -> Filled:
        """The parts of a text. Raises Misfit for a name without a value or a file that cannot be read.

        The hint for a secret suggests no default, since a default would be written on the sheet.
        """
        parts: list[FilledPart] = []
        through: list[str] = []
        trimmed: list[str] = []
        wrong: list[Misfit] = []
        odd: list[tuple[str, str]] = []
        at = 0
        for match in REFERENCE.finditer(node.text):
            parts.append(node.text[at : match.start()])
            at = match.end()
            if match.group() == "$${":
                parts.append("${")
                continue
            inside = match.group("inside")
            if inside is None:
                raise Misfit(node.place, "a `${` that is not closed, or holds another", f"write {FORMS}")
            try:
                value = self._value(node, inside, through, is_secret=is_secret)
            except Misfit as misfit:
                wrong.append(misfit)
                continue
            if is_secret and isinstance(value, str) and (line := without_line_break(value)) != value:
                trimmed.append(through[-1])
                value = line
            if through[-1] in self.values and (why := _oddity(self.values[through[-1]])):
                odd.append((through[-1], why))
            parts.append(value)
        if wrong:
            raise Misfit(node.place, "; ".join(dict.fromkeys(each.message for each in wrong)), wrong[0].hint)
        parts.append(node.text[at:])
        return Filled(tuple(part for part in parts if part != ""), tuple(through), tuple(trimmed), tuple(odd))

    def missing(self, node: Node) -> str:
        """What is wrong with the first variable, of those in a node, that has no value; empty if all have one."""
        strict = Variables(self.values, self.folder, self.clock)
        try:
            for value in scalars(node):
                if isinstance(value.value, str):
                    strict.fill(value)
        except Misfit as wrong:
            return wrong.message
        return ""

    def _value(self, node: Scalar, inside: str, through: list[str], *, is_secret: bool) -> FilledPart:
        if inside.startswith("file:"):
            through.append(inside)
            return self._mounted(node, inside.removeprefix("file:"))
        match = INSIDE.fullmatch(inside)
        if match is None:
            raise Misfit(node.place, "a `${...}` that cannot be read", f"write {FORMS}")
        name, how, rest = match.group("name", "how", "rest")
        through.append(name)
        value = self.values.get(name) or (rest if how == "-" else None)
        if value is None:
            otherwise = "`${file:PATH}`" if is_secret or CREDENTIAL.search(name) else "`${" + name + ":-default}`"
            raise Misfit(
                node.place, f"the variable `{name}` is {self._state(name)}", rest or f"set it, or write {otherwise}"
            )
        return value

    def _state(self, name: str) -> str:
        return "empty" if name in self.values else "not set"

    def _mounted(self, node: Scalar, path: str) -> MountedFile:
        mounted = MountedFile(self.folder / path, self.clock)
        problem = mounted.problem()
        if problem == EMPTY:
            raise Misfit(node.place, f"the file `{path}` is empty", "put the secret into it")
        if problem:
            raise Misfit(node.place, f"the file `{path}` cannot be read: {problem}", "mount it, or mend the path")
        return mounted


class Unfilled(Variables):
    """Variables for an outline: a `${NAME}` without a value stays as it is written."""

    __slots__ = ()

    def _value(self, node: Scalar, inside: str, through: list[str], *, is_secret: bool) -> FilledPart:
        try:
            return super()._value(node, inside, through, is_secret=is_secret)
        except Misfit:
            return "${" + inside + "}"


def _oddity(value: str) -> str:
    """Why the value of a variable was probably set wrong: a shell would have taken the quotes, an env file keeps them."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return "stands in quotes, which are sent, too"
    if value.strip(" \t") != value:
        return "ends with a space" if value.lstrip(" \t") == value else "begins with a space"
    return ""


def has_reference(text: str) -> bool:
    """Whether anything in a text would be substituted."""
    return any(match.group() != "$${" for match in REFERENCE.finditer(text))


def without_line_break(value: str) -> str:
    """The value without line breaks at its end. A text of several lines, such as a key in PEM, stays as it is."""
    line = value.rstrip("\r\n")
    return value if "\n" in line or not line else line
