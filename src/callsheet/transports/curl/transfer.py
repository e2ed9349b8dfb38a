"""One request on one handle: the answer or the error that libcurl's results amount to."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pycurl

from callsheet.call import Limits
from callsheet.errors import (
    APIError,
    ArgumentError,
    AttemptTimeout,
    LocalFault,
    MalformedAnswer,
    NoAnswer,
    NotSent,
    ResponseTooLarge,
    TLSError,
    TransportError,
)
from callsheet.events import WireFacts
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.settings.caps import Caps
from callsheet.transports.curl.guard import refusal as refused_address
from callsheet.transports.curl.handle import Handle
from callsheet.transports.curl.lacking import lacking
from callsheet.transports.curl.options import NO_MEANS
from callsheet.transports.curl.outcomes import (
    NAMELESS,
    PROXY,
    SEND_REWIND,
    SOCKS_REFUSALS,
    WANTS_CREDENTIALS,
    class_of,
    explanation,
)
from callsheet.transports.curl.upload import Upload
from callsheet.transports.refusals import NO_LENGTH, excess_fields, told_length

NO_CAPS = Caps()
HOST = re.compile(rb"DNS:|IP Address:")
REFUSED = "the service refused the request before it was processed (HTTP/2 REFUSED_STREAM or GOAWAY)"
UNASKED = "the kept connection brought an answer that had come before the request was sent"
ANSWERED_TOO_LARGE = pycurl.E_FILESIZE_EXCEEDED
BODILESS = (204, 304)
LENGTH_FIELD = b"content-length:"
HTTP_VERSIONS = {1: "1.0", 2: "1.1", 3: "2"}


class Transfer:
    """One request under way."""

    __slots__ = ("caps", "easy", "handle", "head", "request", "upload", "was_quiet")

    def __init__(self, handle: Handle, request: Request) -> None:
        self.handle = handle
        self.easy = handle.easy
        self.request = request
        self.caps = NO_CAPS
        self.head = handle.head
        self.was_quiet = False
        self.upload: Upload | None = None

    @property
    def sends(self) -> int:
        """How often libcurl began to send; the handle stops it the second time."""
        return self.handle.sends

    @property
    def is_sent(self) -> bool:
        """Whether the service may have processed the request."""
        return self.handle.sends > 0 and not self.handle.found_refused

    def arm(self, limits: Limits) -> None:
        """Set the handle for this request. Raises ArgumentError if it cannot be sent."""
        self.caps = limits.caps
        self.head.begin(limits.caps.headers)
        try:
            self.set_handle(limits)
            if self.upload is not None:
                self.handle.set_upload(self.upload)
        except (ValueError, TypeError, pycurl.error) as error:
            reason = getattr(error, "reason", None) or error.args[-1]
            raise ArgumentError(f"{self.request!r} cannot be sent as it stands: {reason}") from None

    def carry(self, upload: Upload) -> None:
        """Read the request's body from `upload`, which the handle closes when it is let go of."""
        self.upload = self.handle.upload = upload

    def set_handle(self, limits: Limits) -> None:
        """Set the handle for the request, and collect the answer's head and body."""
        if self.upload is None:
            self.handle.arm(self.request, limits)
        else:
            self.handle.arm_anew(self.request, limits)

    def answer(self) -> Response:
        """The answer of a transfer that libcurl reports as a success. Raises MalformedAnswer, TLSError, NoAnswer."""
        if self.handle.found_unasked:
            raise self._error(NoAnswer, UNASKED)
        self._check_name()
        block = self.head.final
        if block is None:
            raise self._error(MalformedAnswer, "the connection closed within the header block")
        status_line, fields = block
        excess = excess_fields(self.caps, len(fields), len(b"".join(fields)))
        if excess is not None:
            raise self._error(MalformedAnswer, excess)
        version, code, reason = parts_of(status_line)
        if code is None:
            raise self._error(MalformedAnswer, "the status line has no status")
        if code not in BODILESS and (self.request.is_stream or self.request.method == "HEAD"):
            self._check_length(fields)
        return Response(
            code,
            request=self.request,
            lines=fields,
            content=self.handle.body.getvalue(),
            reason_phrase=reason,
            http_version=version,
        )

    def _check_length(self, fields: list[bytes]) -> None:
        """Refuse a Content-Length that is too long for libcurl, which checks it only where the size of the body is bounded."""
        try:
            told_length(line[15:].decode("latin-1").strip() for line in fields if line[:15].lower() == LENGTH_FIELD)
        except ValueError as error:
            raise self._error(MalformedAnswer, str(error)) from None

    def _check_name(self) -> None:
        """Refuse the first answer on a connection whose verified certificate names its host as common name alone.

        libcurl falls back to the common name, which RFC 9110 4.3.4 rules out, and shows the certificate no earlier.
        """
        if self.request.wire_url.startswith("https:"):
            chain = self.easy.getinfo_raw(pycurl.INFO_CERTINFO)
            if chain and not any(b"Alternative Name" in name and HOST.search(value) for name, value in chain[0]):
                self.handle.found_nameless = True
                raise self._error(TLSError, NAMELESS)

    @property
    def pauses(self) -> int:
        """The directions that stay paused when libcurl may go on sending (PAUSE_CONT: none)."""
        return int(pycurl.PAUSE_CONT)

    def failure(self, errno: int, text: Any) -> BaseException:
        """The error for a transfer that libcurl reports as failed; what a callback or reading the request's body raised, if so."""
        if isinstance(text, BaseException):
            return text
        if self.upload is not None and self.upload.error is not None:
            return self._unreadable(self.upload.error)
        if self.handle.found_unasked:
            return self._error(NoAnswer, UNASKED)
        if errno == ANSWERED_TOO_LARGE and self.head.is_complete:
            return self.too_large()
        if errno == ANSWERED_TOO_LARGE:
            return self._error(MalformedAnswer, NO_LENGTH, errno)
        if self.was_quiet:
            return self._error(AttemptTimeout, "no byte in either direction for timeout.read")
        if self.head.excess is not None:
            return self._error(MalformedAnswer, self.head.excess, errno)
        guard = self.handle.guard
        if guard is not None and guard.refused and not guard.opened and errno == pycurl.E_COULDNT_CONNECT:
            error = refused_address(self.request.origin.host, guard.refused)
            error.request = self.request.redacted()
            return error
        kind = class_of(errno, sent=self.is_sent, answered=bool(self.head.lines), text=text)
        info = self.easy.getinfo
        verify_result = info(pycurl.SSL_VERIFYRESULT) or info(pycurl.PROXY_SSL_VERIFYRESULT)
        refusal = 0 if self.sends else info(pycurl.HTTP_CONNECTCODE)
        if errno == pycurl.E_COULDNT_CONNECT and not refusal and (lack := lacking(info(pycurl.OS_ERRNO))):
            return self._error(LocalFault, NO_MEANS.format(error=lack), errno)
        told = REFUSED if self.handle.found_refused else explanation(errno, verify_result, text, refusal)
        lost = self._error(kind, told, errno=errno)
        # Not to be tried again: a few times the same wrong password, and the proxy locks the account.
        lost.is_local |= refusal == WANTS_CREDENTIALS or (errno == PROXY and info(pycurl.PROXY_ERROR) in SOCKS_REFUSALS)
        return lost

    def _unreadable(self, error: BaseException) -> BaseException:
        if isinstance(error, APIError):
            error.was_sent = error.was_sent or self.sends > 0
            error.request = error.request or self.request.redacted()
        return error

    def too_large(self) -> ResponseTooLarge:
        """The error for a body above the cap. It carries the answer without its body."""
        self.handle.drop_body()
        response = self.answer()
        message = f"the answer is larger than {self.caps.response} bytes (caps.response)"
        return ResponseTooLarge(message, response=response, was_sent=True, request=self.request.redacted())

    def _error(self, kind: type[TransportError], what: str, errno: int | None = None) -> TransportError:
        return kind(
            what,
            errno=errno,
            was_sent=self.is_sent,
            on_kept_connection=(self.sends > 1 or errno == SEND_REWIND or self.handle.found_unasked)
            and issubclass(kind, NoAnswer | NotSent),
            request=self.request.redacted(),
        )

    def facts(self) -> WireFacts:
        """The measurements of libcurl, in seconds from the start of the transfer."""
        info: Callable[[int], Any] = self.easy.getinfo
        return WireFacts(
            resolved=info(pycurl.NAMELOOKUP_TIME_T) / 1e6,
            connected=info(pycurl.CONNECT_TIME_T) / 1e6,
            secured=info(pycurl.APPCONNECT_TIME_T) / 1e6,
            sent=info(pycurl.PRETRANSFER_TIME_T) / 1e6,
            first_byte=info(pycurl.STARTTRANSFER_TIME_T) / 1e6,
            total=info(pycurl.TOTAL_TIME_T) / 1e6,
            address=info(pycurl.PRIMARY_IP),
            port=info(pycurl.PRIMARY_PORT),
            new_connections=info(pycurl.NUM_CONNECTS),
            http_version=HTTP_VERSIONS.get(info(pycurl.INFO_HTTP_VERSION), ""),
        )


@lru_cache(256)
def parts_of(status_line: bytes) -> tuple[str, int | None, str]:
    """Version, status and reason. Cached: a service sends few different status lines."""
    version, _, rest = status_line.partition(b" ")
    code, _, reason = rest.strip().partition(b" ")
    return (
        version[5:].decode("latin-1"),
        int(code) if code.isdigit() and len(code) == 3 and code >= b"100" else None,
        reason.decode("latin-1"),
    )
