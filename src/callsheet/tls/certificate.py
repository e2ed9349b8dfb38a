"""Reads the names and dates in a certificate (RFC 5280 4.1), and verifies nothing.

Python's `ssl` reads them only from certificates that it trusts; these are needed to explain why one is not trusted.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from callsheet.tls.pem import BLOCK, CERTIFICATE

CONTEXT_0, SET, SEQUENCE, UTC_TIME, GENERALIZED_TIME, OID = 0xA0, 0x31, 0x30, 0x17, 0x18, 0x06
NAMED_BY = (b"\x55\x04\x03", b"\x55\x04\x0a", b"\x55\x04\x0b")
"""Attributes to show a name by, in order of preference: common name, organisation, unit."""
CODINGS = {0x0C: "utf-8", 0x1E: "utf-16-be"}
"""Encodings of BER string types by tag; the other types are decoded as Latin-1."""
UNREADABLE = "not a certificate in DER form"


class Certificate(NamedTuple):
    """Short names of a certificate's subject and issuer, and the time for which it is valid."""

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime


class _Element(NamedTuple):
    tag: int
    content: bytes
    rest: bytes


def certificates_in(text: str) -> list[Certificate]:
    """The certificates in a PEM text. Raises ValueError if one cannot be read."""
    found = (match[0] for match in BLOCK.finditer(text) if CERTIFICATE.fullmatch(match["label"]))
    return [read_certificate(_der_of(block)) for block in found]


def _der_of(block: str) -> bytes:
    inside = "".join(line for line in block.splitlines()[1:-1] if ":" not in line)
    return binascii.a2b_base64(inside)


def read_certificate(der: bytes) -> Certificate:
    """Read a certificate in DER form. Raises ValueError if the bytes are none."""
    parts = list(_elements(_element(_element(der, SEQUENCE).content, SEQUENCE).content))
    if parts and parts[0].tag == CONTEXT_0:  # the version, which the oldest certificates leave out
        parts = parts[1:]
    if len(parts) < 5:
        raise ValueError(UNREADABLE)
    _serial, _algorithm, issuer, validity, subject = parts[:5]
    times = [_time(each) for each in _elements(validity.content)]
    if len(times) != 2:
        raise ValueError(UNREADABLE)
    return Certificate(_name(subject.content), _name(issuer.content), *times)


def _element(data: bytes, expected: int | None = None) -> _Element:
    """The first element of BER data (X.690 8.1): its tag, its content and the data after it."""
    if len(data) < 2 or (expected is not None and data[0] != expected):
        raise ValueError(UNREADABLE)
    length, start = data[1], 2
    if length & 0x80:
        count = length & 0x7F
        start += count
        length = int.from_bytes(data[2:start], "big")
        if not 0 < count <= 4:
            raise ValueError(UNREADABLE)
    if len(data) < start + length:
        raise ValueError(UNREADABLE)
    return _Element(data[0], data[start : start + length], data[start + length :])


def _elements(data: bytes) -> Iterator[_Element]:
    while data:
        element = _element(data)
        yield element
        data = element.rest


def _time(element: _Element) -> datetime:
    """RFC 5280 4.1.2.5: two digits of the year until 2049, four from then on; always in seconds and UTC."""
    text = element.content.decode("ascii")
    if element.tag == UTC_TIME:
        text = f"{'19' if text >= '50' else '20'}{text}"
    elif element.tag != GENERALIZED_TIME:
        raise ValueError(UNREADABLE)
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _name(content: bytes) -> str:
    known: dict[bytes, str] = {}
    for relative in _elements(content):
        for pair in _elements(relative.content):
            kind = _element(pair.content, OID)
            value = _element(kind.rest)
            known.setdefault(kind.content, value.content.decode(CODINGS.get(value.tag, "latin-1"), "replace"))
    return next((known[kind] for kind in NAMED_BY if kind in known), "")
