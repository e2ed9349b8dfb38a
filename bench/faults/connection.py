"""One accepted connection: requests are read from it, and answers, resets and the like go out."""

import asyncio
import json
import socket
import struct
from typing import NamedTuple

ANSWER = b'{"status":"ok"}'
RESET = struct.pack("ii", 1, 0)
"""To linger no second: closing then sends a RST instead of a FIN."""
REASONS = {200: "OK", 429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable"}
HEAD_END = b"\r\n\r\n"


class Request(NamedTuple):
    """`order` is what a POST wants done or a GET asks for; `place` is the request's number on its connection, from 0;
    `at` is in seconds since the upstream's first request.
    """

    method: str
    order: int
    place: int
    at: float = 0.0


class Connection:
    """What a behaviour may do with it; `ended` once the upstream will answer no more on it."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.ended = False
        self._requests = 0

    async def request(self):
        """The next request, read whole; None where the client closed instead."""
        try:
            head = await self.reader.readuntil(HEAD_END)
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise
            return None
        line, *fields = head.decode("latin-1").split("\r\n")
        sizes = [int(field.partition(":")[2]) for field in fields if field.lower().startswith("content-length:")]
        body = await self.reader.readexactly(sizes[0]) if sizes and sizes[0] else b""
        self._requests += 1
        method, path, _ = line.split(" ")
        order = json.loads(body)["order"] if body else int(path.rpartition("/")[2])
        return Request(method, order, self._requests - 1)

    async def answer(self, status=200, *fields, body=ANSWER):
        """A whole answer; fields are `Name: value`."""
        await self.send(head(status, *fields, length=len(body)) + body)
        self.ended = self.ended or "Connection: close" in fields

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    def close(self):
        """End in order (FIN)."""
        self.ended = True
        self.writer.close()

    def reset(self):
        """End at once (RST), unless it has ended."""
        self.ended = True
        if self.writer.is_closing():
            return
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.writer.transport.abort()


def head(status, *fields, length):
    lines = [f"HTTP/1.1 {status} {REASONS[status]}", "Content-Type: application/json", f"Content-Length: {length}"]
    return "\r\n".join([*lines, *fields, "", ""]).encode()
