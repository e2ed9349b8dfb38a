"""`errors`: what answers mean, rule by rule."""

from __future__ import annotations

import re
from typing import Any, get_args

from callsheet.errors import known_response_errors, name_problem
from callsheet.settings.envelope import BodyTest
from callsheet.settings.error_rules import Consequence, ErrorRule
from callsheet.sheet.forms.foreign_words import meant_by
from callsheet.sheet.forms.reading import FormOf, JsonSchema, Reading, Spot, Unread, misfit
from callsheet.sheet.forms.record import Key, Layer, Written, plain
from callsheet.sheet.forms.scalars import VARIABLE_SCHEMA, Choice, Text, scalar
from callsheet.sheet.forms.shorthand import is_off
from callsheet.sheet.tree.findings import Misfit, did_you_mean, one_of
from callsheet.sheet.tree.flow import flow
from callsheet.sheet.tree.node import ListNode, MappingNode, Node
from callsheet.sheet.words.body_tests import (
    PATH,
    VALUE_KEYS,
    ValueTests,
    WholeRecord,
    body_test,
    one_or_list,
    place_of,
    test_data,
    unread_in,
)

CONSEQUENCES: tuple[str, ...] = get_args(Consequence)
EXAMPLE = "{when: {path: code, equals: 1001}, then: fail}"
STATUS_CLASS = re.compile(r"[2-5]xx")
STATUSES = "a status such as `404`, a class such as `5xx`, or a list of them"


def _statuses(node: Node, spot: Spot, reading: Reading) -> tuple[int | str, ...]:
    """Each status as a number, each class of them as `5xx`."""
    items = node.items if isinstance(node, ListNode) else (node,)
    if not items:
        raise misfit(node, spot, STATUSES, "list one at least")
    return tuple(_status(item, spot, reading) for item in items)


def _status(node: Node, spot: Spot, reading: Reading) -> int | str:
    value = scalar(node, spot, reading, STATUSES).value
    if isinstance(value, str) and STATUS_CLASS.fullmatch(value.lower()):
        return value.lower()
    if isinstance(value, bool) or not isinstance(value, int) or not 200 <= value <= 599:
        hint = "write it without quotes" if isinstance(value, str) and value.isdigit() else ""
        raise misfit(node, spot, STATUSES, hint)
    return value


_CLASSES = {"type": "string", "pattern": "^[2-5][xX]{2}$"}
_STATUS: JsonSchema = {"anyOf": [{"type": "integer", "minimum": 200, "maximum": 599}, _CLASSES, VARIABLE_SCHEMA]}
_STATUSES = FormOf(_statuses, {"anyOf": [_STATUS, {"type": "array", "items": _STATUS, "minItems": 1}]})


def _error_name(node: Node, spot: Spot, reading: Reading) -> str:
    """The name of the error that an answer raises: one of ours, or one of the application's own."""
    text = Text("the name of an error such as `NotFound` or `OutOfStock`").read(node, spot, reading)
    if text in known_response_errors():
        return text
    problem = name_problem(text)
    if problem:
        raise Misfit(node.place, f"{spot}: `{text[:60]}` {problem}")
    hint = did_you_mean(text, known_response_errors(), cutoff=0.85)
    if hint:
        message = f"{spot}: `{text}` becomes an error of its own, a kind of ApplicationError"
        reading.findings.warn(Misfit(node.place, message, hint))
    return text


_ERROR_NAME = FormOf(_error_name, {"anyOf": [{"type": "string", "pattern": "^[A-Z][A-Za-z0-9]*$"}, VARIABLE_SCHEMA]})


def _then(node: Node, spot: Spot, reading: Reading) -> str:
    """The consequence; the hint for another tool's word names ours."""
    filled = scalar(node, spot, reading, one_of(CONSEQUENCES))
    meant = meant_by(filled.text, "then") if isinstance(filled.value, str) and not filled.hidden else ""
    if meant and filled.value not in CONSEQUENCES:
        raise misfit(filled, spot, one_of(CONSEQUENCES), meant)
    return THEN.read(node, spot, reading)


