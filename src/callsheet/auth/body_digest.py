"""The SHA-256 of bodies. A file is read for it before it is sent.

A thread reads a large file, so that the event loop is not blocked. It does so once per call: if the file changes before a
later attempt, the signature of that attempt is wrong, and the service refuses it.
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
"""Bytes. Hashing fewer takes about a millisecond, no longer than starting a thread does."""


class Digests:
    """The digests of request bodies. `wanted` says, in errors, what needs the digest."""

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted
        self.forget()

    def forget(self) -> None:
        """Start over in a forked child, where the threads of the parent do not run."""
        self._lock = threading.Lock()
        self._known: WeakKeyDictionary[Any, Once[bytes]] = WeakKeyDictionary()

    def awaited(self, attempt: Attempt) -> Ticket | None:
        """A ticket to wait for before the digest is known, or None. Raises ArgumentError for a body that can be read only once."""
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
        """The digest of a request's body. Raises ArgumentError for a body that can be read only once."""
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
