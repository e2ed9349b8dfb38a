"""The SHA-256 of bodies: of bytes at once, of a file by reading it before it is sent.

A large file is read by a thread, so that no event loop stands still for it, and once per call: an attempt that follows
sends the same bytes, or its signature does not fit, and says so.
"""

from __future__ import annotations

import hashlib
import threading
from typing import Any
from weakref import WeakKeyDictionary

from callsheet.auth.components import check_readable, pieces_of
from callsheet.auth.once import Once
from callsheet.call import Attempt
from callsheet.http.request import Request
from callsheet.verdicts import Ticket

SMALL = 1024 * 1024
"""Bytes: hashing fewer takes about a millisecond, which is what a thread would take to begin."""


class Digests:
    """The digests of the bodies that calls send, by body."""

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted
        self.forget()

    def forget(self) -> None:
        """Begin anew in a forked child, which has no thread."""
        self._lock = threading.Lock()
        self._known: WeakKeyDictionary[Any, Once[bytes]] = WeakKeyDictionary()

    def awaited(self, attempt: Attempt) -> Ticket | None:
        """What to wait for before the digest is at hand. Raises ArgumentError for a body that cannot have one."""
        request = attempt.request
        body: Any = request.body
        if body is None or body.content is not None:
            return None
        check_readable(request, self._wanted)
        if body.length is not None and body.length <= SMALL:
            return None
        with self._lock:
            work = self._known.get(body)
            if work is None:
                work = self._known[body] = Once(lambda: digest(request), "digest")
        if work.error is not None:
            raise work.error
        return work.awaited(attempt.call.new_ticket)

    def of(self, request: Request) -> bytes:
        """The digest. Raises ArgumentError for a body that cannot have one."""
        body = request.body
        known = None if body is None or body.content is not None else self._known.get(body)
        if known is not None and known.result is not None:
            return known.result
        check_readable(request, self._wanted)
        return digest(request)


def digest(request: Request) -> bytes:
    """The SHA-256 of a request's body."""
    found = hashlib.sha256()
    for piece in pieces_of(request):
        found.update(piece)
    return found.digest()
