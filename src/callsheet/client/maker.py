"""Makes the calls of a service, for both colours."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypedDict

from callsheet.call import Call
from callsheet.client.breaker import BreakerControl
from callsheet.client.wiring import Wiring
from callsheet.engine.answer import Answer
from callsheet.engine.open_answer import OpenAnswer
from callsheet.engine.perform import open_stream, perform
from callsheet.errors import CLOSED, APIError, ArgumentError, UsageError
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.many.download import DownloadSource
from callsheet.plan.plan import CacheOption, Given, HeaderValues, Params, Plan, TimeoutLike
from callsheet.plan.service import ServicePlans, begin
from callsheet.secret import redact
from callsheet.unset import UNSET
from callsheet.values.form import Fields
from callsheet.values.multipart import Files


class RequestOptions(TypedDict, total=False):
    """The options of an undeclared request; one of four is its body.

    `json`; `data`, the fields of a form; `files`, a multipart body, whose other fields are `data`; `content`, sent as it
    is: bytes, text, a Path, a file opened as bytes, or an iterator of bytes or text.
    """

    params: Params | None
    json: Any
    data: Fields | None
    files: Files | None
    content: Any
    headers: HeaderValues | None
    timeout: TimeoutLike | None
    idempotency_key: str | None
    cache: CacheOption | None
    raise_for_status: bool


KNOWN_OPTIONS = RequestOptions.__annotations__.keys()
LARGEST_NOTED = 64 * 1024
"""Bytes of an answer that is remembered."""
OWN_FIELDS = frozenset({"range", "if-range"})
"""Header fields that a download sets itself."""


class CallMaker:
    """Makes the calls of one service: checks and binds what a caller gave, and sends undeclared requests."""

    def __init__(self, plans: ServicePlans, wiring: Wiring) -> None:
        self.name = plans.name
        self.plans = plans
        self.io = wiring.io(plans.name, plans.settings)
        self._wiring = wiring
        self.last: dict[str, Response] = {}
        """The last answer to each GET that declares no pages, unless it was large: `items` says what it looks like."""

    def declared(
        self, operation: str, arguments: Mapping[str, Any] | None, fields: Mapping[str, Any], given: Given
    ) -> tuple[Call, Plan]:
        """The call of a declared operation. Raises ArgumentError, UsageError, SheetError."""
        started = self.io.now()
        if self._wiring.is_closed:
            raise UsageError(CLOSED, service=self.name, operation=operation)
        plan = self.plans.plans.get(operation) or self.plans.plan(operation)
        try:
            named = fields if arguments is None else {**_mapping(arguments), **fields}
            for value in named.values():
                if value is UNSET:
                    named = {name: value for name, value in named.items() if value is not UNSET}
                    break
            given = given.without_unset()
            request = plan.bind(named, given)
            new_ticket = self.io.new_ticket
            return begin(plan, request, given, started=started, new_ticket=new_ticket, arguments=named), plan
        except APIError as error:
            self.name_error(error, plan)
            raise

    def begin_page(
        self, plan: Plan, make_request: Callable[[], Request], given: Given, arguments: Mapping[str, Any]
    ) -> Call:
        """The call of one page. Raises ArgumentError, UsageError, OriginRefused."""
        started = self.io.now()
        if self._wiring.is_closed:
            raise UsageError(CLOSED, service=self.name, operation=plan.operation)
        try:
            return begin(
                plan, make_request(), given, started=started, new_ticket=self.io.new_ticket, arguments=arguments
            )
        except APIError as error:
            self.name_error(error, plan)
            raise

    def noted(self, answer: Answer[Any], plan: Plan) -> Any:
        """The value of an answer. That to a GET without declared pages is remembered: it keeps no body of a request alive."""
        response = answer.response
        is_noted = plan.method == "GET" and plan.settings.paginate is None
        if is_noted and response is not None and len(response.content) <= LARGEST_NOTED:
            self.last[plan.operation] = response
        return answer.value

    def name_error(self, error: APIError, plan: Plan) -> None:
        """Put the call's name on the error, and mask the sheet's secrets in it, which arguments that it quotes may hold."""
        error.service, error.operation = plan.service, plan.operation
        error.args = (f"{plan.label}: {redact(str(error), self.plans.secrets())}",)

    def check_whole(self, call: Call) -> None:
        """Raises UsageError for a call whose answer is read as it comes, and so has no value."""
        if call.request.is_stream:
            message = f"`{call.label}` has `stream: true`: use `call`, which gives the answer to be read"
            raise UsageError(message, service=call.service, operation=call.operation)

    def undeclared(
        self, method: str, path: str, options: RequestOptions, *, is_stream: bool
    ) -> tuple[Call, Plan, bool]:
        """The call of an undeclared request, and whether its status may raise. Raises ArgumentError, UsageError."""
        started = self.io.now()
        if self._wiring.is_closed:
            raise UsageError(CLOSED, service=self.name, operation=method.lower())
        plan = self.plans.undeclared(method)
        try:
            given = _given(options, is_stream=is_stream)
            request = self.plans.undeclared_request(method, path, given)
            call = begin(plan, request, given, started=started, new_ticket=self.io.new_ticket)
        except APIError as error:
            self.name_error(error, plan)
            raise
        return call, plan, options.get("raise_for_status", True)

    def send(self, method: str, path: str, options: RequestOptions) -> Coroutine[Any, Any, Answer[Response]]:
        """Begin the call of an undeclared request, and give the coroutine that performs it."""
        call, plan, raises = self.undeclared(method, path, options, is_stream=False)
        return perform(call, plan, self.io, raises=raises)

    def open(self, method: str, path: str, options: RequestOptions) -> Coroutine[Any, Any, OpenAnswer]:
        """Begin the call of an undeclared request, and give the coroutine that opens its answer, to be read."""
        call, plan, raises = self.undeclared(method, path, options, is_stream=True)
        return open_stream(call, plan, self.io, raises=raises)

    def breaker(self, operation: str | None) -> BreakerControl:
        """The circuit breaker of the service or an operation. Raises UsageError where it is off."""
        found = self.plans.breaker(operation)
        if found is None:
            raise UsageError("the breaker is off here (breaker: off)", service=self.name, operation=operation)
        return BreakerControl(found, self.io, self.name, operation or "", self.plans.listeners)

    def source(self, path: str, options: RequestOptions) -> DownloadSource:
        """What a download of the path takes its bytes from. Raises ArgumentError, UsageError."""
        headers = dict(options.get("headers") or {})
        if OWN_FIELDS & {name.lower() for name in headers}:
            message = "download: it sets Range and If-Range itself; take a part of a file by `get` or `stream`"
            raise ArgumentError(message)
        if "raise_for_status" in options:
            raise ArgumentError("download: an answer that is not the file always raises; remove raise_for_status")

        def open_answer(fields: Mapping[str, str]) -> Coroutine[Any, Any, OpenAnswer]:
            set_here = {name.lower() for name in fields}
            kept = {name: value for name, value in headers.items() if name.lower() not in set_here}
            return self.open("GET", path, {**options, "headers": {**kept, **fields}, "raise_for_status": False})

        return DownloadSource(self.undeclared("GET", path, options, is_stream=True)[0].request.url, open_answer)


def _mapping(arguments: Any) -> Mapping[str, Any]:
    if isinstance(arguments, Mapping):
        return arguments
    raise ArgumentError(f"arguments: expected a mapping from name to value, found {type(arguments).__name__}")


def _given(options: RequestOptions, *, is_stream: bool) -> Given:
    if not options:
        return Given(is_stream=is_stream)
    unknown = options.keys() - KNOWN_OPTIONS
    if unknown:
        raise ArgumentError(f"unknown option {', '.join(sorted(unknown))}; expected {', '.join(sorted(KNOWN_OPTIONS))}")
    given: Any = {name: value for name, value in options.items() if name != "raise_for_status" and value is not UNSET}
    return Given(**given, is_stream=is_stream)
