"""`idempotency_key` and `deadline_header`: headers whose value is made for each call or attempt."""

from __future__ import annotations

from callsheet.settings import IdempotencyKey
from callsheet.sheet.forms.header_text import TOKEN, header_name
from callsheet.sheet.forms.reading import FormOf, JsonSchema, Reading, Spot, misfit
from callsheet.sheet.forms.record import Key, Record, Written, plain
from callsheet.sheet.forms.scalars import SWITCH, Choice, scalar
from callsheet.sheet.forms.shorthand import is_off
from callsheet.sheet.forms.variables import has_reference
from callsheet.sheet.tree.findings import Findings, Misfit
from callsheet.sheet.tree.node import MappingNode, Node, Scalar, is_null


def _header_or_off(node: Node, spot: Spot, reading: Reading) -> str | None:
    filled = scalar(node, spot, reading, "the name of a header, or `off`")
    return None if is_off(filled) else own_header(filled, spot)


_NAME: JsonSchema = {"type": "string", "pattern": f"^{TOKEN.pattern}$"}
HEADER_NAME = FormOf(_header_or_off, {"anyOf": [{"enum": ["off", False]}, _NAME]})
TAKEN = frozenset({"authorization", "proxy-authorization", "cookie", "host", "content-type", "content-encoding", "accept",
                   "accept-encoding", "user-agent"})  # fmt: skip
SWITCHES = frozenset({"yes", "no", "on"})


def own_header(node: Scalar, spot: Spot) -> str:
    """The name of a header for our own use. Raises Misfit for one that has another meaning."""
    name = header_name(node, spot)
    if name.lower() in TAKEN:
        raise Misfit(node.place, f"{spot}: the header `{name}` has a meaning of its own", "choose another name")
    if name.lower() in SWITCHES:
        raise Misfit(node.place, f"{spot}: `{name}` would be the name of a header", "write `true` or `false`")
    return name


IDEMPOTENCY_KEYS = Record(
    (
        Key("header", HEADER_NAME, "the header that carries the key"),
        Key("quoted", SWITCH, "as a structured string, in quotes"),
        Key("from", Choice(("auto", "argument")), "who makes the key: we, or the caller"),
    ),
    topic="idempotency_key",
    expected="true, the name of a header, or a mapping of header, quoted and from",
)


class IdempotencyKeyForm:
    """true, false, the name of the header, or the whole mapping."""

    record = IDEMPOTENCY_KEYS

    def read(self, node: Node, spot: Spot, reading: Reading) -> dict[str, Written] | None:
        """The values of the mapping; None for false."""
        if isinstance(node, MappingNode):
            return IDEMPOTENCY_KEYS.read(node, spot, reading)
        filled = scalar(node, spot, reading, IDEMPOTENCY_KEYS.expected)
        if filled.value is True:
            return {}
        if is_off(filled):
            return None
        if not isinstance(filled.value, str):
            raise misfit(filled, spot, IDEMPOTENCY_KEYS.expected)
        return {"header": Written(own_header(filled, spot), node)}

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        return {"anyOf": [{"type": "boolean"}, _NAME, IDEMPOTENCY_KEYS.schema()]}


def with_header(node: Node) -> Node:
    """The mapping that a short form of `idempotency_key`, true or the name of a header, is equal to."""
    if not isinstance(node, Scalar) or is_null(node) or is_off(node) or has_reference(node.text):
        return node
    header = () if node.value is True else ((Scalar("header", "header", node.place), node),)
    return MappingNode(header, node.place)


def idempotency_key_from(written: Written, spot: Spot, findings: Findings) -> IdempotencyKey | None:
    """The settings that were written; None where keys are off."""
    if written.value is None:
        return None
    values = plain(written.value)
    if "from" in values:
        values["source"] = values.pop("from")
    if values.get("header", "") is None:
        return None
    return IdempotencyKey(**values)
