"""Which error a failed transfer raises, by libcurl's number and by whether the transfer had begun to send.

`docs/reference/transport-errors.md` is made from the table. A number that is not in it is NoAnswer if the request may
have been sent, else NotSent. The class decides whether another attempt is allowed: after NotSent always, after NoAnswer
and its subclasses only where sending twice does no harm, after TLSError never.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import pycurl

from callsheet.errors import (
    AttemptTimeout,
    ConnectTimeout,
    LocalFault,
    MalformedAnswer,
    NoAnswer,
    NotSent,
    TLSError,
    TransportError,
)
from callsheet.transports.refusals import NO_LENGTH

WEIRD_SERVER_REPLY, HTTP2_STREAM, PROXY, TOO_LARGE = 8, 92, 97, 100
"""Numbers of libcurl (curl/curl.h, CURLcode) that pycurl has no name for."""
SEND_REWIND = pycurl.E_SEND_FAIL_REWIND


class Failure(NamedTuple):
    """What a libcurl number means, the reason, and its error class before and after the send phase began."""

    meaning: str
    reason: str
    before: type[TransportError] = NotSent
    after: type[TransportError] = NoAnswer


RULES: dict[int, Failure] = {
    pycurl.E_FAILED_INIT: Failure("libcurl cannot begin", "this machine's fault", LocalFault, LocalFault),
    pycurl.E_UNSUPPORTED_PROTOCOL: Failure(
        "not HTTP", "after the send phase: the answer has no status line (HTTP/0.9 is off)", NotSent, MalformedAnswer
    ),
    pycurl.E_URL_MALFORMAT: Failure("bad URL", "libcurl refused the URL"),
    pycurl.E_COULDNT_RESOLVE_PROXY: Failure("proxy name not resolved", "no connection was tried"),
    pycurl.E_COULDNT_RESOLVE_HOST: Failure("name not resolved", "no connection was tried"),
    pycurl.E_COULDNT_CONNECT: Failure(
        "connection refused", "after the send phase: a kept connection broke and no new one was had"
    ),
    WEIRD_SERVER_REPLY: Failure("malformed header", "a header field or length is not HTTP", NotSent, MalformedAnswer),
    pycurl.E_HTTP2: Failure("HTTP/2 connection error", "the stream may have been processed"),
    pycurl.E_PARTIAL_FILE: Failure("body breaks off", "fewer bytes came than were announced", NotSent, MalformedAnswer),
    pycurl.E_WRITE_ERROR: Failure(
        "answer not taken", "more came than libcurl accepts in one field", NotSent, MalformedAnswer
    ),
    pycurl.E_READ_ERROR: Failure("body not given", "the request's body ended before its announced length"),
    pycurl.E_OUT_OF_MEMORY: Failure("no memory is left", "this machine's fault", LocalFault, LocalFault),
    pycurl.E_OPERATION_TIMEDOUT: Failure(
        "time limit", "before: still resolving, connecting or shaking hands", ConnectTimeout, AttemptTimeout
    ),
    pycurl.E_SSL_CONNECT_ERROR: Failure(
        "TLS handshake failed",
        "versions, ciphers or certificates do not match; a mere hang-up is NotSent",
        TLSError,
        TLSError,
    ),
    pycurl.E_ABORTED_BY_CALLBACK: Failure(
        "sent, connection lost", "libcurl was about to send the request a second time; it was stopped"
    ),
    pycurl.E_GOT_NOTHING: Failure("no answer", "the connection closed before the first byte"),
    pycurl.E_SEND_ERROR: Failure("sending failed", "part of the request may have arrived"),
    pycurl.E_RECV_ERROR: Failure(
        "receiving failed", "reset; a TLS alert on a connection that answered nothing is TLSError"
    ),
    SEND_REWIND: Failure(
        "sent, connection lost while the body was read",
        "libcurl would send the request a second time, for which it is given no body",
    ),
    pycurl.E_SSL_CERTPROBLEM: Failure("client certificate unusable", "ours is missing or broken", TLSError, TLSError),
    pycurl.E_SSL_CIPHER: Failure("no common cipher", "it would be the same again", TLSError, TLSError),
    pycurl.E_PEER_FAILED_VERIFICATION: Failure(
        "certificate not accepted", "expired, of another host or of an unknown authority", TLSError, TLSError
    ),
    pycurl.E_SSL_CACERT_BADFILE: Failure(
        "CA file unusable", "tls.ca, SSL_CERT_FILE or the system's bundle", LocalFault, LocalFault
    ),
    pycurl.E_SSL_PINNEDPUBKEYNOTMATCH: Failure(
        "pinned key mismatch", "the key is not one of tls.pins", TLSError, TLSError
    ),
    pycurl.E_BAD_CONTENT_ENCODING: Failure(
        "transfer coding not asked for",
        "Transfer-Encoding names another coding than chunked, which alone frames a body",
        NotSent,
        MalformedAnswer,
    ),
    HTTP2_STREAM: Failure("HTTP/2 stream error", "the stream was reset; it may have been processed"),
    PROXY: Failure("proxy refused", "the proxy made no connection to the service"),
    TOO_LARGE: Failure("header block too large", "libcurl's own bounds on header fields", NotSent, MalformedAnswer),
}

OPENSSL_CODE = re.compile(r"error:([0-9A-F]{8})", re.IGNORECASE)
UNEXPECTED_EOF = 0x0A000126
WRONG_VERSION_NUMBER = 0x0A00010B
ALERTS = range(0x0A0003E8, 0x0A0004E8)
"""OpenSSL's reasons 1000 + n: the peer sent TLS alert n."""

