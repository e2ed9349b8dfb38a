"""Every exception a user can meet, on one page, by whose fault it is.

    APIError
      SheetError ArgumentError UsageError                     yours
      TransportError                                          the way
        NotSent > ConnectTimeout                                never reached the service
        NoAnswer > AttemptTimeout, MalformedAnswer              may have been processed
        TLSError                                                one side refused the other
      ResponseError                                           theirs
        HTTPError > Redirected BadRequest Unauthorized Forbidden NotFound MethodNotAllowed Conflict Gone
                    PreconditionFailed ContentTooLarge UnprocessableContent RateLimited ServerError
        ApplicationError DecodeError ValidationError ResponseTooLarge
      AuthError                                               no token could be obtained
      Refused > BreakerOpen LimitReached DeadlinePassed OriginRefused      we stopped

`ConnectTimeout`, `AttemptTimeout` and `DeadlinePassed` are also the builtin `TimeoutError`.
"""

from __future__ import annotations

import builtins
import difflib
import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # at run time http imports this module: docs/decisions/errors-and-answers.md
    from callsheet.http.problem import ProblemDetails
    from callsheet.http.request import Request
    from callsheet.http.response import Response


CLOSED = "the client is closed"
"""What a UsageError says of a call on a client that was closed, before it or meanwhile."""


class APIError(Exception):
    """Anything Callsheet raises. It is made with a message and with the facts that its class declares, by name.

    `attempts` is how many tries were made on the wire; `was_sent` is true if any of them may have reached the service;
    `retry_after` is in seconds, from the service; `stopped_by` names the policy that refused a further attempt;
    `request` is redacted; `idempotency_key` is the one that all attempts carried. Every error pickles. Making one with a fact
    that its class does not declare raises TypeError: misspelt, it would be lost without anybody noticing.
    """

    service: str | None = None
    operation: str | None = None
    attempts: int = 0
    was_sent: bool = False
    retry_after: float | None = None
    stopped_by: str | None = None
    idempotency_key: str | None = None
    request: Request | None = None
    _declared = frozenset(__annotations__)
    """The names of the facts that the class and those above it annotate."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._declared = frozenset(name for each in cls.__mro__ for name in inspect.get_annotations(each))

    def __init__(self, message: str = "", **facts: Any) -> None:
        super().__init__(message)
        if not self._declared.issuperset(facts):
            raise TypeError(f"{type(self).__name__}: {_unknown_fact(facts, self._declared)}")
        self.__dict__.update(facts)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self.args, self.__dict__)


def _unknown_fact(facts: Iterable[str], declared: frozenset[str]) -> str:
    unknown = next(name for name in facts if name not in declared)
    close = difflib.get_close_matches(unknown, declared, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"it takes {', '.join(f'`{name}`' for name in sorted(declared))}"
    return f"unknown fact `{unknown}`: {hint}"


def _rebuilt(kind: type[APIError], arguments: tuple[Any, ...], facts: dict[str, Any]) -> APIError:
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    error.__dict__.update(facts)
    return error


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong on a sheet: where, what, the line it stands on and what to do about it."""

    where: str
    message: str
    excerpt: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\n{self.excerpt}" if self.excerpt else head


class SheetError(APIError):
    """The sheet cannot be used: `findings` holds everything that is wrong with it, in the order of the file."""

    findings: tuple[Finding, ...]

    def __init__(self, findings: list[Finding] | tuple[Finding, ...] | str) -> None:
        self.findings = (Finding("", findings),) if isinstance(findings, str) else tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings), findings=self.findings)


class ArgumentError(APIError):
    """A call was given arguments that its operation does not take. Nothing was sent, unless `was_sent` says that a body
    turned out wrong while it was: then the service saw a broken request.
    """


class UsageError(APIError):
    """The client was used in a way it cannot work: closed, in another event loop, of the wrong colour."""


class TransportError(APIError):
    """There is no usable answer, because of the way there or back.

    `errno` is libcurl's number where there is one. `on_kept_connection` is true if a connection that had served an
    earlier request closed before the first byte of the answer.
    """

    errno: int | None = None
    on_kept_connection: bool = False


class NotSent(TransportError):
    """No attempt reached the service: nothing was processed there."""


class ConnectTimeout(NotSent, TimeoutError):
    """The connection (name lookup, TCP, TLS) was not made within `timeout.connect`."""


class NoAnswer(TransportError):
    """The request may have been processed, but no usable answer came back."""

    was_sent = True


class AttemptTimeout(NoAnswer, TimeoutError):
    """The answer was not complete within `timeout.attempt`, or no byte moved for `timeout.read`."""


class MalformedAnswer(NoAnswer):
    """What came back is not HTTP, or breaks off, or exceeds the caps on header fields."""


class TLSError(TransportError):
    """One side refused the other's certificate or protocol. Never tried again."""


class ResponseError(APIError):
    """An answer came, and it is not the declared result. `response` holds it whole.

    `code` is what the body says at the path that a rule of `errors`, or the `envelope`, looks at; `message` the text at their
    `message`, secrets masked. `meaning` is what such a rule made of it: `failed`, `transient`, `rate_limited` or
    `unauthorized`; None where the status says it.
    """

    response: Response
    was_sent = True
    code: Any = None
    message: str | None = None
    meaning: str | None = None

    @property
    def status_code(self) -> int:
        """The answer's status."""
        return self.response.status_code

    @property
    def problem(self) -> ProblemDetails | None:
        """The answer as problem details (RFC 9457), or None if it is not `application/problem+json`."""
        return self.response.problem


