"""As much of HTTP/2 as a server needs that ends streams and connections in every way (RFC 9113)."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable

from tests.servers.actions import Action
from tests.servers.connection import Connection

PREFACE = 24
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4
NO_ERROR, INTERNAL_ERROR, REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM = 0, 2, 7, 8, 11
STATUS_200 = b"\x88"
OnRequest = Callable[[Connection, int, int], None]
"""Takes the connection, the stream, and the number of the request, from 0, whatever connection it came on."""


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def answered(stream: int) -> bytes:
    """A 200 without a body."""
    return frame(HEADERS, END_HEADERS | END_STREAM, stream, STATUS_200)


def reset_stream(stream: int, code: int) -> bytes:
    """The end of one stream."""
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def go_away(last: int, code: int = NO_ERROR) -> bytes:
    """The end of a connection, whose streams above `last` were not processed."""
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, code))


def speaking_http2(on_request: OnRequest) -> Action:
    """Speak HTTP/2 on a connection until it ends; each request is handed over as soon as its headers are there."""
    numbers = itertools.count()

    def play(connection: Connection) -> None:
        connection.take(PREFACE)
        connection.send(frame(SETTINGS, 0, 0))
        while not connection.ended:
            head = connection.take(9)
            kind, flags, stream = head[3], head[4], int.from_bytes(head[5:])
            connection.take(int.from_bytes(head[:3]))
            if kind == SETTINGS and not flags & ACK:
                connection.send(frame(SETTINGS, ACK, 0))
            if kind == HEADERS:
                on_request(connection, stream, next(numbers))

    return Action("speaking_http2", play)
