"""Sign each request as it is sent: over its final bytes, anew for each attempt and each redirect.

A signature may need what takes time to get: the credentials of a machine, or the digest of a large file. That is done before
the attempt takes a slot or a turn. The signature itself is made when all waits are over and the request changes no more.
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
    """Signs requests in one way, such as `hmac` or `aws`."""

    prepares: bool
    """Whether attempts may have to wait, so that `awaited` must be asked."""
    waits_for: str
    """What an attempt waits for, in the words of the error if the deadline passes meanwhile."""

    def awaited(self, attempt: Attempt) -> Ticket | None:
        """The ticket to wait for before this attempt can be signed; None if it can be now. Raises APIError if it never can."""

    def signed(self, request: Request, now: float) -> Request:
        """The request with its signature; `now` is the time of day. Raises APIError if it cannot be signed."""


class ReadyToSign:
    """Have an attempt wait until all that its signature needs is ready.

    It answers `WaitFor`, or `Refuse` for a request that cannot be signed.
    """

    name = "sign"

    def __init__(self, signer: Signer) -> None:
        self.signer = signer

    def before(self, attempt: Attempt, now: float) -> WaitFor | Refuse | None:
        """None once the request can be signed."""
        try:
            ticket = self.signer.awaited(attempt)
        except APIError as error:
            return Refuse(error, by=self.name)
        return None if ticket is None else WaitFor(ticket, self.signer.waits_for)


class Sign:
    """Put the signature into the request. `wall_clock` gives the time of day for it."""

    name = "sign"

    def __init__(self, signer: Signer, wall_clock: Callable[[], float]) -> None:
        self.signer = signer
        self.wall_clock = wall_clock

    def attach(self, attempt: Attempt, now: float) -> Request:
        """The request with its signature. Raises APIError if it cannot be signed; nothing was sent then."""
        return self.signer.signed(attempt.request, self.wall_clock())


def make_ready(settings: Settings, scope: Scope, own: Own) -> tuple[ReadyToSign, ...]:
    """The policy that waits, for signers that may have to. Raises UsageError if the signer's library is not installed."""
    signers = [_signer(settings.sign, scope)] if settings.sign is not None else []
    return tuple(ReadyToSign(signer) for signer in signers if signer.prepares)


def make(settings: Settings, scope: Scope, own: Own) -> tuple[Sign, ...]:
    """The policy that signs. Raises UsageError if the signer's library is not installed."""
    return () if settings.sign is None else (Sign(_signer(settings.sign, scope), scope.wall_clock),)


def _signer(chosen: SignSettings, scope: Scope) -> Signer:
    return scope.one(("sign", chosen), lambda: signer_of(chosen, wall_clock=scope.wall_clock))
