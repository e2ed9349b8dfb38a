"""What the names of our modules stand for, read from the source.

Nothing is imported, so that every Python finds the same, and types and defaults stand as they are written.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[1] / "src"
DECORATORS = ("property", "classmethod", "staticmethod", "pytest.fixture")
FIELDS = ("field", "chosen")
"""The functions that make a field of a record: of its default, or of its default and the reason for it."""
DOCUMENTED = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(eq=False)
class Module:
    """The source of a module."""

    name: str
    text: str
    body: list[ast.stmt]

    def written(self, node: ast.AST | None) -> str:
        """A part of it as it is written, on one line."""
        return on_one_line(ast.get_source_segment(self.text, node) or "") if node else ""


@dataclass(eq=False)
class Definition:
    """A class, a function, a value, or an attribute that a constructor sets, with the text that explains it."""

    kind: str
    name: str
    doc: str
    module: Module
    node: Any
    type: ast.expr | None = None

    @cached_property
    def code(self) -> str:
        """Its signature as it is written, without the colon at the end; of a class the first line alone."""
        written = self.module.written
        if self.kind == "class":
            return f"class {self.name}"
        if self.kind in ("value", "attribute"):
            told = f": {written(self.type)}" if self.type else ""
            return f"{self.name}{told}{self._default() if self.kind == 'value' else ''}"
        if self.kind in ("property", "pytest.fixture"):
            given = written(self.node.returns)
            # A fixture that ends with a check is written as an iterator; a test gets what it yields.
            yielded = re.fullmatch(r"Iterator\[(.*)\]", given) if self.kind == "pytest.fixture" else None
            return f"{self.name}: {yielded[1] if yielded else given}"
        lines = self.module.text.splitlines()[self.node.lineno - 1 : self.node.body[0].lineno - 1]
        code = re.sub(r"\s*#.*", "", textwrap.dedent("\n".join(lines))).rstrip().removesuffix(":")
        return re.sub(r"(?<== )[A-Z_]+\b", self._literal, code)

    def _default(self) -> str:
        default, written = self.node.value, self.module.written
        if isinstance(default, ast.Call) and written(default.func) in FIELDS:
            options = {each.arg: each.value for each in default.keywords}
            if "default_factory" in options:
                return f" = {written(options['default_factory'])}()"
            default = default.args[0] if default.args else options.get("default")
        shown = written(default)
        return f" = {re.sub('^[A-Z_]+$', self._literal, shown)}" if shown else ""

    def _literal(self, named: re.Match[str]) -> str:
        """The value of a constant that is written as a literal; of any other its name."""
        known = definition(named[0], self.module.name)
        value = known.module.written(known.node.value) if known else ""
        return value if re.match(r"[\d\"'(-]|frozenset\(", value) else named[0]

    @property
    def types(self) -> set[str]:
        """The names that stand in its signature as types."""
        if self.kind == "class":
            return set()
        if self.kind in ("value", "attribute"):
            return names_in(self.type or self.node.value)
        arguments = [each.annotation for each in ast.walk(self.node.args) if isinstance(each, ast.arg)]
        return names_in(self.node.returns, *arguments)

    @cached_property
    def bases(self) -> list[Definition]:
        """Of a class: the classes of ours that it is made of, the nearest first."""
        near = (definition(name, self.module.name) for base in self.node.bases for name in names_in(base))
        return [each for base in near if base and base.kind == "class" for each in (base, *base.bases)]

    @cached_property
    def own(self) -> list[Definition]:
        """Of a class: what is written in it, and the attributes that its constructor sets.

        A constructor that passes its `**options` on is left out: that of a base says what they are.
        """
        inside = list(definitions(self.module, self.node.body))
        made = next((each.node for each in inside if each.name == "__init__"), None)
        if made is None:
            return inside
        types = {each.arg: each.annotation for each in ast.walk(made.args) if isinstance(each, ast.arg)}
        for each in definitions(self.module, made.body):
            name = each.name.removeprefix("self.")
            if name != each.name and name.isidentifier():
                given = types.get(getattr(each.node.value, "id", ""))
                inside.append(replace(each, kind="attribute", name=name, type=each.type or given))
        return [each for each in inside if each.node is not made or "options" not in types]


def on_one_line(text: str) -> str:
    """Code that stands on several lines, on one."""
    return re.sub(r",? ([)\]])", r"\1", re.sub(r"([(\[]) ", r"\1", " ".join(text.split())))


def names_in(*nodes: ast.AST | None) -> set[str]:
    """The names that are read in some code."""
    return {each.id for node in nodes if node for each in ast.walk(node) if isinstance(each, ast.Name)}


@cache
def module(name: str) -> Module | None:
    """A module of ours; None for any other."""
    path = SOURCE.joinpath(*name.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = file.read_text("utf-8") if file.is_file() else None
    return None if text is None else Module(name, text, ast.parse(text).body)


def definitions(source: Module, body: Sequence[ast.stmt]) -> Iterator[Definition]:
    """What some statements define, each with its docstring, or the text that follows it."""
    for node, after in zip(body, [*body[1:], ast.Pass()], strict=True):
        if isinstance(node, ast.If | ast.Try):
            yield from definitions(source, node.body)
        elif isinstance(node, DOCUMENTED):
            plain = {ast.ClassDef: "class", ast.FunctionDef: "def"}.get(type(node), "async def")
            kind = next((each for each in map(source.written, node.decorator_list) if each in DECORATORS), plain)
            yield Definition(kind, node.name, ast.get_docstring(node) or "", source, node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            told = ast.get_docstring(ast.Module([after], [])) or reason(node.value, source)
            yield Definition("value", source.written(target), told, source, node, getattr(node, "annotation", None))


def reason(default: Any, source: Module) -> str:
    """What a field with a reason is for: the second argument of `chosen`, or the constant that it names."""
    if not isinstance(default, ast.Call) or source.written(default.func) != "chosen":
        return ""
    told = default.args[1]
    known = definition(told.id, source.name) if isinstance(told, ast.Name) else None
    return str(ast.literal_eval(known.node.value if known else told))


def imports(body: Sequence[ast.stmt]) -> Iterator[tuple[str, str, str]]:
    """Each imported name, with its module and its name there."""
    for node in body:
        if isinstance(node, ast.ImportFrom):
            yield from ((alias.asname or alias.name, node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.If):
            yield from imports(node.body)


@cache
def definition(name: str, where: str) -> Definition | None:
    """What a name stands for in a module of ours, wherever of ours it was imported from."""
    source = module(where)
    if source is None:
        return None
    for each in definitions(source, source.body):
        if each.name == name:
            return each
    return next((definition(there, home) for known, home, there in imports(source.body) if known == name), None)


def offered(where: str) -> list[str]:
    """The names of a module's `__all__`; of a module without one, those that `callsheet` takes from it."""
    listed, main = definition("__all__", where), module("callsheet")
    if listed is not None:
        return list(ast.literal_eval(listed.node.value))
    return [name for name, home, _ in imports(main.body if main else ()) if home == where]
