"""Runs the practice API: in a thread for a `with` block, or blocking for the command line."""

import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Self

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callsheet.new_thread import new_thread
from callsheet.practice.app import create_app
from callsheet.practice.connection import BreakableProtocol


class PracticeServer:
    """The practice API on a loopback port for as long as a `with` block lasts; `url` is its base URL.

    Port 0 takes a free port. `clock` gives the seconds for rate limits and tokens, so that a test can move it.
    `keep_alive` is how long, in seconds, an idle connection is kept.
    """

    def __init__(
        self,
        port: int = 0,
        host: str = "127.0.0.1",
        *,
        clock: Callable[[], float] = time.monotonic,
        keep_alive: int = 60,
    ) -> None:
        self.listener = listen(host, port)
        self.url: str = url_of(self.listener)
        self.server = PromptServer(configuration(create_app(clock=clock), keep_alive))
        self.thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        # The port listens already: a client that connects before the thread is ready waits in the queue.
        self.thread = new_thread("practice", self._run)
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close every connection, end the thread and free the port, within a second."""
        self.server.should_exit = True
        if self.thread is not None:
            self.thread.join()
        self.listener.close()

    def _run(self) -> None:
        self.server.run(sockets=[self.listener])


class PromptServer(uvicorn.Server):
    """A uvicorn server that does not wait for slow answers when it stops."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Abort the connections first, so that endpoints that still answer see their client gone and end."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)


def serve(port: int = 8000, host: str = "127.0.0.1") -> None:
    """Serve the practice API until Ctrl-C; the URL and a line for each answer go to stderr."""
    listener = listen(host, port)
    report(f"practice API on {url_of(listener)} (Ctrl-C ends it)")
    try:
        PromptServer(configuration(reported(create_app()), keep_alive=60)).run(sockets=[listener])
    except KeyboardInterrupt:
        return
    finally:
        listener.close()


def reported(app: ASGIApp) -> ASGIApp:
    """The app, with a line on stderr for each answer."""

    async def reporting(scope: Scope, receive: Receive, send: Send) -> None:

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                report(f"{scope['method']} {scope['raw_path'].decode('latin-1')} {message['status']}")
            await send(message)

        await app(scope, receive, sending)

    return reporting


def report(line: str) -> None:
    """Write a line to stderr and flush it."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free port. Raises OSError."""
    # asyncio switches Nagle's algorithm off only if IPPROTO_TCP is given; else a request on a kept connection takes 40 ms.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        reason = f"cannot listen on {host} port {port} ({error.strerror}); choose another port, or 0 for a free one"
        raise OSError(error.errno, reason) from None
    return listener


def url_of(listener: socket.socket) -> str:
    """The URL at which a listening socket can be reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def configuration(app: ASGIApp, keep_alive: int) -> uvicorn.Config:
    """Plain HTTP/1.1 on asyncio, with nothing from the environment; the logging of the process is left as it is."""
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=BreakableProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=keep_alive,
        timeout_graceful_shutdown=1,
    )