class HTTPError(ResponseError):
    """The status says that the request failed (or, for `Redirected`, that the answer is elsewhere)."""


class Redirected(HTTPError):
    """A 3xx where a typed result was declared; redirects are not followed unless `redirects` says so."""


class BadRequest(HTTPError):
    """400."""


class Unauthorized(HTTPError):
    """401, or what an error rule says is one: the credential is missing, wrong or has expired."""


class Forbidden(HTTPError):
    """403."""


class NotFound(HTTPError):
    """404."""


class MethodNotAllowed(HTTPError):
    """405."""


class Conflict(HTTPError):
    """409."""


class Gone(HTTPError):
    """410."""


class PreconditionFailed(HTTPError):
    """412."""


class ContentTooLarge(HTTPError):
    """413: the service refuses a request this large."""


class UnprocessableContent(HTTPError):
    """422."""


class RateLimited(HTTPError):
    """429, or what an error rule says is one: the service asks us to slow down; `retry_after` says for how long, if it told."""


class ServerError(HTTPError):
    """Any 5xx."""


class ApplicationError(ResponseError):
    """A failure told inside a successful answer; `code` and `message` are what it says.

    What a rule of the sheet names (`raise: OutOfStock`) is a kind of it: `except ApplicationError.named("OutOfStock"):`.
    """

    @staticmethod
    def named(name: str) -> type[ApplicationError]:
        """The kind of that name, always the same class. Raises UsageError for a name that none can have."""
        problem = name_problem(name)
        if problem:
            raise UsageError(f"ApplicationError.named: {name!r} {problem}")
        return _NAMED.get(name) or _NAMED.setdefault(name, type(name, (ApplicationError,), {}))

    def __reduce__(self) -> tuple[Any, ...]:
        kind = type(self)
        if _NAMED.get(kind.__name__) is not kind:
            return super().__reduce__()
        return _rebuilt_named, (kind.__name__, self.args, self.__dict__)


_NAMED: dict[str, type[ApplicationError]] = {}


def _rebuilt_named(name: str, arguments: tuple[Any, ...], facts: dict[str, Any]) -> APIError:
    return _rebuilt(ApplicationError.named(name), arguments, facts)


class DecodeError(ResponseError):
    """The answer's body is not what its headers say: broken coding, broken JSON, HTML where JSON was declared.

    `line` is the number of the bad line, from 1, where a body is read line by line.
    """

    line: int | None = None


class ValidationError(ResponseError):
    """The answer was read, and it is not of the declared type. `errors` lists each place and what was expected."""

    errors: tuple[dict[str, Any], ...] = ()


class ResponseTooLarge(ResponseError):
    """The answer is larger than `caps.response`, as sent or once decoded."""


class AuthError(APIError):
    """The credential that the call needs could not be obtained.

    `code` is the error code of a token endpoint (RFC 6749 5.2), such as `invalid_client`; None where there is none.
    """

    code: str | None = None


class Refused(APIError):
    """Callsheet stopped the call itself, by a rule of the sheet."""


class BreakerOpen(Refused):
    """The circuit breaker is open: the service has been failing."""


class LimitReached(Refused):
    """A queue is full, or the turn would come too late."""


class DeadlinePassed(Refused, TimeoutError):
    """`timeout.total` ran out."""


class OriginRefused(Refused):
    """The request would have gone to an origin or address that the sheet does not allow."""


_BY_STATUS: dict[int, type[HTTPError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    409: Conflict,
    410: Gone,
    412: PreconditionFailed,
    413: ContentTooLarge,
    422: UnprocessableContent,
    429: RateLimited,
}


def error_for_status(status: int) -> type[HTTPError]:
    """The class that a status raises: its own, or `Redirected` for 3xx, `ServerError` for 5xx, else `HTTPError`."""
    if status >= 500:
        return ServerError
    return _BY_STATUS.get(status, HTTPError if status >= 400 else Redirected)


CLASS_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")


def name_problem(name: str) -> str:
    """Why an error of an application cannot have this name; "" if it can."""
    if not CLASS_NAME.fullmatch(name):
        return "is no class name: write it like `OutOfStock`"
    if isinstance(globals().get(name), type):
        return "is an error of Callsheet's own: choose another name"
    known = getattr(builtins, name, None)
    if isinstance(known, type) and issubclass(known, BaseException):
        return "is an exception of Python's own: choose another name"
    return ""


def known_response_errors() -> dict[str, type[ResponseError]]:
    """The errors of this page that an answer can raise, by name."""
    return {
        name: kind for name, kind in globals().items() if isinstance(kind, type) and issubclass(kind, ResponseError)
    }


def response_error(name: str) -> type[ResponseError]:
    """The class that `raise: NAME` on a sheet means: a ResponseError by its name, else a kind of ApplicationError.

    Raises UsageError for a name that neither can have.
    """
    return known_response_errors().get(name) or ApplicationError.named(name)
