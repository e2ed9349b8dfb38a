"""Callsheet: the layer between your code and other people's HTTP APIs, declared once on one sheet.

A public name is imported when it is first asked for, so that the command line's help loads neither libcurl nor Pydantic.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from callsheet.ambient import deadline
    from callsheet.client import AsyncClient, AsyncService, Client, Service
    from callsheet.client.breaker import BreakerControl
    from callsheet.client.cache import AsyncCacheControl, CacheControl, CacheCounts
    from callsheet.engine.answer import Answer
    from callsheet.engine.streamed import AsyncStreamedResponse, StreamedResponse
    from callsheet.errors import (
        APIError,
        ApplicationError,
        ArgumentError,
        AttemptTimeout,
        AuthError,
        BadRequest,
        BreakerOpen,
        Conflict,
        ConnectTimeout,
        ContentTooLarge,
        DeadlinePassed,
        DecodeError,
        Finding,
        Forbidden,
        Gone,
        HTTPError,
        LimitReached,
        LocalFault,
        MalformedAnswer,
        MethodNotAllowed,
        NoAnswer,
        NotFound,
        NotSent,
        OriginRefused,
        PageLoop,
        PreconditionFailed,
        RateLimited,
        Redirected,
        Refused,
        ResponseError,
        ResponseTooLarge,
        ServerError,
        SheetError,
        TLSError,
        TransportError,
        Unauthorized,
        UnprocessableContent,
        UsageError,
        ValidationError,
    )
    from callsheet.events import (
        AttemptBegan,
        AttemptEnded,
        BreakerChanged,
        CacheUsed,
        CallBegan,
        CallEnded,
        Event,
        LimitLearned,
        Listener,
        StoreFailed,
        TokenFetched,
        WireFacts,
    )
    from callsheet.explain.explanation import Explanation
    from callsheet.http import Headers, ProblemDetails, Request, Response
    from callsheet.many.download import Download
    from callsheet.many.outcome import Outcome
    from callsheet.many.page_tasks import AsyncItems, AsyncPages
    from callsheet.many.page_threads import Items, Pages
    from callsheet.many.page_walk import Page
    from callsheet.many.row import Row
    from callsheet.many.tasks import AsyncOutcomes
    from callsheet.many.threads import Outcomes
    from callsheet.secret import Secret
    from callsheet.sheet import Sheet
    from callsheet.transports.asgi import ASGITransport, AsyncASGITransport
    from callsheet.unset import UNSET, Unset
    from callsheet.values.sse import ServerSentEvent
    from callsheet.version import __version__

__all__ = [
    "UNSET",
    "APIError",
    "ASGITransport",
    "Answer",
    "ApplicationError",
    "ArgumentError",
    "AsyncASGITransport",
    "AsyncCacheControl",
    "AsyncClient",
    "AsyncItems",
    "AsyncOutcomes",
    "AsyncPages",
    "AsyncService",
    "AsyncStreamedResponse",
    "AttemptBegan",
    "AttemptEnded",
    "AttemptTimeout",
    "AuthError",
    "BadRequest",
    "BreakerChanged",
    "BreakerControl",
    "BreakerOpen",
    "CacheControl",
    "CacheCounts",
    "CacheUsed",
    "CallBegan",
    "CallEnded",
    "Client",
    "Conflict",
    "ConnectTimeout",
    "ContentTooLarge",
    "DeadlinePassed",
    "DecodeError",
    "Download",
    "Event",
    "Explanation",
    "Finding",
    "Forbidden",
    "Gone",
    "HTTPError",
    "Headers",
    "Items",
    "LimitLearned",
    "LimitReached",
    "Listener",
    "LocalFault",
    "MalformedAnswer",
    "MethodNotAllowed",
    "NoAnswer",
    "NotFound",
    "NotSent",
    "OriginRefused",
    "Outcome",
    "Outcomes",
    "Page",
    "PageLoop",
    "Pages",
    "PreconditionFailed",
    "ProblemDetails",
    "RateLimited",
    "Redirected",
    "Refused",
    "Request",
    "Response",
    "ResponseError",
    "ResponseTooLarge",
    "Row",
    "Secret",
    "ServerError",
    "ServerSentEvent",
    "Service",
    "Sheet",
    "SheetError",
    "StoreFailed",
    "StreamedResponse",
    "TLSError",
    "TokenFetched",
    "TransportError",
    "Unauthorized",
    "UnprocessableContent",
    "Unset",
    "UsageError",
    "ValidationError",
    "WireFacts",
    "__version__",
    "deadline",
]

_HOMES = {
    "callsheet.ambient": "deadline",
    "callsheet.client": "AsyncClient AsyncService Client Service",
    "callsheet.engine.answer": "Answer",
    "callsheet.client.breaker": "BreakerControl",
    "callsheet.client.cache": "AsyncCacheControl CacheControl CacheCounts",
    "callsheet.engine.streamed": "AsyncStreamedResponse StreamedResponse",
    "callsheet.errors": "APIError ApplicationError ArgumentError AttemptTimeout AuthError BadRequest BreakerOpen Conflict ConnectTimeout ContentTooLarge DeadlinePassed DecodeError Finding Forbidden Gone HTTPError LimitReached LocalFault MalformedAnswer MethodNotAllowed NoAnswer NotFound NotSent OriginRefused PageLoop PreconditionFailed RateLimited Redirected Refused ResponseError ResponseTooLarge ServerError SheetError TLSError TransportError Unauthorized UnprocessableContent UsageError ValidationError",
    "callsheet.events": "AttemptBegan AttemptEnded BreakerChanged CacheUsed CallBegan CallEnded Event LimitLearned Listener StoreFailed TokenFetched WireFacts",
    "callsheet.http": "Headers ProblemDetails Request Response",
    "callsheet.many.download": "Download",
    "callsheet.many.outcome": "Outcome",
    "callsheet.many.page_tasks": "AsyncItems AsyncPages",
    "callsheet.many.page_threads": "Items Pages",
    "callsheet.many.page_walk": "Page",
    "callsheet.many.row": "Row",
    "callsheet.many.tasks": "AsyncOutcomes",
    "callsheet.many.threads": "Outcomes",
    "callsheet.explain.explanation": "Explanation",
    "callsheet.secret": "Secret",
    "callsheet.sheet": "Sheet",
    "callsheet.transports.asgi": "ASGITransport AsyncASGITransport",
    "callsheet.unset": "UNSET Unset",
    "callsheet.values.sse": "ServerSentEvent",
    "callsheet.version": "__version__",
}
"""Where the public names live, by module."""

_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
