"""Which header fields a request may send to another origin than its service's own.

Only listed fields are sent, so that a credential in a field that is not known here never reaches another origin.
"""

from __future__ import annotations

from ipaddress import IPv6Address

from callsheet.http.headers import Headers
from callsheet.http.request import Origin, origin_of

HARMLESS = frozenset({
    "accept", "accept-encoding", "accept-language", "if-match", "if-modified-since", "if-none-match", "if-range",
    "if-unmodified-since", "range", "user-agent",
})  # fmt: skip
"""Fields for content negotiation, conditions and ranges (RFC 9110 12.5, 13.1, 14.2), and the name of the program."""
DEFAULT_PORTS = {"http": 80, "https": 443}


def harmless(headers: Headers) -> Headers:
    """The fields that may be sent to another origin: listed in HARMLESS, and with a value that is no Secret."""
    fields = headers.fields
    return Headers(tuple(field for field in fields if field[0].lower() in HARMLESS and isinstance(field[1], str)))


def is_downgrade(start: Origin, end: Origin) -> bool:
    """Whether a request from `start` to `end` would go from https to http."""
    return start.scheme == "https" and end.scheme != "https"


def spelled(origin: Origin) -> str:
    """The origin as a URL begins, without the default port of its scheme (RFC 6454 6.2)."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    port = "" if origin.port == DEFAULT_PORTS.get(origin.scheme) else f":{origin.port}"
    return f"{origin.scheme}://{host}{port}"


def exact_origin(url: str) -> Origin:
    """The origin of a URL, with an IPv6 address in its short form (RFC 5952). Raises ValueError for a malformed one."""
    origin = origin_of(url)
    return origin._replace(host=str(IPv6Address(origin.host))) if ":" in origin.host else origin
