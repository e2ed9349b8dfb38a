"""Every exception a user can meet, on one page, by whose fault it is.

    APIError
      SheetError ArgumentError UsageError                     yours
      TransportError                                          the way
        NotSent > ConnectTimeout                                never reached the service
        NoAnswer > AttemptTimeout, MalformedAnswer              may have been processed
        TLSError                                                one side refused the other
        LocalFault                                              this machine could not even try
      ResponseError                                           theirs
        HTTPError > Redirected BadRequest Unauthorized Forbidden NotFound MethodNotAllowed Conflict Gone
                    PreconditionFailed ContentTooLarge UnprocessableContent RateLimited ServerError
        ApplicationError DecodeError ValidationError ResponseTooLarge PageLoop
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
    `request` is redacted; `idempotency_key` is the one that all attempts carried. `position` is where to go on: that of a page
    that failed (a text), or of the first row that a `map` has not done (an index). Every error pickles; undeclared facts raise TypeError.
    """

    service: str | None = None
    operation: str | None = None
    attempts: int = 0
    was_sent: bool = False
    retry_after: float | None = None
    stopped_by: str | None = None
    idempotency_key: str | None = None
    request: Request | None = None
    position: int | str | None = None
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
    """One thing that is wrong on a sheet: `where`, what (`message`), and in `excerpt` its line with what to do about it.

    `line` and `column` count from 1; both are 0 where there is no file.
    """

    where: str
    message: str
    excerpt: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\n{self.excerpt}" if self.excerpt else head


class SheetError(APIError):
    """The sheet cannot be used. `findings` lists everything that is wrong with it, in the order of the file."""

    findings: tuple[Finding, ...]

    def __init__(self, findings: list[Finding] | tuple[Finding, ...] | str) -> None:
        self.findings = (Finding("", findings),) if isinstance(findings, str) else tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings), findings=self.findings)


class ArgumentError(APIError):
    """A call was given arguments that its operation does not take, and nothing was sent.

    Only where a body turned out wrong while it was being sent is `was_sent` true: the service saw a request that breaks off.
    """


class UsageError(APIError):
    """The program uses Callsheet in a way that cannot work: a client that is closed or belongs to another event loop, a name
    that is not on the sheet, a transport for AsyncClient in a Client.
    """


class TransportError(APIError):
    """No usable answer came, because of the connection or the network, not because of what the service decided.

    `errno` is libcurl's number where there is one. `on_kept_connection` is true if a connection that had served an
    earlier request closed before the first byte of the answer, or if the service, in HTTP/2, refused the request unprocessed.
    `is_local` is true where the fault is this machine's or that of its files, so that it says nothing of the service.
    """

    errno: int | None = None
    on_kept_connection: bool = False
    is_local: bool = False


class NotSent(TransportError):
    """The request did not reach the service, so nothing was processed and it may be sent again."""


class ConnectTimeout(NotSent, TimeoutError):
    """The connection (name lookup, TCP, TLS) was not made within `timeout.connect`."""


class NoAnswer(TransportError):
    """The service may have processed the request, but no usable answer came back. To send it again may do it twice."""

    was_sent = True


class AttemptTimeout(NoAnswer, TimeoutError):
    """The answer was not complete within `timeout.attempt`, or no byte moved for `timeout.read`."""


class MalformedAnswer(NoAnswer):
    """What came back is not HTTP, or breaks off, or has more header fields than `caps` allows."""


class TLSError(TransportError):
    """One side refused the other's certificate or TLS version. It is never tried again: the outcome would be the same."""


class LocalFault(TransportError):
    """This machine could not make the attempt: no descriptor, thread or memory is left, no temporary file can be written, a CA
    file cannot be read.

    It is never tried again, and neither the breaker nor the retry budget counts it.
    """

    is_local = True


