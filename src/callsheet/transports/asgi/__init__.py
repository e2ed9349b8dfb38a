"""Calls an ASGI application in this process, without a socket: for tests of code that calls it.

Theory of operation. An `AppRun` runs the app once, as a task of an event loop. The app's `receive` gives it the request's
body in pieces; its `send` takes the answer, and waits while the reader is behind. As a server would, an `AppRun` adds the
header fields of framing, keeps the limits and caps of the attempt, and tells the app of a disconnect when its caller has
given up. `AsyncASGITransport` runs the app on the loop of the calling task. `ASGITransport` runs it on a loop in a thread of
its own, the same for all calls, because locks and connections of an app belong to one loop. A request body that belongs
to the calling thread is read by that thread.
"""

from callsheet.transports.asgi.asynchronous import AsyncASGITransport
from callsheet.transports.asgi.blocking import ASGITransport

__all__ = ["ASGITransport", "AsyncASGITransport"]