VERIFY_RESULTS = {
    9: "the server's certificate is not yet valid",
    10: "the server's certificate has expired",
    18: "the server's certificate is self-signed and not trusted",
    19: "the chain of the server's certificate ends in a self-signed one that is not trusted",
    20: "the server's certificate is not signed by a trusted authority, or the server does not send its whole chain",
    21: "the server's certificate is not signed by a trusted authority, or its chain is incomplete",
}
TO_TRUST = "; if it is to be trusted, write its authority as `tls: {ca: PATH}` (a PEM file) on the sheet"
UNTRUSTED = frozenset({18, 19, 20, 21})
TO_SEE = "; `callsheet doctor` shows its certificates"
NAMELESS = "the server's certificate names no host (subjectAltName); a common name alone counts for nothing"

REFUSALS = {
    40: "the service refused the handshake: it wants a client certificate (tls.cert), or another version or cipher",
    42: "the service does not accept our client certificate (tls.cert)",
    43: "the service does not take client certificates of this kind (tls.cert)",
    44: "the service says that our client certificate was revoked (tls.cert)",
    45: "the service says that our client certificate has expired (tls.cert)",
    46: "the service does not accept our client certificate (tls.cert)",
    48: "the service does not know the authority of our client certificate (tls.cert)",
    49: "the service denies access to our client certificate (tls.cert)",
    70: "the service does not speak this version of TLS (tls.min_version)",
    112: "the service does not know the name it was called by",
    116: "the service wants a client certificate (tls.cert)",
}
"""The meaning of the TLS alerts that a service sends (RFC 8446 6.2)."""
OURS_EXPIRED = "SSL certificate verification failed"
"""libcurl's message for alert 45 under TLS 1.2, where nothing is wrong with the server's certificate."""
CHUNK = "chunk"
"""Stands in libcurl's messages on chunks that are none, which have the number of a reset."""
UNSUPPORTED_PROTOCOL = 0x0A000102


WANTS_CREDENTIALS = 407
SOCKS_REFUSALS = (12, 33)
"""A SOCKS proxy has no method for us, or rejects the user (curl/curl.h, CURLproxycode): credentials are missing or wrong."""
PROXY_HINTS = {407: "; give it a user name and password (proxy: http://user:password@host:port)"}


def class_of(errno: int, *, sent: bool, answered: bool, text: str) -> type[TransportError]:
    """The exception class for a libcurl failure. `answered`: whether any byte of an answer came on the connection."""
    rule = RULES.get(errno)
    code = openssl_code(text)
    if errno == pycurl.E_SSL_CONNECT_ERROR and code in (None, UNEXPECTED_EOF):
        return NoAnswer if sent else NotSent
    if errno == pycurl.E_RECV_ERROR and CHUNK in text:
        return MalformedAnswer
    if errno in (pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR) and code in ALERTS and not answered:
        return TLSError
    if rule is None:
        return NoAnswer if sent else NotSent
    return rule.after if sent else rule.before


def openssl_code(text: str) -> int | None:
    """The OpenSSL error number in libcurl's message; None if there is none."""
    found = OPENSSL_CODE.search(text)
    return int(found[1], 16) if found else None


def explanation(errno: int, verify_result: int, text: str, refusal: int = 0) -> str:
    """The error's message. `refusal` is the status that a proxy answered instead of connecting."""
    if refusal >= 300:
        return f"the proxy refused to connect: it answered {refusal}{PROXY_HINTS.get(refusal, '')}"
    if errno == pycurl.E_PEER_FAILED_VERIFICATION and verify_result in VERIFY_RESULTS:
        return VERIFY_RESULTS[verify_result] + (TO_TRUST if verify_result in UNTRUSTED else "") + TO_SEE
    if errno == pycurl.E_PEER_FAILED_VERIFICATION:
        return REFUSALS[45] if text == OURS_EXPIRED else f"{RULES[errno].meaning}: {text}{TO_SEE}"
    if errno == pycurl.E_ABORTED_BY_CALLBACK:
        return RULES[errno].meaning
    if errno == pycurl.E_OPERATION_TIMEDOUT:
        late = "not done in time (timeout.connect until it is sent, timeout.attempt for all of it)"
        return f"{late}: {text}" if text else late
    if errno == WEIRD_SERVER_REPLY and "Content-Length" in text:
        return NO_LENGTH
    code = openssl_code(text)
    if code is not None and (told := REFUSALS.get(code - ALERTS.start)):
        return f"{told}: {text}"
    if code == UNSUPPORTED_PROTOCOL:
        return f"the service speaks only older versions of TLS than tls.min_version: {text}"
    if code == WRONG_VERSION_NUMBER:
        return "the port does not speak TLS; is it an http:// one?"
    meaning = RULES[errno].meaning if errno in RULES else "failed"
    return f"{meaning}: {text}" if text else meaning
