"""`breaker`: when requests to a service that fails are refused, and for how long."""

from __future__ import annotations

from dataclasses import replace

from callsheet.settings.breaker import Breaker, ShareBreaker
from callsheet.sheet.forms.reading import Form, Spot
from callsheet.sheet.forms.record import Key, Record, Written, plain
from callsheet.sheet.forms.scalars import DURATION, SHARE, WholeNumber
from callsheet.sheet.forms.shorthand import OrOff
from callsheet.sheet.tree.findings import Findings, Misfit

BREAKER: Form = OrOff(
    Record(
        (
            Key("ratio", SHARE, "the share of failures at which it opens"),
            Key(
                "samples",
                WholeNumber(1, 1_000_000),
                "failures in a row, or attempts that must be known, before it may open",
            ),
            Key("window", DURATION, "how long nothing must have worked; below 100%, how far back attempts count"),
            Key("open", DURATION, "how long it stays open at first"),
            Key("max_open", DURATION, "how long it stays open at most"),
            Key("probes", WholeNumber(1, 1000), "attempts that show whether the service is back"),
        ),
        topic="breaker",
        expected="a mapping such as `{ratio: 50%, samples: 20}`",
    )
)


def breaker_from(written: Written, spot: Spot, findings: Findings) -> Breaker | None:
    """The settings that were written; a default yields, and two written ones that contradict are noted.

    What is not written depends on `ratio`: below 100% other defaults hold.
    """
    if written.value is None:
        return None
    values = plain(written.value)
    first, most = values.get("open"), values.get("max_open")
    if first is not None and most is not None and first > most:
        message = f"{spot.under('breaker.open')} is {first:g} s, longer than `max_open`, {most:g} s"
        findings.add_once(Misfit(written.value["open"].node.place, message, "write `open` below `max_open`"))
    ratio = values.get("ratio")
    chosen = Breaker(**values) if ratio is None or ratio >= 1.0 else ShareBreaker(**values)
    if first is None:
        return replace(chosen, open=min(chosen.open, chosen.max_open))
    return replace(chosen, max_open=max(chosen.open, chosen.max_open))