class ResponseError(APIError):
    """The service answered, but not with the result that was asked for. `response` is its answer.

    Where a rule of `errors` or the `envelope` on the sheet looked into the body, `code` is the value that it looked at,
    `message` the text that it found, secrets masked, and `meaning` what it took the answer for: `failed`, `transient`,
    `rate_limited` or `unauthorized`. All three are None where the status alone says that the request failed.
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
    """400: the service cannot make sense of the request."""


class Unauthorized(HTTPError):
    """401, or an answer that an error rule takes for one: the credential is missing, wrong or has expired."""


class Forbidden(HTTPError):
    """403: the service refuses the request, whatever credential comes with it."""


class NotFound(HTTPError):
    """404: there is nothing at this address, or the service will not say that there is."""


class MethodNotAllowed(HTTPError):
    """405: what is at this address does not take this method."""


class Conflict(HTTPError):
    """409: the request contradicts the present state of what it is about."""


class Gone(HTTPError):
    """410: what was at this address is gone for good."""


class PreconditionFailed(HTTPError):
    """412: a condition that the request made, such as `If-Match`, does not hold."""


class ContentTooLarge(HTTPError):
    """413: the service refuses a request this large."""


class UnprocessableContent(HTTPError):
    """422: the service understood the request and refuses what it says, such as the value of a field."""


class RateLimited(HTTPError):
    """429, or an answer that an error rule takes for one: the service asks for fewer requests.

    `retry_after` is the pause that it asked for, in seconds, or None.
    """


class ServerError(HTTPError):
    """Any 5xx: the service failed."""


class ApplicationError(ResponseError):
    """The status says that the request succeeded and the body says that it failed; `code` and `message` are the body's.

    The sheet's `errors` and `envelope` tell such answers. A rule with `raise: OutOfStock` raises a subclass of that name:
    `except ApplicationError.named("OutOfStock"):` catches it.
    """

    @staticmethod
    def named(name: str) -> type[ApplicationError]:
        """The subclass of that name, which is always the same one. Raises UsageError for what cannot be a class's name."""
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
    """The answer's body is not what its headers say: broken compression, broken JSON, HTML where JSON was declared.

    Where a body is read line by line, `line` is the number of the bad line, from 1.
    """

    line: int | None = None


class ValidationError(ResponseError):
    """The answer is JSON, but not of the declared type.

    `errors` has a mapping for each value that does not fit: `loc` is the way to it in the document, `msg` what was expected
    there, `type` Pydantic's word for that.
    """

    errors: tuple[dict[str, Any], ...] = ()


class ResponseTooLarge(ResponseError):
    """The answer is larger than `caps.response` allows, as it was sent or once it was decompressed."""


class PageLoop(ResponseError):
    """A walk over pages would go round in circles: the service gave a page, or the position of one, a second time."""


class AuthError(APIError):
    """Callsheet could not get the credential that the call needs: a token was refused, a secret cannot be read.

    `code` is the error code of the token endpoint (RFC 6749 5.2), such as `invalid_client`; None where it gave none.
    """

    code: str | None = None


class Refused(APIError):
    """Callsheet stopped the call by a rule of the sheet. `was_sent` says whether an attempt had been made before."""


class BreakerOpen(Refused):
    """The circuit breaker is open, because the service has been failing.

    `retry_after` is how many seconds it stays open; None where that cannot be said.
    """


class LimitReached(Refused):
    """Too many calls wait already, or this one's turn would come after its deadline."""


class DeadlinePassed(Refused, TimeoutError):
    """The time for the call ran out: its `timeout.total`, or a `deadline` around it."""


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
    """The errors of this module that an answer can raise, by name."""
    return {
        name: kind for name, kind in globals().items() if isinstance(kind, type) and issubclass(kind, ResponseError)
    }


def response_error(name: str) -> type[ResponseError]:
    """The class that `raise: NAME` on a sheet means: a ResponseError by its name, else a kind of ApplicationError.

    Raises UsageError for a name that neither can have.
    """
    return known_response_errors().get(name) or ApplicationError.named(name)
