"""A collection in pages: `GET /items?cursor=N` gives the page that begins behind item N, and the cursor of the next one."""

import json
import socket
import sys
import threading


def main():
    port, items, size = map(int, sys.argv[1:])
    with socket.create_server(("127.0.0.1", port)) as listening:
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=serve, args=(connection, items, size), daemon=True).start()


def serve(connection, items, size):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rb") as read:
        while first := read.readline():
            while read.readline() not in (b"\r\n", b""):
                pass
            cursor = first.split(b" ")[1].partition(b"cursor=")[2]
            body = page(int(cursor or 0), items, size)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)


def page(start, items, size):
    end = min(start + size, items)
    return json.dumps(
        {"results": [item(n) for n in range(start, end)], "next": str(end) if end < items else None}
    ).encode()


def item(number):
    return {
        "id": number,
        "name": f"item {number}",
        "email": f"someone-{number}@example.com",
        "active": number % 3 == 0,
        "score": number / 7,
        "tags": ["red", "blue"],
    }


if __name__ == "__main__":
    main()
