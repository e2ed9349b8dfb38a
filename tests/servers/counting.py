"""A server that answers anything with 200, and knows when each request arrived, also where it is itself kept waiting."""

from __future__ import annotations

import selectors
import socket
import struct
import threading
import time

from tests.servers.server import Server

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
SO_TIMESTAMPNS = 35
"""Linux: the kernel tells when the bytes arrived, which may be long before this process is given a processor."""


class CountingServer(Server):
    """`arrived` are the times at which requests arrived, in seconds, in order."""

    def __init__(self) -> None:
        self._listener = socket.create_server((self.host, 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://{self.host}:{self.port}"
        self._arrived: list[float] = []
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def arrived(self) -> list[float]:
        return sorted(self._arrived)

    def _serve(self) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(self._listener, selectors.EVENT_READ)
            while not self._ends.is_set():
                for key, _ in ready.select(0.1):
                    if key.fileobj is self._listener:
                        connection, _ = self._listener.accept()
                        connection.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
                        ready.register(connection, selectors.EVENT_READ, bytearray())
                    elif not self._heard(key.fileobj, key.data):
                        ready.unregister(key.fileobj)
                        key.fileobj.close()
            for key in list(ready.get_map().values()):
                key.fileobj.close()

    def _heard(self, connection: socket.socket, kept: bytearray) -> bool:
        """Answer what came; False at its end."""
        try:
            data, told, _, _ = connection.recvmsg(65536, 64)
        except ConnectionError:
            return False
        kept += data
        if kept.endswith(b"\r\n\r\n"):
            self._arrived.append(_time_of(told))
            kept.clear()
            connection.sendall(ANSWER)
        return bool(data)

    def close(self) -> None:
        self._ends.set()
        self._thread.join()


def _time_of(told: list[tuple[int, int, bytes]]) -> float:
    for level, kind, value in told:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = struct.unpack("qq", value)
            return float(seconds + nanoseconds / 1e9)
    return time.time()
