"""The transport that runs an app on the event loop of the calling task."""

from __future__ import annotations

import asyncio
from typing import Self

from callsheet.call import Limits
from callsheet.errors import UsageError
from callsheet.events import WireFacts
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.transports.asgi.app_run import AppRun, TaskReading
from callsheet.transports.asgi.body import AppInput, body_of, here
from callsheet.transports.asgi.connection_scope import App, scope_of

CLOSED = "the transport of this app is closed; make a new one"


class AsyncASGITransport:
    """Answers an AsyncClient's requests by an ASGI app in this process: `AsyncClient(..., transport=AsyncASGITransport(app))`.

    An exception of the app is raised by the call; with `raise_app_exceptions=False` it becomes an answer of 500, as a server
    would give. `root_path` is the path at which the app is told it is mounted. The app's lifespan events are not sent.
    """

    def __init__(self, app: App, *, raise_app_exceptions: bool = True, root_path: str = "") -> None:
        self._app = app
        self._raises = raise_app_exceptions
        self._root_path = root_path
        self._exchanges: set[AppRun] = set()
        self._is_closed = False

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """Run the app for one request and give its answer. Clients call this.

        Raises what the app raised, AttemptTimeout, NoAnswer, ResponseTooLarge, or UsageError once closed.
        """
        return await self.sent(request, limits, body_of(request, here, is_blocking=False))

    async def sent(self, request: Request, limits: Limits, body: AppInput) -> tuple[Response, WireFacts | None]:
        """Run the app for one request whose body is already open."""
        if self._is_closed:
            await body.close()
            raise UsageError(CLOSED)
        exchange = AppRun(self._app, scope_of(request, self._root_path), request, limits, body)
        self._exchanges.add(exchange)
        exchange.task.add_done_callback(lambda _: self._exchanges.discard(exchange))
        if request.is_stream:
            response = await exchange.begun(raises=self._raises)
            response.stream = TaskReading(exchange, raises=self._raises)
        else:
            response = await exchange.whole(raises=self._raises)
        return response, exchange.facts if limits.wants_facts else None

    async def aclose(self) -> None:
        """Cancel the app in every request that it still answers."""
        self._is_closed = True
        exchanges = list(self._exchanges)
        for exchange in exchanges:
            exchange.abort(UsageError(f"{CLOSED}: it was closed while this call was in flight"))
        if exchanges:  # a gathering of nothing needs a loop, too
            await asyncio.gather(*(exchange.task for exchange in exchanges), return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()
