"""A libcurl handle that remembers what is set on it.

Setting all options of a handle is a quarter of what Python spends on a small request. Most requests differ from the
handle's last one in the body and perhaps the URL only, so only those are set. One comparison of everything else that
`set_request` reads tells whether this is enough. After a request with anything beyond that comparison (a stream, a fresh
connection, pinned addresses, a rewritten target) the handle is reset before its next use. After a failure it is
destroyed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field
from io import BytesIO
from typing import Any

import pycurl

from callsheet.call import Limits
from callsheet.http.request import Request
from callsheet.secret import Secret
from callsheet.transports.curl.answer_head import AnswerHead
from callsheet.transports.curl.guard import Allows, Guard
from callsheet.transports.curl.hang_up import Kept
from callsheet.transports.curl.names import Addresses
from callsheet.transports.curl.options import CurlOptions, content_of, milliseconds, set_request, wire_lines
from callsheet.transports.curl.upload import BUFFER, Upload

REFUSED = re.compile(rb"HTTP/2 stream \d+ refused by server, try again on a new connection")
"""What libcurl's trace says of a stream that the service did not process (RFC 9113 8.7). By number it looks like a reset.

The trace shows the request's own fields, too, but never at the beginning of a line.
"""


@dataclass(slots=True, eq=False, repr=False)
class Handle:
    """A libcurl handle with the head and the body of its answer.

    `sends` counts how often libcurl began to send. The second time is refused: libcurl would silently repeat a request
    that the service may have processed. `kept` knows which kept connections are lost: nothing is sent on one, and
    `found_dead` tells that it was tried. `found_refused`: the service gave the request back unprocessed. `found_unasked`: the
    answer had come before its request. `found_nameless`: the server's certificate names no host. `is_secure`: the
    connection is under TLS. `guard` opens the sockets where only some addresses are allowed. `upload` is closed with the
    handle, or by `let_go`.
    """

    _constants: CurlOptions
    kept: Kept
    allows: InitVar[Allows | None] = None
    easy: pycurl.Curl = field(default_factory=pycurl.Curl)
    head: AnswerHead = field(default_factory=AnswerHead)
    body: BytesIO = field(default_factory=BytesIO)
    sends: int = 0
    found_dead: bool = False
    found_nameless: bool = False
    found_refused: bool = False
    found_unasked: bool = False
    is_secure: bool = False
    upload: Upload | None = None
    guard: Guard | None = None
    _setopt: Callable[[int, Any], object] = field(init=False)
    _hop_is_secure: bool = False
    _kind: tuple[Any, ...] | None = None
    _lines: list[bytes] = field(default_factory=list)
    _url: str = ""
    _connect: float = 0.0
    _attempt: float = 0.0

    def __post_init__(self, allows: Allows | None) -> None:
        self.guard = None if allows is None else Guard(allows)
        # Looking a method up on a Curl costs as much as calling it.
        self._setopt = self.easy.setopt

    def arm(self, request: Request, limits: Limits) -> None:
        """Set the handle for a request. A C function joins the body as it comes in."""
        content = content_of(request)
        kind = (request.method, content is None, limits.caps, limits.fresh)
        lines = wire_lines(request.headers)
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
        """Set the handle for a request without reusing any option of the last one."""
        self.set_all(request, limits)
        self._setopt(pycurl.HEADERFUNCTION, self.head.take)
        self._setopt(pycurl.WRITEFUNCTION, self.body.write)

    def set_all(self, request: Request, limits: Limits) -> None:
        """Set every option but the functions that take the answer."""
        if self._kind is not None:
            self._kind = None
            self.easy.reset()
        for option, value in self._constants:
            text = value.reveal() if type(value) is Secret else value
            # pycurl takes no text outside ASCII, which passwords and paths may be.
            self._setopt(option, text.encode("utf-8", "surrogateescape") if type(text) is str else text)
            if option == pycurl.PROXY:
                self._hop_is_secure = value.startswith("https:")
        set_request(self.easy, request, limits, self._constants)
        self.is_secure = self._hop_is_secure or request.wire_url.startswith("https:")
        if self.guard is not None:
            self.guard.begin()
            self._setopt(pycurl.OPENSOCKETFUNCTION, self.guard.open)
        self.sends = 0
        self._setopt(pycurl.PREREQFUNCTION, self._on_send)
        if self.kept.http2:
            self._setopt(pycurl.DEBUGFUNCTION, self._on_trace)
            self._setopt(pycurl.VERBOSE, 1)

    def use(self, constants: CurlOptions) -> None:
        """Set these constant options from the next request on."""
        if constants is not self._constants:
            self._constants = constants
            self._kind = None if self._kind is None else ()

    def set_upload(self, upload: Upload) -> None:
        """Have libcurl read the request's body from `upload`. Call it after every other option is set."""
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
        """Connect to these addresses in the next transfer."""
        self._setopt(pycurl.RESOLVE, addresses.pin)
        self._kind = ()

    def let_go(self) -> None:
        """After a success, drop the request and its answer, so that an idle handle keeps neither alive."""
        kind = self._kind
        if not kind:
            self.easy.reset()
            self._kind = None
            self._end_upload()
        elif not kind[1]:
            self._setopt(pycurl.POSTFIELDS, b"")
        self.head.lines.clear()
        self.drop_body()

    def drop_body(self) -> None:
        """Drop the bytes of the answer's body that came."""
        self.body.seek(0)
        self.body.truncate()

    def close(self) -> None:
        """Destroy the handle and close its upload."""
        self.easy.close()
        self._end_upload()

    def _end_upload(self) -> None:
        upload, self.upload = self.upload, None
        if upload is not None:
            upload.close()

    def _on_trace(self, kind: int, text: bytes) -> None:
        if kind == pycurl.INFOTYPE_TEXT and not self.head.lines and REFUSED.match(text):
            self.found_refused = True

    def _on_send(self, _address: str, local_address: str, _port: int, local_port: int) -> int:
        lost = self.kept.lost
        if lost and (local_address, local_port) in lost:
            lost.discard((local_address, local_port))
            self.found_dead = True
            return int(pycurl.PREREQFUNC_ABORT)
        self.sends += 1
        return int(pycurl.PREREQFUNC_OK if self.sends == 1 else pycurl.PREREQFUNC_ABORT)
