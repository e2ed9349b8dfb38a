"""Tokens of an OAuth 2.0 provider (RFC 6749): one exchange at a time, and mostly before anybody needs it.

An exchange is not part of any call. An attempt that finds no token starts it, and every attempt waits for it no longer than
its own deadline; the exchange goes on even if all of them give up. A token that is near its end is replaced in the
background, while calls still use it. After a failed exchange none is started for a while, from 1 s doubling to a minute, so
that a provider which is down, or refuses us, is not asked once per call.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from copy import copy
from typing import NamedTuple
from weakref import ref

from callsheet.auth.jwt import Token
from callsheet.auth.token_endpoint import Asking, Denied, Granted, TokenEndpoint
from callsheet.call import Attempt
from callsheet.errors import AuthError, UsageError
from callsheet.events import NO_CALL, TokenFetched
from callsheet.secret import Secret
from callsheet.verdicts import Later, Refuse, Steps, Tell, Ticket, Verdict, WaitFor

SECONDS = 10.0
"""Seconds that one exchange may take, with its retries."""
RENEWED_BEFORE = 0.1
"""The last part of a token's life, 5 minutes at most, in which the next token is fetched in the background."""
LONGEST_AHEAD = 300.0
UNUSED = 0.05
"""The last part of a token's life, 10 seconds at most, in which it is not sent: clocks differ, and requests take time."""
LONGEST_UNUSED = 10.0
SHORTEST_LIFE = 2.0
"""Seconds for which a token is used at least, so that the attempts that waited for it can send it; a 401 ends it earlier."""
FIRST_REST = 1.0
LONGEST_REST = 60.0


DISTRUST = 10.0
"""Seconds for which a 401 causes no further exchange, after a token was refused that a 401 had caused to be fetched."""


class _Kept(NamedTuple):
    token: Token
    renewal: float
    expiry: float


class _Failure(NamedTuple):
    denied: Denied
    number: int
    until: float


