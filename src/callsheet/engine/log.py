"""The log: one record per call on the logger `callsheet`, DEBUG for success and WARNING for a call that finally failed.

A record never holds a body or a secret. Its fields are on the record, too (`record.callsheet`), for structured logs.
"""

from __future__ import annotations

import logging

from callsheet.events import CallEnded, Event, Listener, StoreFailed, TokenFetched
from callsheet.stores.valkey import RESTING

log = logging.getLogger("callsheet")
log.addHandler(logging.NullHandler())


def log_listener(event: Event) -> None:
    """Write one record for a call that is over, and for each time a store or a token endpoint was asked in vain."""
    if isinstance(event, StoreFailed) and RESTING not in event.message:
        log.warning("%s: %s could not be asked: %s", event.service, event.store, event.message)
    if isinstance(event, TokenFetched) and event.error is not None:
        log.warning("%s: %s", event.service, event.error)
    if not isinstance(event, CallEnded):
        return
    level = logging.DEBUG if event.error is None else logging.WARNING
    if log.isEnabledFor(level):
        log.log(level, "%s", line_of(event), extra={"callsheet": event._asdict()})


log_listener.wants_attempts = False  # type: ignore[attr-defined]
ALONE = (log_listener,)


def hears_success(listeners: tuple[Listener, ...]) -> bool:
    """Whether anybody wants to be told of a call that went well; mostly there is only the log, at a level above DEBUG."""
    return listeners != ALONE or log.isEnabledFor(logging.DEBUG)


def line_of(event: CallEnded) -> str:
    """The event as one line."""
    attempts = "" if event.attempts == 1 else f", {event.attempts} attempts"
    head = f"{event.service}.{event.operation} {event.method} {event.url}"
    if event.error is None:
        return f"{head} -> {event.status} in {event.elapsed * 1000:.0f} ms{attempts}"
    told = " ".join(event.message.split()) if event.message else event.error
    fell_back = "; fell back" if event.fell_back else ""
    return f"{head} -> {event.error} after {event.elapsed * 1000:.0f} ms{attempts}: {told}{fell_back}"


def unverified(service: str, reason: str | None) -> str:
    """The warning that a service's certificate is not checked, and why."""
    return f"service `{service}`: tls.verify is false, so anybody can answer for it; insecure_reason: {reason}"


def warn_of_unverified(service: str, reason: str | None) -> None:
    """Write that warning."""
    log.warning("%s", unverified(service, reason))
