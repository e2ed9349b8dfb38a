"""The log: one record per call on the logger `callsheet`, DEBUG for success and WARNING for a call that finally failed.

A record never holds a body or a secret. The fields of its event are on the record (`record.callsheet`), for structured logs:
by their `id` a program finds the records of one call.
"""

from __future__ import annotations

import logging
from typing import Any

from callsheet.events import CallEnded, Event, Listener, StoreFailed, TokenFetched

log = logging.getLogger("callsheet")
log.addHandler(logging.NullHandler())


def log_listener(event: Event) -> None:
    """Write one record for a call that is over, for a store that failed, and for a token endpoint that gave no token."""
    if isinstance(event, CallEnded):
        level = logging.DEBUG if event.error is None else logging.WARNING
        if log.isEnabledFor(level):
            log.log(level, "%s", line_of(event), extra=_fields(event))
    elif isinstance(event, StoreFailed) and not event.is_resting:
        log.warning("%s: %s could not be asked: %s", event.service, event.store, event.message, extra=_fields(event))
    elif isinstance(event, TokenFetched) and event.error is not None:
        log.warning("%s: %s", event.service, event.error, extra=_fields(event))


log_listener.wants = (CallEnded, StoreFailed, TokenFetched)  # type: ignore[attr-defined]
ALONE = (log_listener,)


def _fields(event: CallEnded | StoreFailed | TokenFetched) -> dict[str, Any]:
    return {"callsheet": event._asdict()}


def hears_success(listeners: tuple[Listener, ...]) -> bool:
    """Whether a listener has a use for the event of a successful call: the log alone has none unless DEBUG is enabled."""
    return listeners != ALONE or log.isEnabledFor(logging.DEBUG)


def line_of(event: CallEnded) -> str:
    """The event as one line."""
    attempts = "" if event.attempts == 1 else f", {event.attempts} attempts"
    head = f"{event.service}.{event.operation} {event.request_method} {event.url}"
    if event.error is None:
        return f"{head} -> {event.status} in {event.elapsed * 1000:.0f} ms{attempts}"
    told = " ".join(event.message.split()) if event.message else event.error
    fell_back = "; fell back" if event.fell_back else ""
    return f"{head} -> {event.error} after {event.elapsed * 1000:.0f} ms{attempts}: {told}{fell_back}"


def unverified(service: str, reason: str | None) -> str:
    """The warning that a service's certificate is not checked, and why."""
    return f"service `{service}`: tls.verify is false, so anybody can answer for it; insecure_reason: {reason}"


def warn_of_unverified(service: str, reason: str | None) -> None:
    """Log a warning that a service's certificate is not checked."""
    log.warning("%s", unverified(service, reason))
