"""Let a function of the user add credentials to the request: `auth: {python: "module:function"}`.

A plain function is given the request and returns the one to send, anew for each attempt. A generator may have other
requests sent first (`answer = yield other`). They are sent outside the service's slots and limits: a login must not wait for
calls that wait for this login. When the generator yields the request itself, that is sent and the generator is given the
answer; it may then yield the request once more.
"""

from __future__ import annotations

import inspect
import logging
import math
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from callsheet.call import Attempt, Call
from callsheet.errors import APIError, ArgumentError, AuthError, DeadlinePassed, SheetError, UsageError
from callsheet.http.headers import Headers, check_field
from callsheet.http.request import Request, origin_of
from callsheet.http.response import Response
from callsheet.policies.scope import Own, Scope
from callsheet.secret import Secret
from callsheet.settings.settings import AuthSettings, Settings
from callsheet.values.codec import imported
from callsheet.verdicts import Exchange, Refuse, Resend, Steps

log = logging.getLogger("callsheet")
MOST_RESENDS = 3
"""Further attempts that the generator of one call may ask for."""


class PythonAuth:
    """Send the request that a function makes. `start` is the function with its options filled in; `label` names it in errors.

    If it raises, or makes a request to another origin, the call ends with an AuthError and nothing is sent.
    """

    name = "auth"
    reads_answers = True

    def __init__(self, start: Callable[[Request], Any], label: str) -> None:
        self._start = start
        self._label = label

    def before(self, attempt: Attempt, now: float) -> Exchange | Refuse | None:
        """None once the function has made the request to send; else run it."""
        if self in attempt.held:
            return None
        flow: _Flow | None = attempt.call.notes.get(self)
        if flow is not None and flow.given is attempt.request and flow.own is not None:
            attempt.held[self] = flow.own
            return None
        try:
            made = self._start(attempt.request)
            if not isinstance(made, Generator):
                attempt.held[self] = _checked(made, attempt.request)
                return None
        except Exception as error:  # noqa: BLE001 - the function is the user's
            return Refuse(self._error(error), by=self.name)
        flow = attempt.call.notes[self] = _Flow(made, attempt.request)
        return Exchange(self._begun(flow, attempt), seconds=math.inf)

    def attach(self, attempt: Attempt, now: float) -> Request:
        """The request that the function made."""
        request: Request = attempt.held[self]
        return request

    def after(self, attempt: Attempt, now: float) -> Exchange | None:
        """Tell a generator that yielded the request itself the answer to it."""
        flow: _Flow | None = attempt.call.notes.get(self)
        if flow is None or flow.own is None or flow.has_ended or not isinstance(attempt.outcome, Response):
            return None
        return Exchange(self._told(flow, attempt.outcome, attempt), seconds=math.inf)

    def let_go(self, attempt: Attempt, sent: bool) -> None:  # noqa: FBT001 the questions are asked by position
        """Nothing: `before` notes only the request, which need not be given back."""

    def ended(self, call: Call) -> None:
        """End the generator."""
        flow: _Flow | None = call.notes.pop(self, None)
        if flow is None:
            return
        try:
            flow.steps.close()
        except Exception as error:  # noqa: BLE001 - the generator is the user's, and the call is over
            log.warning("%s: closing it raised %s", self._label, type(error).__name__)

    def _begun(self, flow: _Flow, attempt: Attempt) -> Steps:
        try:
            own = yield from flow.next(None)
        except Exception as error:  # noqa: BLE001 - it is the user's
            return Refuse(self._error(error), by=self.name)
        if own is None:
            return Refuse(
                self._error(ArgumentError("it ended without a request: return the one to send")), by=self.name
            )
        attempt.held[self] = own
        if flow.has_ended:
            flow.own = None  # a further attempt asks the function anew
        return None

    def _told(self, flow: _Flow, answer: Response, attempt: Attempt) -> Steps:
        try:
            own = yield from flow.next(answer)
        except Exception as error:  # noqa: BLE001 - it is the user's
            return Refuse(self._error(error), by=self.name)
        call = attempt.call
        body = call.request.body
        flow.resends += 1
        # A generator that returns the request it was given wants no further one sent.
        is_done = own is None or (flow.has_ended and own is flow.given)
        if is_done or flow.resends > MOST_RESENDS or (body is not None and not body.is_replayable):
            return None
        return Resend(call.request)

    def _error(self, error: Exception) -> APIError:
        """The AuthError for an error of the function. Its text may contain a secret, and stays in `__cause__`."""
        if isinstance(error, AuthError | DeadlinePassed | UsageError):
            return error
        what = str(error) if isinstance(error, APIError) else "it raised"
        told = AuthError(f"{self._label}: {type(error).__name__}: {what}", stopped_by=self.name)
        told.__cause__ = error
        return told


