"""What a request may take along to another origin than its service's own.

The list says what may go, not what must not: a header field that somebody invents tomorrow to prove who they are stays
at home without anybody thinking of it.
"""

from __future__ import annotations

from ipaddress import IPv6Address

from callsheet.http.headers import Headers
from callsheet.http.request import Origin, origin_of

HARMLESS = frozenset({
    "accept", "accept-encoding", "accept-language", "if-match", "if-modified-since", "if-none-match", "if-range",
    "if-unmodified-since", "range", "user-agent",
})  # fmt: skip
"""Fields that say what is wanted (RFC 9110 12.5, 13.1, 14.2), and with which program."""
DEFAULT_PORTS = {"http": 80, "https": 443}


def harmless(headers: Headers) -> Headers:
    """Those of the fields that go to another origin; never one whose value is a secret."""
    fields = headers.fields
    return Headers(tuple(field for field in fields if field[0].lower() in HARMLESS and isinstance(field[1], str)))


def is_downgrade(start: Origin, end: Origin) -> bool:
    """Whether going there would leave https for http."""
    return start.scheme == "https" and end.scheme != "https"


def spelled(origin: Origin) -> str:
    """The origin as it begins a URL, without the port that its scheme means anyway (RFC 6454 6.2)."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    port = "" if origin.port == DEFAULT_PORTS.get(origin.scheme) else f":{origin.port}"
    return f"{origin.scheme}://{host}{port}"


def exact_origin(url: str) -> Origin:
    """The origin of a URL, an IPv6 address in its one short form (RFC 5952). Raises ValueError for an address that is none."""
    origin = origin_of(url)
    return origin._replace(host=str(IPv6Address(origin.host))) if ":" in origin.host else origin