class OAuth2:
    """The tokens of one `auth: {oauth2: ...}`; safe to use from any thread and task.

    `now` is the engine's clock, in seconds.
    """

    header = "Authorization"

    def __init__(self, endpoint: TokenEndpoint, *, now: Callable[[], float], service: str) -> None:
        self._endpoint = endpoint
        self._now = now
        self._service = service
        self._kept: _Kept | None = None
        self._failure: _Failure | None = None
        self._written: str | None = None
        self._refresh: Secret | None = None
        self._distrusted_until = -math.inf
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Attempt, Ticket] = {}
        self._told: dict[Attempt, UsageError] = {}
        self._running_until = -math.inf
        self._running: Callable[[], Steps | None] = lambda: None

    def forget(self) -> None:
        """In a forked child, keep the token, but not the running exchange, which only the parent drives."""
        self._begin_anew()
        self._endpoint.forget()

    def ready(self, attempt: Attempt, now: float) -> Verdict | None:
        """None if there is a token; else the verdict to fetch one, to wait for it, or to refuse the attempt."""
        kept = self._kept
        if kept is not None and now < kept.renewal:
            return None
        with self._lock:
            told = self._told.pop(attempt, None)
            return self._renewal(attempt, now) if told is None else Refuse(told, by="auth")

    def _renewal(self, attempt: Attempt, now: float) -> Verdict | None:
        kept = self._kept
        if kept is not None and now < kept.renewal:
            return None  # another thread has renewed it
        # An exchange that an interrupt kept from beginning is nobody's any more.
        may_begin = now >= self._running_until or self._running() is None
        failure = self._failure if self._failure is not None and now < self._failure.until else None
        if kept is not None and now < kept.expiry:
            return self._begun(now, None) if may_begin and failure is None else None
        if failure is not None and may_begin:
            return Refuse(self._error(failure, now), by="auth")
        ticket = self._waiting[attempt] = attempt.call.new_ticket()
        wait = WaitFor(ticket, f"a token from {self._endpoint.shown_url}")
        return self._begun(now, wait) if may_begin else wait

    def _begun(self, now: float, then: Verdict | None) -> Later:
        steps = self._exchange()
        self._running, self._running_until = ref(steps), now + SECONDS + 1.0
        return Later(steps, SECONDS, self._endpoint.tls, then)

    def token(self) -> Token:
        """The token to send now. Raises AuthError if there is none."""
        kept = self._kept
        if kept is None:
            raise AuthError(f"no token from {self._endpoint.shown_url} is at hand", stopped_by="auth")
        return kept.token

    def at_hand(self) -> Token | None:
        """The token if it has not expired, else None."""
        kept = self._kept
        return kept.token if kept is not None and self._now() < kept.expiry else None

    def reject(self, token: Token) -> bool:
        """Drop a token that the service refused. False if no other is fetched for now, so that a retry would be useless."""
        with self._lock:
            kept = self._kept
            if kept is None or kept.token is not token:
                return True
            if self._now() < self._distrusted_until:
                return False
            self._kept = _Kept(token, -math.inf, -math.inf)
            return True

    def reject_again(self, token: Token) -> None:
        """Fetch no further token for a while: the service also refused the one that was fetched after a 401."""
        self._distrusted_until = self._now() + DISTRUST

    def leave(self, attempt: Attempt) -> None:
        """Forget an attempt that no longer waits for a token."""
        with self._lock:
            self._waiting.pop(attempt, None)
            self._told.pop(attempt, None)

    def _exchange(self) -> Steps:
        """Fetch a token, keep it or the failure, and wake the waiting attempts."""
        began = self._now()
        try:
            result = yield from self._asked()
            with self._lock:
                if isinstance(result, Granted):
                    self._keep(result, began)
                else:
                    self._failure = self._failed(result)
        except Exception as error:
            # Without a kept failure, a waiting attempt would start the next exchange at once, and so on.
            self._note(error)
            raise
        finally:
            self._wake()
        why = None if isinstance(result, Granted) else self._why(result)
        lifetime = result.lifetime if isinstance(result, Granted) else 0.0
        url, elapsed = self._endpoint.shown_url, self._now() - began
        facts = NO_CALL._replace(service=self._service)
        return Tell(TokenFetched(*facts, url, why, result.requests, elapsed, lifetime))

    def _note(self, error: Exception) -> None:
        """Keep the failure. A UsageError, which the caller has to mend, is given to the waiting attempts instead."""
        with self._lock:
            if isinstance(error, UsageError):
                self._told = {attempt: copy(error) for attempt in self._waiting}
                return
            self._failure = self._failed(Denied(f"a bug in Callsheet: {type(error).__name__}", None, None, 0))

    def _asked(self) -> Asking:
        try:
            refresh_token = self._refresh_token()
        except AuthError as error:
            return Denied(str(error), None, None, 0)
        return (yield from self._endpoint.asked(refresh_token))

    def _wake(self) -> None:
        with self._lock:
            self._running_until = -math.inf
            waiting, self._waiting = self._waiting, {}
        for ticket in waiting.values():
            ticket.grant()

    def _keep(self, granted: Granted, began: float) -> None:
        end = began + max(granted.lifetime, SHORTEST_LIFE)
        life = end - began
        # A token whose lifetime the endpoint does not say is used until a service refuses it.
        ahead, unused = (min(life * RENEWED_BEFORE, LONGEST_AHEAD), min(life * UNUSED, LONGEST_UNUSED))
        token = Token(Secret("Bearer ", granted.token), granted.token)
        self._kept = _Kept(token, end - ahead, end - unused)
        self._failure = None
        if granted.refresh_token is not None:
            self._refresh = granted.refresh_token

    def _refresh_token(self) -> Secret | None:
        """The refresh token that came last; at first, and whenever its mounted file changes, the one of the sheet."""
        written = self._endpoint.refresh_token
        if written is None:
            return None
        text = written.reveal()
        if text != self._written:
            self._written, self._refresh = text, Secret(text)
        return self._refresh

    def _failed(self, denied: Denied) -> _Failure:
        number = self._failure.number + 1 if self._failure is not None else 1
        rest = min(FIRST_REST * 2 ** min(number - 1, 16), LONGEST_REST)
        return _Failure(denied, number, self._now() + max(rest, min(denied.retry_after or 0.0, LONGEST_REST)))

    def _why(self, denied: Denied) -> str:
        return f"no token from {self._endpoint.shown_url}: {denied.why}"

    def _error(self, failure: _Failure, now: float) -> AuthError:
        """The error for one caller. `retry_after` is the time until the endpoint may be asked again."""
        denied = failure.denied
        return AuthError(self._why(denied), code=denied.code, retry_after=failure.until - now, stopped_by="auth")