THEN = Choice(CONSEQUENCES)
WHEN = ValueTests(
    (Key("status", _STATUSES, "a status, a class of them, or a list"), *VALUE_KEYS),
    topic="when",
    expected="a mapping such as `{status: 404}` or `{path: code, equals: 1001}`",
)
RULE_KEYS = WholeRecord(
    (
        Key("when", WHEN, "which answers it is about", is_required=True),
        Key("then", FormOf(_then, THEN.schema()), "what they mean", is_required=True),
        Key("raise", _ERROR_NAME, "the error that they raise"),
        Key("message", PATH, "where the body explains it"),
    ),
    topic="errors",
    expected=f"a rule such as `{EXAMPLE}`",
)


class ErrorsForm:
    """A list of rules, or `off`."""

    expected = f"`off`, or a list of rules such as `{EXAMPLE}`"

    def read(self, node: Node, spot: Spot, reading: Reading) -> tuple[ErrorRule, ...] | Unread:
        """The rules that could be read, in order; none for `off`. Unread if an outline could not read all of a rule."""
        if is_off(node):
            return ()
        if not isinstance(node, ListNode):
            hint = "begin each rule with `- `" if isinstance(node, MappingNode) else ""
            raise misfit(node, spot, self.expected, hint)
        rules: list[ErrorRule] = []
        unread: Unread | None = None
        for index, item in enumerate(node.items):
            try:
                rule = _rule(item, spot.under(str(index)), reading)
            except Misfit as wrong:
                reading.findings.add(wrong)
            else:
                if isinstance(rule, ErrorRule):
                    rules.append(rule)
                else:
                    unread = rule
        return tuple(rules) if unread is None else unread

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        return {"anyOf": [{"enum": ["off", False]}, {"type": "array", "items": RULE_KEYS.schema()}]}

    def spell(self, rules: tuple[ErrorRule, ...]) -> str:
        """The rules as they would be written."""
        return flow([rule_data(rule) for rule in rules]) if rules else "off"


def rule_data(rule: ErrorRule) -> dict[str, Any]:
    """The rule as it would be written."""
    status = {"status": one_or_list(rule.statuses)} if rule.statuses else {}
    body = {} if rule.body is None else test_data(rule.body)
    rest = {"raise": rule.raises, "message": rule.message}
    return {"when": {**status, **body}, "then": rule.then} | {key: text for key, text in rest.items() if text}


def _rule(node: Node, spot: Spot, reading: Reading) -> ErrorRule | Unread:
    values = RULE_KEYS.read(node, spot, reading)
    for unread in unread_in(values):
        return unread
    if "when" not in values:
        hint = "write `when: {status: 404}` or `when: {path: code, equals: 1001}`"
        raise Misfit(node.place, f"{spot}: `when` is missing", hint)
    if "then" not in values:
        raise Misfit(node.place, f"{spot}: `then` is missing", f"write one of {one_of(CONSEQUENCES)}")
    given = plain(values)
    if given["then"] == "ignore":
        _refuse_of_ignored(values, spot)
    statuses, body = _looked_at(values["when"], spot.under("when"))
    return ErrorRule(given["then"], statuses, body, given.get("raise"), given.get("message"))


def _refuse_of_ignored(values: Layer, spot: Spot) -> None:
    for name in ("raise", "message"):
        if name in values:
            hint = "an answer that is ignored raises nothing: keep one"
            raise Misfit(place_of(values[name]), f"{spot}: `{name}` beside `then: ignore`", hint)


def _looked_at(when: Written, spot: Spot) -> tuple[tuple[int | str, ...], BodyTest | None]:
    """The statuses, and the test of the body, by which a rule is chosen."""
    if not when.value:
        raise Misfit(when.node.place, f"{spot}: nothing to look at", "write `status`, `path`, or both")
    of_the_body = when.value.keys() - {"status"}
    body = body_test(when.value, spot, when.node.place) if of_the_body else None
    return plain(when.value).get("status", ()), body
