"""The other end of a transfer: `GET /N` gives N zero bytes, `PUT /` takes a body and says how long it was.

It costs as little as it can: what it gives goes from file to socket within the kernel, what it takes is dropped there
where the system can do that. A thread per connection, one request after another.
"""

import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

IDLE = "/idle"
PAUSE = 0.3
"""Seconds before `/idle` is answered, so that a client's memory can be looked at while it waits."""
STEP = 1024 * 1024
# Linux drops the bytes of a TCP stream without copying them (tcp(7)); elsewhere the flag means something else.
DROP = socket.MSG_TRUNC if sys.platform == "linux" else 0


class Head(NamedTuple):
    """A request without its body, of which `begun` bytes came along."""

    method: str
    target: str
    length: int
    begun: int
    expects: bool


def main():
    port, path = sys.argv[1:]
    with socket.create_server(("127.0.0.1", int(port))) as listening:
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=serve, args=(connection, Path(path)), daemon=True).start()


def serve(connection, path):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, path.open("rb") as file:
        while head := head_of(connection):
            answer(connection, file, head)


def head_of(connection):
    """The next request; None when the client has gone."""
    block = b""
    while b"\r\n\r\n" not in block:
        more = connection.recv(65536)
        if not more:
            return None
        block += more
    head, _, begun = block.partition(b"\r\n\r\n")
    first, *fields = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    named = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    if "transfer-encoding" in named:
        raise SystemExit("expected a body whose length is known")
    return Head(method, target, int(named.get("content-length", 0)), len(begun), "expect" in named)


def answer(connection, file, head):
    if head.expects:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if head.method == "PUT":
        body = b"%d" % (head.begun + taken(connection, head.length - head.begun))
        connection.sendall(opening(len(body)) + body)
    elif head.target == IDLE:
        time.sleep(PAUSE)
        connection.sendall(opening(0))
    else:
        size = int(head.target[1:])
        connection.sendall(opening(size))
        give(connection, file, size)


def opening(length):
    return b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n" % length


def taken(connection, length):
    """How many bytes came of so many."""
    left, space = length, bytearray(STEP)
    while left:
        came = connection.recv_into(space, min(left, STEP), DROP)
        if not came:
            break
        left -= came
    return length - left


def give(connection, file, size):
    offset = 0
    while offset < size:
        offset += os.sendfile(connection.fileno(), file.fileno(), offset, min(STEP, size - offset))


if __name__ == "__main__":
    main()
