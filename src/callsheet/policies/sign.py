"""Sign the request that leaves: over its final bytes, and anew for each attempt and each hop.

What a signature needs and takes time to have, credentials of a machine or the digest of a large file, is at hand before a
slot or a turn is taken; the signature itself is made when nothing waits or changes any more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from callsheet.auth.signers import signer_of
from callsheet.call import Attempt
from callsheet.errors import APIError
from callsheet.http.request import Request
from callsheet.policies.scope import Own, Scope
from callsheet.settings.settings import Settings, SignSettings
from callsheet.verdicts import Refuse, Ticket, WaitFor


class Signer(Protocol):
    """One way to sign."""

    prepares: bool
    """Whether `awaited` has to be asked."""
    waits_for: str
    """What `awaited` may wait for, as a deadline that passes meanwhile tells it."""

    def awaited(self, attempt: Attempt) -> Ticket | None:
        """What to wait for before this attempt can be signed. Raises APIError if it never can."""

    def signed(self, request: Request, now: float) -> Request:
        """The request with its signature; `now` is the time of day. Raises APIError if it cannot be signed."""


class ReadyToSign:
    """Have what a signature needs at hand.

    It answers `WaitFor`, and `Refuse` for a request that cannot be signed.
    """

    name = "sign"

    def __init__(self, signer: Signer) -> None:
        self.signer = signer

    def before(self, attempt: Attempt, now: float) -> WaitFor | Refuse | None:
        """Nothing, once all is at hand."""
        try:
            ticket = self.signer.awaited(attempt)
        except APIError as error:
            return Refuse(error, by=self.name)
        return None if ticket is None else WaitFor(ticket, self.signer.waits_for)


class Sign:
    """Put the signature into the request. `wall_clock` gives the time of day that it tells."""

    name = "sign"

    def __init__(self, signer: Signer, wall_clock: Callable[[], float]) -> None:
        self.signer = signer
        self.wall_clock = wall_clock

    def attach(self, attempt: Attempt, now: float) -> Request:
        """The request with its signature. Raises APIError if it cannot be signed; nothing was sent then."""
        return self.signer.signed(attempt.request, self.wall_clock())


def make_ready(settings: Settings, scope: Scope, own: Own) -> tuple[ReadyToSign, ...]:
    """What has ready what a signature needs, where that may take time. Raises UsageError without the signer's library."""
    signers = [_signer(settings.sign, scope)] if settings.sign is not None else []
    return tuple(ReadyToSign(signer) for signer in signers if signer.prepares)


def make(settings: Settings, scope: Scope, own: Own) -> tuple[Sign, ...]:
    """What signs. Raises UsageError if the library that it needs is not installed."""
    return () if settings.sign is None else (Sign(_signer(settings.sign, scope), scope.wall_clock),)


def _signer(chosen: SignSettings, scope: Scope) -> Signer:
    return scope.one(("sign", chosen), lambda: signer_of(chosen, wall_clock=scope.wall_clock))
