"""Put a token into the request. The token is made or fetched first, and replaced before it expires.

It is ready before the attempt takes a slot or a turn, so that no attempt that has one waits for a token. It is put in when all
waits are over, so that the token sent is still valid. A service that answers 401 has not processed the request: once per
call, whatever the method, the request is sent again with a new token (RFC 6750 3.1).
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
    """A token, alone and as the value of its header field."""

    @property
    def field(self) -> Secret:
        """The value of the header field, such as `Bearer` and the token."""

    @property
    def value(self) -> Secret:
        """The token alone, which is masked wherever the service sends it back."""


class Tokens(Protocol):
    """A source of tokens for the header field `header`."""

    header: str

    def ready(self, attempt: Attempt, now: float) -> Verdict | None:
        """None once there is a token to send; else what has to be done first, or `Refuse` if no token can be made or fetched."""

    def token(self) -> Token:
        """The token to send now, after `ready` said that there is one. Raises AuthError if there is none."""

    def at_hand(self) -> Token | None:
        """The token to send now; None if one must be fetched first. Raises AuthError if none can be made."""

    def reject(self, token: Any) -> bool:
        """Send this token no more, because the service refused it. False if for a while no other one is to be fetched."""

    def reject_again(self, token: Any) -> None:
        """Note that the service also refused the token that replaced a refused one."""

    def leave(self, attempt: Attempt) -> None:
        """Stop waiting for a token on behalf of this attempt."""

    def forget(self) -> None:
        """Begin anew in a forked child, where no fetch of the parent ever ends."""


class Credential:
    """Send a token in its header field. If the caller gave that field, it is sent instead, and a 401 ends the call."""

    name = "auth"

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.header = tokens.header
        self._filled: tuple[Headers, Token, Headers] | None = None

    def before(self, attempt: Attempt, now: float) -> Verdict | None:
        """None once there is a token to send; else what has to be done first."""
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
        # Most calls of a plan have the same fields: one Headers for all of them keeps the lines that a transport made of it.
        if filled is None or filled[0] is not headers or filled[1] is not token:
            filled = self._filled = (headers, token, headers.with_fields([(self.header, token.field)]))
        return request.with_headers(filled[2], token.value)

    def preview(self, request: Request) -> Request:
        """The request as it would be sent, with a stand-in if a token must be fetched first. Raises AuthError."""
        if self.header in request.headers:
            return request
        token = self.tokens.at_hand()
        field = STAND_IN if token is None else token.field
        return request.with_headers(request.headers.with_fields([(self.header, field)]), field)

    def after(self, attempt: Attempt, now: float) -> Resend | GiveUp | None:
        """The same request once more, with another token, if the service refused this one."""
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
        """Stop waiting for a token."""
        self.tokens.leave(attempt)


def _is_refused(attempt: Attempt) -> bool:
    outcome = attempt.outcome
    if not isinstance(outcome, Response):
        return False
    if attempt.meaning is not None:
        return attempt.meaning == "unauthorized"
    return outcome.status_code == UNAUTHORIZED


def make(settings: Settings, scope: Scope, own: Own) -> tuple[Credential, ...]:
    """The policy for a kind of `auth` whose tokens are made or fetched; calls with the same `auth` share their tokens."""
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
