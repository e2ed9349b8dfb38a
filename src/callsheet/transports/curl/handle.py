"""A libcurl handle that remembers what is set on it.

Setting a handle from nothing is a quarter of what Python spends on a small request. Most requests are like the one the
handle made before, but for the body and perhaps the URL: then only that is set. "Like" is decided by one comparison of
everything else that `set_request` reads; whatever is not part of it (a stream, a fresh connection, pinned addresses, a
rewritten target) makes the handle be reset before its next use. Success alone gets there: after a failure handles are
destroyed.
"""

from __future__ import annotations

from typing import Any

import pycurl

from callsheet.call import Limits
from callsheet.http.request import Request
from callsheet.secret import Secret
from callsheet.transports.curl.guard import Allows, Guard
from callsheet.transports.curl.hang_up import Kept
from callsheet.transports.curl.names import Addresses
from callsheet.transports.curl.options import content_of, milliseconds, set_request, wire_lines
from callsheet.transports.curl.upload import BUFFER, Upload

Constants = list[tuple[int, Any]]
IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"))
"""Requests that may be sent again whatever became of them (RFC 9110 9.2.2): of these it need not be known."""
REFUSED = b"refused by server, try again on a new connection"
"""What libcurl says, in its trace alone, of a stream of HTTP/2 that was not processed (RFC 9113 8.7). To all else it looks like a reset."""


