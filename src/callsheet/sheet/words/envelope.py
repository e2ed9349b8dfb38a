"""`envelope`: where a body says whether it is a success, and where its data is."""

from __future__ import annotations

from callsheet.settings.envelope import Envelope
from callsheet.sheet.forms.reading import Form, Spot, Unread
from callsheet.sheet.forms.record import Key, Written, plain
from callsheet.sheet.forms.shorthand import OrOff
from callsheet.sheet.tree.findings import Findings, Misfit
from callsheet.sheet.words.body_tests import PATH, VALUE_KEYS, ValueTests, WholeRecord, body_test

OK = ValueTests(VALUE_KEYS, topic="when", expected="a mapping such as `{path: code, equals: 0}`")
ENVELOPE: Form = OrOff(
    WholeRecord(
        (
            Key("ok", OK, "what holds of a success"),
            Key("data", PATH, "where the result stands"),
            Key("message", PATH, "where a failure is explained"),
        ),
        topic="envelope",
        expected="a mapping such as `{ok: {path: code, equals: 0}, data: data}`",
    )
)


def envelope_from(written: Written, spot: Spot, findings: Findings) -> Envelope | None:
    """The settings in the merged layers; None for `off`. A test that is incomplete, all layers together, is noted."""
    if written.value is None:
        return None
    try:
        return _envelope(written, spot.under("envelope"))
    except Misfit as wrong:
        findings.add_once(wrong)
        return None


def _envelope(written: Written, spot: Spot) -> Envelope:
    values = plain(written.value)
    ok = _known(written.value.get("ok"))
    if ok is None and not written.value.keys() & {"ok", "data"}:
        hint = "write `ok: {path: code, equals: 0}`, or where the `data` is"
        raise Misfit(written.node.place, f"{spot}: neither `ok` nor `data`", hint)
    test = None if ok is None else body_test(ok.value, spot.under("ok"), ok.node.place)
    return Envelope(test, values.get("data"), values.get("message"))


def _known(ok: Written | None) -> Written | None:
    """The test; None if there is none, or if an outline could not read it or its path."""
    if ok is None or isinstance(ok.value, Unread):
        return None
    path = ok.value.get("path")
    return None if path is not None and isinstance(path.value, Unread) else ok
