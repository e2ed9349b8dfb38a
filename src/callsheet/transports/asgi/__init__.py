"""An application in this process, called without a socket: for tests, by whoever has an ASGI app.

Theory of operation. An *exchange* runs the app once, as a task of an event loop: its `receive` gives the request's body in
pieces, its `send` takes the answer, and waits while a reader is behind. What a server would do, it does: the fields
that framing needs, the limits and caps of the attempt, a disconnect for who is left alone. `AsyncASGITransport` runs
the app on the loop of the task that calls; `ASGITransport` on a loop in a thread of its own, where it stays between calls,
as the app's locks and connections must. A body that only the calling thread may read is read by it.
"""

from callsheet.transports.asgi.asynchronous import AsyncASGITransport
from callsheet.transports.asgi.blocking import ASGITransport

__all__ = ["ASGITransport", "AsyncASGITransport"]
