"""`-v`: a line on stderr for each attempt, with what happened on the wire."""

from __future__ import annotations

import math

from callsheet.cli.screen import Screen
from callsheet.events import (
    AttemptEnded,
    BreakerChanged,
    CacheUsed,
    CallEnded,
    Event,
    LimitLearned,
    Listener,
    StoreFailed,
    TokenFetched,
    WireFacts,
)
from callsheet.sheet.forms.quantities import spelled_seconds

PHASES = (
    ("resolved", "name"),
    ("connected", "connected"),
    ("secured", "TLS"),
    ("sent", "sent"),
    ("first_byte", "first byte"),
)
NOTABLE = 0.001
"""Seconds that an attempt has to wait before its line says so."""


def teller(screen: Screen) -> Listener:
    """A listener that puts a line for each attempt, and one for the call, on the error stream."""

    def tell(event: Event) -> None:
        if isinstance(event, AttemptEnded):
            screen.say(line_of_attempt(event))
        elif isinstance(event, BreakerChanged):
            screen.say(line_of_breaker(event))
        elif isinstance(event, LimitLearned):
            screen.say(f"* {event.service} said to come back in {milliseconds(event.seconds)} ({event.status})")
        elif isinstance(event, StoreFailed):
            screen.say(f"* {event.store} could not be asked: {event.message}")
        elif isinstance(event, CacheUsed):
            screen.say(f"* cache: {event.did}, {event.why}")
        elif isinstance(event, TokenFetched):
            screen.say(line_of_token(event))
        elif isinstance(event, CallEnded) and event.attempts != 1:
            screen.say(f"* {event.attempts} attempts in {milliseconds(event.elapsed)}{_stopped(event)}")

    return tell


def line_of_attempt(event: AttemptEnded) -> str:
    """One attempt as a line, with a second line for its phases if they were measured."""
    arrived = "may have arrived" if event.was_sent else "never sent"
    meaning = f" ({event.meaning.replace('_', ' ')}, by the sheet)" if event.meaning else ""
    outcome = f"{event.error}, {arrived}" if event.status is None else f"{event.status}{meaning}"
    again = "" if event.pause is None else f"; again in {milliseconds(event.pause)}"
    waited = f" after waiting {milliseconds(event.waited)}" if event.waited >= NOTABLE else ""
    phases = phases_of(event.wire)
    return (
        f"* attempt {event.number}: {event.request_method} {event.url} -> {outcome} in {milliseconds(event.elapsed)}"
        f"{waited}{again}" + (f"\n    {phases}" if phases else "")
    )


def line_of_breaker(event: BreakerChanged) -> str:
    """The new state of a breaker, as a line."""
    counted = f": {event.failures} of {event.samples} attempts failed" if event.samples else ""
    lasts = f", for {milliseconds(event.seconds)}" if event.seconds else ""
    return f"* the breaker of {event.service} is {event.state} now{lasts}{counted}"


def line_of_token(event: TokenFetched) -> str:
    """The outcome of a request to a token endpoint, as a line."""
    told = f"a token from {event.url}" if event.error is None else event.error
    lasts = f", good for {spelled_seconds(event.lifetime)}" if 0 < event.lifetime < math.inf else ""
    return f"* {told} in {milliseconds(event.elapsed)}{lasts}"


def phases_of(wire: WireFacts) -> str:
    """When each phase of an attempt was over, and which connection it used."""
    marks = [f"{name} {milliseconds(at)}" for field, name in PHASES if (at := getattr(wire, field)) > 0]
    if wire.address:
        kind = "new" if wire.new_connections else "kept"
        marks.append(f"{kind} connection to {wire.address} port {wire.port}, HTTP/{wire.http_version or '?'}")
    return ", ".join(marks)


def milliseconds(seconds: float) -> str:
    """A duration for a person, such as `1.25 s`, `120 ms` or `2.5 ms`."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.1f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"


def _stopped(event: CallEnded) -> str:
    return f"; no further attempt: {event.stopped_by}" if event.stopped_by else ""