class _Flow:
    """A running generator. `own` is the request that it last yielded or returned as the call's own; None if it gave none."""

    def __init__(self, steps: Generator[Request, Response, Any], given: Request) -> None:
        self.steps = steps
        self.given = given
        self.own: Request | None = None
        self.has_ended = False
        self.resends = 0

    def next(self, answer: Response | None) -> Generator[Request, Response, Request | None]:
        """Run the generator until it yields or returns the call's own request, which is the result. Other requests are sent."""
        self.own = None
        try:
            step = next(self.steps) if answer is None else self.steps.send(answer)
            while not self._is_own(step):
                try:
                    answer = yield step
                except APIError as error:
                    step = self.steps.throw(error)
                    error.__traceback__ = None  # a generator that keeps the error must not keep frames alive
                else:
                    step = self.steps.send(answer)
        except StopIteration as end:
            self.has_ended = True
            self.own = None if end.value is None else _checked(end.value, self.given)
            return self.own
        self.own = _checked(step, self.given)
        return self.own

    def _is_own(self, step: Any) -> bool:
        if not isinstance(step, Request):
            raise ArgumentError(f"expected a Request to be yielded, found {type(step).__name__}")
        given = self.given
        if step.body is not given.body or step.method != given.method:
            return False
        # A request with the call's body is its own, whatever its URL; one without a body is recognised by its path.
        return given.body is not None or _path(step) == _path(given)


def _path(request: Request) -> str:
    return request.wire_url.partition("?")[0]


def _checked(made: Any, given: Request) -> Request:
    """The request, with the header fields that were added masked. Raises ArgumentError unless it is one to the same origin."""
    if not isinstance(made, Request):
        raise ArgumentError(f"expected a Request, found {type(made).__name__}")
    if origin_of(made.wire_url) != given.origin:
        raise ArgumentError("a request to another origin; yield it, and it goes without what the call carries")
    known = set(given.headers.fields)
    added = {field: _secret(*field) for field in made.headers.fields if field not in known}
    if not added:
        return made
    fields = tuple((name, added.get((name, value), value)) for name, value in made.headers.fields)
    return made.with_headers(Headers(fields), *added.values())


def _secret(name: str, value: str | Secret) -> Secret:
    secret = value if isinstance(value, Secret) else Secret(value)
    check_field(name, secret.reveal())
    return secret


def make(settings: Settings, scope: Scope, own: Own) -> tuple[PythonAuth, ...]:
    """The policy for `auth.python`. Raises SheetError for a function that cannot be imported or called."""
    auth = settings.auth
    return (_policy_of(auth),) if auth is not None and auth.kind == "python" else ()


def _policy_of(auth: AuthSettings) -> PythonAuth:
    written, where = auth.options["python"], auth.options["where"]
    function: Any = imported(written, where) if isinstance(written, str) else written
    label = written if isinstance(written, str) else getattr(function, "__qualname__", type(function).__qualname__)
    options = auth.options["options"]
    if "identity" in auth.options and _takes_identity(function):
        options = {**options, "identity": auth.options["identity"]}
    problem = _problem(function, options)
    if problem:
        raise SheetError(f"{where}: `auth.python`: `{label}` {problem}")
    return PythonAuth(partial(function, **options), f"auth {label}")


def _takes_identity(function: Any) -> bool:
    """Whether the function has an option of that name, beside which it stands on the sheet for the cache as well."""
    try:
        return "identity" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # no function, or a builtin that does not tell
        return False


def _problem(function: Any, options: dict[str, Any]) -> str:
    """Why a function cannot be called with a request and these options; "" if it can."""
    if not callable(function) or isinstance(function, type):
        return "is no function" if not callable(function) else "is a class; name an instance of it, or a function"
    for each in (function, type(function).__call__):
        if inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each):
            return "is a coroutine function; write a plain one, or a plain generator, which serves both clients"
    try:
        inspect.signature(function).bind(None, **options)
    except TypeError as error:
        return f"cannot be called with a request{' and these options' if options else ''}: {error}"
    except ValueError:  # a builtin that does not tell what it takes
        pass
    return ""
