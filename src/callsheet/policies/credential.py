"""Put a token into the request that has to be made or fetched first, and is replaced before it expires.

It is at hand before a slot or a turn is taken, so that nobody who holds one waits for it, and put in when nothing waits any
more, so that the one sent is the one that holds then. A service that answers 401 has not processed the request: it gets one
new token and one more attempt, once per call, whatever the method (RFC 6750 3.1).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Protocol

from callsheet.auth.jwt import JWT
from callsheet.auth.oauth2 import OAuth2
from callsheet.auth.token_endpoint import TokenEndpoint
from callsheet.call import Attempt
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.policies.scope import Own, Scope
from callsheet.secret import Secret
from callsheet.settings.settings import AuthSettings, Settings
from callsheet.verdicts import GiveUp, Resend, Verdict

UNAUTHORIZED = 401
STAND_IN = Secret("Bearer ", "TOKEN")


class Token(Protocol):
    """A token: the whole value of its header field, and the token alone."""

    @property
    def field(self) -> Secret:
        """What stands in the header field."""

    @property
    def value(self) -> Secret:
        """The token, which is masked wherever it comes back."""


class Tokens(Protocol):
    """Where tokens come from."""

    header: str

    def ready(self, attempt: Attempt, now: float) -> Verdict | None:
        """Nothing, once a token is at hand; else what has to be done first. `Refuse` where none can be had."""

    def token(self) -> Token:
        """The token to send now, after `ready` said that there is one. Raises AuthError if there is none."""

    def at_hand(self) -> Token | None:
        """The token to send now; None if one would have to be fetched. Raises AuthError where none can be made."""

    def reject(self, token: Any) -> bool:
        """The service refused it: it is not sent again, and another one may be had; false if none is, for a while."""

    def reject_again(self, token: Any) -> None:
        """The service refused one that was had for its sake."""

    def leave(self, attempt: Attempt) -> None:
        """The attempt waits for no token any more."""

    def forget(self) -> None:
        """Begin anew in a forked child."""


class Credential:
    """Send a token in its header field; a field of that name that the caller gave stays, and then a 401 does, too."""

    name = "auth"

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.header = tokens.header
        self._filled: tuple[Headers, Token, Headers] | None = None

    def before(self, attempt: Attempt, now: float) -> Verdict | None:
        """Nothing, once a token is at hand."""
        if self.header in attempt.request.headers:
            return None
        verdict = self.tokens.ready(attempt, now)
        if verdict is not None:
            attempt.held.setdefault(self, None)
        return verdict

    def attach(self, attempt: Attempt, now: float) -> Request:
        """The request with the token."""
        request = attempt.request
        headers = request.headers
        if self.header in headers:
            return request
        token = attempt.held[self] = self.tokens.token()
        filled = self._filled
        # Most calls of a plan have the same fields, and these keep what a transport made of them.
        if filled is None or filled[0] is not headers or filled[1] is not token:
            filled = self._filled = (headers, token, headers.with_fields([(self.header, token.field)]))
        return request.with_headers(filled[2], token.value)

    def preview(self, request: Request) -> Request:
        """The request as it would leave, with a stand-in for a token that would have to be fetched. Raises AuthError."""
        if self.header in request.headers:
            return request
        token = self.tokens.at_hand()
        field = STAND_IN if token is None else token.field
        return request.with_headers(request.headers.with_fields([(self.header, field)]), field)

    def after(self, attempt: Attempt, now: float) -> Resend | GiveUp | None:
        """The same request once more, with another token, if this one was refused."""
        token: Token | None = attempt.held.get(self)
        if token is None or not _is_refused(attempt):
            return None
        call = attempt.call
        if self in call.notes:
            self.tokens.reject_again(token)
            return None
        if not self.tokens.reject(token):
            return None
        if call.request.body is not None and not call.request.body.is_replayable:
            return GiveUp("body")
        call.notes[self] = token
        return Resend(call.request)

    def let_go(self, attempt: Attempt, sent: bool) -> None:  # noqa: FBT001 the questions are asked by position
        """Wait for no token any more."""
        self.tokens.leave(attempt)


def _is_refused(attempt: Attempt) -> bool:
    outcome = attempt.outcome
    if not isinstance(outcome, Response):
        return False
    if attempt.meaning is not None:
        return attempt.meaning == "unauthorized"
    return outcome.status_code == UNAUTHORIZED


def make(settings: Settings, scope: Scope, own: Own) -> tuple[Credential, ...]:
    """What sends tokens that have to be made or fetched; calls whose `auth` is the same have the same tokens."""
    auth = settings.auth
    if auth is None or auth.kind not in KINDS:
        return ()
    tokens = scope.one(("auth", auth), lambda: KINDS[auth.kind](auth, scope))
    return () if tokens.header.lower() in scope.left_out else (Credential(tokens),)


def _jwt(auth: AuthSettings, scope: Scope) -> Tokens:
    return JWT(auth.options, wall_clock=scope.wall_clock, new_id=_new_id)


def _oauth2(auth: AuthSettings, scope: Scope) -> Tokens:
    endpoint = TokenEndpoint(auth.options, wall_clock=scope.wall_clock, pick=scope.pick, new_id=_new_id)
    return OAuth2(endpoint, now=scope.now, service=scope.service)


def _new_id() -> str:
    return str(uuid.uuid4())


KINDS: dict[str, Callable[[AuthSettings, Scope], Tokens]] = {"jwt": _jwt, "oauth2": _oauth2}
