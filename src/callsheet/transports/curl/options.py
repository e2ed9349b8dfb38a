"""The libcurl options of a handle: those that all transfers of a transport share, and those of one request."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import pycurl

from callsheet.call import Limits
from callsheet.http.codings import ACCEPTED
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.secret import Secret
from callsheet.tls.trust_store import trust_folder, trust_store
from callsheet.transports.connection_settings import ConnectionSettings

CurlOptions = list[tuple[int, Any]]
"""Options of libcurl and their values; a Secret is revealed when it is set."""
NO_MEANS = "no connection could be begun: {error}; is the limit on open files (ulimit -n) reached?"
HTTP_ONLY = pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS
LONGEST = 2**31 - 1
CODING_OVERHEAD = 1024
"""Bytes by which gzip may make a short, incompressible body longer than its decoded form."""


def constant_options(settings: ConnectionSettings) -> CurlOptions:
    """The options that all transfers of a transport have in common."""
    version = pycurl.CURL_HTTP_VERSION_2TLS if settings.http2 else pycurl.CURL_HTTP_VERSION_1_1
    minimum = pycurl.SSLVERSION_TLSv1_3 if settings.tls.min_version == "1.3" else pycurl.SSLVERSION_TLSv1_2
    options: CurlOptions = [
        (pycurl.NOSIGNAL, 1),
        (pycurl.PROTOCOLS, HTTP_ONLY),
        (pycurl.PROXY, ""),
        (pycurl.PATH_AS_IS, 1),
        (pycurl.HTTP_CONTENT_DECODING, 0),
        (pycurl.HTTP_VERSION, version),
        (pycurl.SSLVERSION, minimum),
        (pycurl.CAINFO, trust_store(settings.tls.ca)),
        (pycurl.DNS_CACHE_TIMEOUT, -1),
        (pycurl.MAXAGE_CONN, max(1, math.ceil(settings.pool.idle))),
    ]
    folder = trust_folder(settings.tls.ca)
    if folder is not None:
        options.append((pycurl.CAPATH, folder))
    if settings.tls.pins:
        options.append((pycurl.PINNEDPUBLICKEY, ";".join(settings.tls.pins)))
    if settings.tls.verify:
        options.append((pycurl.OPT_CERTINFO, 1))
    else:
        options += [(pycurl.SSL_VERIFYPEER, 0), (pycurl.SSL_VERIFYHOST, 0)]
    if settings.http2:
        options.append((pycurl.PIPEWAIT, 1))
    return options


def set_request(easy: pycurl.Curl, request: Request, limits: Limits) -> None:
    """Set the options of one request on a handle that has the constant options."""
    setopt = easy.setopt
    url = request.wire_url
    setopt(pycurl.URL, url)
    if "%" in url and url.count("/") > 2 and LOWER_HEX.search(url):  # libcurl would rewrite it and break a signature
        setopt(pycurl.REQUEST_TARGET, "/" + url.split("/", 3)[3].partition("#")[0])
    setopt(pycurl.HTTPHEADER, wire_lines(request.headers))
    _set_method(easy, request)
    setopt(pycurl.CONNECTTIMEOUT_MS, milliseconds(limits.connect))
    if not request.is_transfer:
        setopt(pycurl.TIMEOUT_MS, milliseconds(limits.attempt))
    elif limits.whole is not None:
        setopt(pycurl.TIMEOUT_MS, milliseconds(limits.whole))
    if not request.is_stream and request.method != "HEAD":
        setopt(pycurl.MAXFILESIZE_LARGE, limits.caps.response + limits.caps.response // 1000 + CODING_OVERHEAD)
    if limits.fresh:
        setopt(pycurl.FRESH_CONNECT, 1)


def milliseconds(seconds: float) -> int:
    """Milliseconds for libcurl: at least 1, since it reads 0 as "no limit"; at most 24 days, the most that it takes."""
    return max(1, min(math.ceil(seconds * 1000), LONGEST))


def content_of(request: Request) -> bytes | None:
    """The body in memory; b"" if there is none but the method calls for one (RFC 9110 8.6)."""
    if request.body is not None:
        content = request.body.content
        if content is not None:
            return content
    return b"" if request.method in ("POST", "PUT", "PATCH") else None


def _set_method(easy: pycurl.Curl, request: Request) -> None:
    method, content = request.method, content_of(request)
    if request.is_upload:
        if method == "HEAD":
            raise ValueError("a HEAD request takes no body that is read as it is sent")
        easy.setopt(pycurl.UPLOAD, 1)
        easy.setopt(pycurl.CUSTOMREQUEST, method)
    elif content is not None:
        easy.setopt(pycurl.POSTFIELDS, content)
        if method != "POST":
            easy.setopt(pycurl.CUSTOMREQUEST, method)
    elif method == "HEAD":
        easy.setopt(pycurl.NOBODY, 1)
    elif method != "GET":
        easy.setopt(pycurl.CUSTOMREQUEST, method)


UNASKED = {
    b"accept": b"Accept: */*",
    b"accept-encoding": f"Accept-Encoding: {ACCEPTED}".encode(),
    b"content-type": b"Content-Type:",
    b"user-agent": b"User-Agent:",
}
"""Lines for fields that the request does not set. A line without a value keeps libcurl from sending its own."""
LOWER_HEX = re.compile(r"%(?:[a-f].|.[a-f])")


def wire_lines(headers: Headers) -> list[bytes]:
    """The header fields as libcurl takes them, secrets revealed."""
    if headers.wire_lines is not None:
        return headers.wire_lines
    if headers.added_to is not None:
        return [*wire_lines(headers.added_to), _line(*headers.fields[-1])]
    lines = [_line(name, value) for name, value in headers.fields]
    lines += _unasked(headers)
    lines.append(b"Expect:")
    if headers.is_constant:
        headers.wire_lines = lines
    return lines


def _line(name: str, value: str | Secret) -> bytes:
    text = value if isinstance(value, str) else value.reveal()
    return f"{name}: {text}".encode("latin-1") if text else f"{name};".encode("latin-1")


def _unasked(headers: Headers) -> Sequence[bytes]:
    given = {name.lower().encode("latin-1") for name, _ in headers.fields}
    return [line for name, line in UNASKED.items() if name not in given]


def less(limits: Limits, spent: float) -> Limits:
    """The limits on connecting and on the attempt, reduced by the seconds already spent."""
    return limits._replace(connect=max(limits.connect - spent, 0.001), attempt=max(limits.attempt - spent, 0.001))