class Handle:
    """A handle, and where it collects what comes in.

    `sends` counts the times libcurl began to send. The second time is refused: it would send a request again that the
    service may have processed, without telling anybody. `kept` knows which kept connections are lost; nothing is sent
    on one, and `found_dead` says so. `found_refused` says that the service gave the request back unprocessed, `found_unasked` says that the answer had come before its request, and
    `found_nameless` that the server's certificate names no host. `is_secure`: the bytes come by TLS. `guard` opens the sockets, where not any address will do. `upload` is closed with the handle, or when it is
    let go of.
    """

    __slots__ = (
        "_attempt",
        "_connect",
        "_constants",
        "_hop_is_secure",
        "_kind",
        "_lines",
        "_setopt",
        "_url",
        "chunks",
        "easy",
        "found_dead",
        "found_nameless",
        "found_refused",
        "found_unasked",
        "guard",
        "is_secure",
        "kept",
        "lines",
        "sends",
        "upload",
    )

    def __init__(self, constants: Constants, kept: Kept, allows: Allows | None = None) -> None:
        self.easy = pycurl.Curl()
        self.lines: list[bytes] = []
        self.chunks: list[bytes] = []
        self.sends = 0
        self.kept = kept
        self.found_dead = False
        self.found_nameless = False
        self.found_refused = False
        self.found_unasked = False
        self.is_secure = self._hop_is_secure = False
        self.upload: Upload | None = None
        self.guard = None if allows is None else Guard(allows)
        self._constants = constants
        # Looking a method up on a Curl costs as much as calling it.
        self._setopt = self.easy.setopt
        self._kind: tuple[Any, ...] | None = None
        self._lines: list[bytes] = []
        self._url = ""
        self._connect = self._attempt = 0.0

    def arm(self, request: Request, limits: Limits) -> None:
        """Set the handle for this request, whose answer is collected by C functions: no Python runs while it comes in."""
        content = content_of(request)
        kind = (request.method, content is None, limits.caps, limits.fresh)
        lines = wire_lines(request)
        if kind == self._kind and "%" not in request.wire_url:
            self.sends = 0
            if self.guard is not None:
                self.guard.begin()
            if lines is not self._lines and lines != self._lines:
                self._setopt(pycurl.HTTPHEADER, lines)
                self._lines = lines
            self._set_changes(request.wire_url, content, limits)
            return
        self.arm_anew(request, limits)
        if not limits.fresh and "%" not in request.wire_url:
            self._kind = kind
            self._lines = lines
            self._url, self._connect, self._attempt = request.wire_url, limits.connect, limits.attempt

    def arm_anew(self, request: Request, limits: Limits) -> None:
        """The same, whatever is set on it."""
        self.set_all(request, limits)
        self._setopt(pycurl.HEADERFUNCTION, self.lines.append)
        self._setopt(pycurl.WRITEFUNCTION, self.chunks.append)

    def set_all(self, request: Request, limits: Limits) -> None:
        """Set everything from nothing, but for where the answer is collected."""
        if self._kind is not None:
            self._kind = None
            self.easy.reset()
        for option, value in self._constants:
            self._setopt(option, value.reveal() if type(value) is Secret else value)
            if option == pycurl.PROXY:
                self._hop_is_secure = value.startswith("https:")
        set_request(self.easy, request, limits)
        self.is_secure = self._hop_is_secure or request.wire_url.startswith("https:")
        if self.guard is not None:
            self.guard.begin()
            self._setopt(pycurl.OPENSOCKETFUNCTION, self.guard.open)
        self.sends = 0
        self._setopt(pycurl.PREREQFUNCTION, self._on_send)
        if self.kept.http2 and request.method not in IDEMPOTENT and not request.is_upload:
            self._setopt(pycurl.DEBUGFUNCTION, self._on_trace)
            self._setopt(pycurl.VERBOSE, 1)

    def use(self, constants: Constants) -> None:
        """Go by other constant options from now on."""
        if constants is not self._constants:
            self._constants = constants
            self._kind = None if self._kind is None else ()

    def set_upload(self, upload: Upload) -> None:
        """Read the request's body from there. Set after everything else."""
        self._kind = ()
        self._setopt(pycurl.READFUNCTION, upload.read)
        self._setopt(pycurl.UPLOAD_BUFFERSIZE, BUFFER)
        if upload.length is not None:
            self._setopt(pycurl.INFILESIZE_LARGE, upload.length)

    def _set_changes(self, url: str, content: bytes | None, limits: Limits) -> None:
        setopt = self._setopt
        if url != self._url:
            setopt(pycurl.URL, url)
            self._url = url
            self.is_secure = self._hop_is_secure or url.startswith("https:")
        if content is not None:
            setopt(pycurl.POSTFIELDS, content)
        if limits.connect != self._connect:
            setopt(pycurl.CONNECTTIMEOUT_MS, milliseconds(limits.connect))
            self._connect = limits.connect
        if limits.attempt != self._attempt:
            setopt(pycurl.TIMEOUT_MS, milliseconds(limits.attempt))
            self._attempt = limits.attempt

    def pin(self, addresses: Addresses) -> None:
        """Connect to these addresses, this time."""
        self._setopt(pycurl.RESOLVE, addresses.pin)
        self._kind = ()

    def let_go(self) -> None:
        """Hold nothing of the request and its answer any more, which was a success."""
        kind = self._kind
        if not kind:
            self.easy.reset()
            self._kind = None
            self._end_upload()
        elif not kind[1]:
            self._setopt(pycurl.POSTFIELDS, b"")
        self.lines.clear()
        self.chunks.clear()

    def close(self) -> None:
        """Destroy it: its connection is in the middle of something, or not needed any more."""
        self.easy.close()
        self._end_upload()

    def _end_upload(self) -> None:
        upload, self.upload = self.upload, None
        if upload is not None:
            upload.close()

    def _on_trace(self, kind: int, text: bytes) -> None:
        if kind == pycurl.INFOTYPE_TEXT and REFUSED in text and not self.lines:
            self.found_refused = True

    def _on_send(self, _address: str, local_address: str, _port: int, local_port: int) -> int:
        lost = self.kept.lost
        if lost and (local_address, local_port) in lost:
            lost.discard((local_address, local_port))
            self.found_dead = True
            return int(pycurl.PREREQFUNC_ABORT)
        self.sends += 1
        return int(pycurl.PREREQFUNC_OK if self.sends == 1 else pycurl.PREREQFUNC_ABORT)
