"""YAML text to a tree with places, within bounds.

The parser's events are read one by one and the tree is built here, so that a bound stops a hostile file before
memory is spent on it. PyYAML's own typing (YAML 1.1) is not used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from callsheet.sheet.tree.core_schema import resolve
from callsheet.sheet.tree.findings import Findings, Misfit
from callsheet.sheet.tree.masks import KEYWORDS, holds_no_keys, is_secret_place, is_showable
from callsheet.sheet.tree.node import DEEPEST, ListNode, MappingNode, Node, Scalar, hide, shown_key
from callsheet.sheet.tree.place import Place, SheetText
from callsheet.sheet.tree.yaml_problems import Quoted, problem_of

MOST_ALIASES = 100
MOST_NODES = 10_000
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
PLAIN_TAGS = {None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
CORE_TAGS = {
    "tag:yaml.org,2002:null": type(None),
    "tag:yaml.org,2002:bool": bool,
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
}
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def compose(source: SheetText, text: str, findings: Findings) -> Node | None:
    """The tree of a YAML text; None if it is empty, or cannot be parsed, which is noted in `findings`."""
    unprintable = UNPRINTABLE.search(text)
    if unprintable:
        findings.add(_unprintable(source, text, unprintable.start()))
        return None
    composer = _Composer(source, findings)
    try:
        for event in yaml.parse(text, Loader=LOADER):
            composer.take(event)
    except yaml.YAMLError as error:
        findings.add(problem_of(error, source, composer.quoted))
        return None
    except Misfit as misfit:
        findings.add(misfit)
        return None
    source.is_composed = True
    return composer.root


def _unprintable(source: SheetText, text: str, at: int) -> Misfit:
    before = SheetText("", text[:at]).lines
    mark = (len(before) - 1, len(before[-1]))
    what = f"the character U+{ord(text[at]):04X}, which YAML does not allow"
    return Misfit(
        source.place(mark, (mark[0], mark[1] + 1)), what, "remove it, or write it as an escape in double quotes"
    )


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    is_mapping: bool
    start: tuple[int, int]
    place: Place
    anchor: str | None
    items: list[Node] = field(default_factory=list)
    entries: list[tuple[Scalar, Node]] = field(default_factory=list)
    keys: dict[str, Scalar] = field(default_factory=dict)
    key: Scalar | None = None
    size: int = 1

    def closed(self) -> Node:
        return (
            MappingNode(tuple(self.entries), self.place) if self.is_mapping else ListNode(tuple(self.items), self.place)
        )


class _Composer:
    def __init__(self, source: SheetText, findings: Findings) -> None:
        self.source = source
        self.findings = findings
        self.root: Node | None = None
        self.open: list[_Open] = []
        self.anchors: dict[str, tuple[Node, int] | None] = {}
        self.documents = self.aliases = self.nodes = 0
        self.quoted: Quoted | None = None

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():
                self._count(event, 1)
                if event.style in ("'", '"'):
                    self.quoted = Quoted(_start(event), _end(event))
                self._add(self._scalar(event), 1, event.anchor, event)
            case yaml.CollectionStartEvent():
                self._start(event)
            case yaml.CollectionEndEvent():
                done = self.open.pop()
                self._add(done.closed(), done.size, done.anchor, event)
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    raise Misfit(
                        self._place(event), "a second document; a sheet is one", "remove `---` and what follows"
                    )

    def _start(self, event: yaml.CollectionStartEvent) -> None:
        self._count(event, 1)
        if len(self.open) >= DEEPEST:
            raise Misfit(self._place(event), f"nested more than {DEEPEST} deep")
        self._check_tag(event, event.tag)
        if event.anchor:
            self.anchors[event.anchor] = None
        place = self._place(event)
        self.open.append(_Open(isinstance(event, yaml.MappingStartEvent), _start(event), place, event.anchor))

    def _alias(self, event: yaml.AliasEvent) -> None:
        self.aliases += 1
        if self.aliases > MOST_ALIASES:
            raise Misfit(self._place(event), f"more than {MOST_ALIASES} aliases in one sheet")
        if event.anchor not in self.anchors:
            hint = "a text that begins with `*` needs quotes"
            raise Misfit(self._place(event), "an alias whose anchor is not above it", hint)
        target = self.anchors[event.anchor]
        if target is None:
            raise Misfit(self._place(event), "an alias inside of what it stands for")
        self._count(event, target[1])
        self._add(target[0], target[1], None, event)

    def _add(self, node: Node, size: int, anchor: str | None, event: yaml.Event) -> None:
        if anchor:
            self.anchors[anchor] = (node, size)
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        parent.size += size
        if not parent.is_mapping:
            parent.items.append(node)
        elif parent.key is None:
            parent.key = self._key(node, event)
        else:
            self._entry(parent, parent.key, node)
            parent.key = None

    def _key(self, node: Node, event: yaml.Event) -> Scalar:
        if isinstance(node, Scalar):
            return node
        hide(node)
        self.findings.add(
            Misfit(self._place(event), "a key must be text", "a value that holds `{` or `[` needs quotes")
        )
        return Scalar("", "", self._place(event))

    def _entry(self, parent: _Open, key: Scalar, node: Node) -> None:
        known = parent.keys.setdefault(key.text, key)
        if key.text == "<<" and key.value == "<<":
            hint = "YAML 1.2 has none: write shared settings under `defaults`"
            self.findings.add(Misfit(key.place, "a merge key `<<`", hint))
        elif known is not key:
            hint = f"already on line {known.place.line}"
            self.findings.add(Misfit(key.place, f"the key `{shown_key(key)}` twice in one mapping", hint))
        else:
            parent.entries.append((key, node))

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        value = resolve(event.value) if event.implicit[0] else event.value
        if event.tag in CORE_TAGS:
            value = resolve(event.value)
            if not isinstance(value, CORE_TAGS[event.tag]):
                self.findings.add(Misfit(self._place(event), "a value that is not what its tag says"))
        else:
            self._check_tag(event, event.tag)
        path = tuple(self._path())
        is_secret = is_secret_place(path) if self._is_value() else holds_no_keys(path) and event.value not in KEYWORDS
        hidden = is_secret and not is_showable(event.value)
        if hidden:
            self.source.hide(_start(event), _end(event))
        return Scalar(value, event.value, self._place(event), hidden)

    def _check_tag(self, event: yaml.Event, tag: str | None) -> None:
        if tag not in PLAIN_TAGS:
            hint = "a sheet has no tags; a text that begins with `!` needs quotes"
            self.findings.add(Misfit(self._place(event), "an unknown tag", hint))

    def _count(self, event: yaml.Event, size: int) -> None:
        self.nodes += size
        if self.nodes > MOST_NODES:
            raise Misfit(self._place(event), f"more than {MOST_NODES:,} values in one sheet, aliases followed")

    def _is_value(self) -> bool:
        return bool(self.open) and (not self.open[-1].is_mapping or self.open[-1].key is not None)

    def _path(self) -> Iterator[str]:
        return (parent.key.text for parent in self.open if parent.key is not None)

    def _place(self, event: yaml.Event) -> Place:
        return self.source.place(_start(event), _end(event))


def _start(event: Any) -> tuple[int, int]:
    return event.start_mark.line, event.start_mark.column


def _end(event: Any) -> tuple[int, int]:
    return event.end_mark.line, event.end_mark.column
