"""`fallback`: what a call gives when the service fails; and the settings that contradict `stream`."""

from __future__ import annotations

from typing import Any

from callsheet.settings.fallback import Fallback
from callsheet.sheet.forms.functions import FUNCTION
from callsheet.sheet.forms.reading import FormOf, Reading, Spot, Unread, misfit
from callsheet.sheet.forms.record import Key, Layer, Written
from callsheet.sheet.forms.scalars import scalar
from callsheet.sheet.forms.shorthand import is_off
from callsheet.sheet.tree.findings import Findings, Misfit
from callsheet.sheet.tree.node import MappingNode, Node, is_null
from callsheet.sheet.words.body_tests import WholeRecord, place_of
from callsheet.sheet.words.parameters import DATA

EXPECTED = '`off`, `{value: ...}` or `{python: "module:function"}`'


KEYS = WholeRecord(
    (
        Key("value", DATA, "the result"),
        Key("python", FUNCTION, "a plain function of the error; what it gives is the result"),
    ),
    topic="fallback",
    expected=EXPECTED,
)


def _fallback(node: Node, spot: Spot, reading: Reading) -> Fallback | Unread | None:
    """The settings; None for `off`; Unread if an outline could not read the value."""
    if not isinstance(node, MappingNode):
        filled = scalar(node, spot, reading, EXPECTED)
        if is_off(filled):
            return None
        raise misfit(filled, spot, EXPECTED, "write `{value: ...}`")
    values = KEYS.read(node, spot, reading)
    null = node.get("value")
    if null is not None and is_null(null):
        values["value"] = Written(None, null, node.key("value"))
    if len(values) != 1:
        hint = "keep one" if values else "`{value: null}` gives None"
        raise Misfit(node.place, f"{spot}: expected one of `value` and `python`, found {len(values)}", hint)
    (name, written), *_ = values.items()
    if isinstance(written.value, Unread):
        return written.value
    return Fallback(**{name: written.value}, where=str(written.node.place))


_ONE = {"oneOf": [{"required": ["value"]}, {"required": ["python"]}]}
FALLBACK = FormOf(_fallback, {"anyOf": [{"enum": ["off", False]}, {**KEYS.schema(), **_ONE}]})


def fallback_data(fallback: Fallback) -> dict[str, Any]:
    """The fallback as it would be written, or as Python code would give it."""
    return {"value": fallback.value} if fallback.python is None else {"python": fallback.python}


def check_stream(layer: Layer, spot: Spot, findings: Findings) -> None:
    """Note settings of a streaming operation that have no effect: the body of its answer is not decoded."""
    for name, hint in (
        ("fallback", "what is read as it comes has no result to stand in for: remove it"),
        ("envelope", "the body of what is read as it comes is not looked into: remove it"),
    ):
        if name in layer and not isinstance(layer[name].value, Unread | None):
            findings.add(Misfit(place_of(layer[name]), f"{spot}: `{name}` beside `stream`", hint))
    rules = layer["errors"].value if "errors" in layer else ()
    if not isinstance(rules, Unread) and any(rule.body is not None for rule in rules):
        hint = "of what is read as it comes only the `status` is known"
        message = f"{spot}: a rule of `errors` that looks at the body, beside `stream`"
        findings.add(Misfit(place_of(layer["errors"]), message, hint))


def check_fallback(layer: Layer, spot: Spot, findings: Findings) -> None:
    """Note a fallback written at an operation without a typed result. One that it inherits is simply not used."""
    written = layer.get("fallback")
    if written is not None and not isinstance(written.value, Unread | None):
        hint = "it stands in for a typed result: declare what the operation `returns`"
        findings.add(Misfit(place_of(written), f"{spot}: `fallback` without `returns`", hint))
