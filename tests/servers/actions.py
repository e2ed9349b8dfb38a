"""What a scripted server may do with a request: small values, made by the functions below, that a script lists.

Unless its text says otherwise, an action first reads the whole request, body included.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from tests.servers import bombs
from tests.servers.connection import Connection
from tests.servers.ledger import Request

Fields = Mapping[str, str] | Sequence[tuple[str, str]]
NO_FIELDS: Fields = ()


@dataclass(frozen=True)
class Action:
    """One thing to do on a connection."""

    name: str
    play: Callable[[Connection], None]


def answer(status: int = 200, headers: Fields = NO_FIELDS, body: bytes = b"", keep: bool = True) -> Action:
    """Answer with a Content-Length; the connection stays open unless `keep` is false."""
    data = response(status, headers, body, keep)
    return _named("answer", raw(data) if keep else then(raw(data), close()))


def answer_json(value: object, status: int = 200, headers: Fields = NO_FIELDS) -> Action:
    """Answer with a JSON body."""
    return answer(status, [("Content-Type", "application/json"), *_pairs(headers)], json.dumps(value).encode())


def answer_with(choose: Callable[[Request], Action]) -> Action:
    """Read the request and let a function of it choose the action."""
    return Action("answer_with", lambda connection: choose(connection.request()).play(connection))


def answer_early(status: int = 413) -> Action:
    """Answer as soon as the head is there, then read on until the client closes."""

    def play(connection: Connection) -> None:
        connection.head()
        connection.send(response(status, NO_FIELDS, b"", keep=False))
        connection.hold()

    return Action("answer_early", play)


def raw(data: bytes) -> Action:
    """Send these bytes, whatever they are, and leave the connection open."""

    def play(connection: Connection) -> None:
        connection.request()
        connection.send(data)

    return Action("raw", play)


def drip(data: bytes, pause: float, size: int = 1) -> Action:
    """Send these bytes a few at a time, with a pause after each, and leave the connection open."""

    def play(connection: Connection) -> None:
        connection.request()
        for start in range(0, len(data), size):
            connection.send(data[start : start + size])
            connection.pause(pause)

    return Action("drip", play)


def flood(size: int) -> Action:
    """Answer with a body of so many zero bytes, as fast as the client takes them."""

    def play(connection: Connection) -> None:
        connection.request()
        connection.send(head(200, {"Content-Length": str(size)}))
        block = memoryview(bytes(1 << 18))
        for start in range(0, size, len(block)):
            connection.send(block[: size - start])

    return Action("flood", play)


def silence() -> Action:
    """Never answer; hold the connection until the client closes it."""

    def play(connection: Connection) -> None:
        connection.request()
        connection.hold()

    return Action("silence", play)


def close() -> Action:
    """Close in order (FIN)."""

    def play(connection: Connection) -> None:
        connection.request()
        connection.close()

    return Action("close", play)


def lose_answer() -> Action:
    """Take the whole request and close without an answer: the client cannot know whether it was carried out."""
    return _named("lose_answer", close())


def reset() -> Action:
    """Reset the connection (RST)."""

    def play(connection: Connection) -> None:
        connection.request()
        connection.reset()

    return Action("reset", play)


def reset_before_reading() -> Action:
    """Reset as soon as the request's first bytes arrive; it is not recorded as a request."""
    return Action("reset_before_reading", Connection.reset)


def close_before_reading() -> Action:
    """Close as soon as the request's first bytes arrive; it is not recorded as a request."""
    return Action("close_before_reading", Connection.close)


def silence_before_reading() -> Action:
    """Drop whatever arrives and never answer; nothing is recorded as a request."""
    return Action("silence_before_reading", Connection.hold)


def answer_before_reading(data: bytes) -> Action:
    """Send these bytes and close as soon as the request's first bytes arrive, whatever they are."""

    def play(connection: Connection) -> None:
        connection.send(data)
        connection.close()

    return Action("answer_before_reading", play)


def endless_100_continue(pause: float = 0.001) -> Action:
    """Send interim answers for ever."""

    def play(connection: Connection) -> None:
        connection.request()
        while True:
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.pause(pause)

    return Action("endless_100_continue", play)


def half_header_block() -> Action:
    """Close after a status line and a header field, before the empty line."""
    return _named("half_header_block", then(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"), close()))


def truncated(content_length: int, body: bytes) -> Action:
    """Announce more bytes than are sent, then close."""
    return _named("truncated", then(raw(head(200, {"Content-Length": str(content_length)}) + body), close()))


def half_chunk() -> Action:
    """Close in the middle of a chunk."""
    return _named("half_chunk", then(raw(head(200, {"Transfer-Encoding": "chunked"}) + b"10\r\nabc"), close()))


def truncated_gzip(body: bytes) -> Action:
    """Send the first half of a gzip stream under a Content-Length that is right for that half."""
    whole = bombs.gzipped(body)
    return _named("truncated_gzip", answer(headers={"Content-Encoding": "gzip"}, body=whole[: len(whole) // 2]))


def garbage() -> Action:
    """Send what is no HTTP at all, then close."""
    return _named("garbage", then(raw(b"\x00\xffthis is not HTTP\x01\r\n\r\n\xfe" * 8), close()))


def big_header(size: int) -> Action:
    """Answer with one header field whose value has so many bytes."""
    return _named("big_header", answer(headers={"X-Big": "a" * size}, body=b"{}"))


def many_headers(count: int) -> Action:
    """Answer with so many header fields."""
    return _named("many_headers", answer(headers=[(f"X-{number}", "a") for number in range(count)], body=b"{}"))


def gzip_bomb(decoded_size: int = 1 << 30, layers: int = 2) -> Action:
    """Answer with zeros packed by gzip `layers` times: one layer shrinks a thousandfold, two to a few KiB."""
    return _named(
        "gzip_bomb",
        answer(headers={"Content-Encoding": ", ".join(["gzip"] * layers)}, body=bombs.gzip(decoded_size, layers)),
    )


def brotli_bomb(decoded_size: int = 1 << 30) -> Action:
    """Answer with zeros packed by brotli."""
    return _named("brotli_bomb", answer(headers={"Content-Encoding": "br"}, body=bombs.brotli(decoded_size)))


def then(*actions: Action) -> Action:
    """Do one after the other on the same request."""

    def play(connection: Connection) -> None:
        for action in actions:
            action.play(connection)

    return Action(" then ".join(action.name for action in actions), play)


def wait(seconds: float) -> Action:
    """Read the request and pause; ends at once when the connection does."""

    def play(connection: Connection) -> None:
        connection.request()
        connection.pause(seconds)

    return Action("wait", play)


def head(status: int, headers: Fields = NO_FIELDS) -> bytes:
    """A status line and header fields, up to and with the empty line."""
    lines = [f"HTTP/1.1 {status} {_reason(status)}", *(f"{name}: {value}" for name, value in _pairs(headers)), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def response(status: int = 200, headers: Fields = NO_FIELDS, body: bytes = b"", keep: bool = True) -> bytes:
    """A whole answer with Content-Length, as bytes."""
    framing = [] if status in (204, 304) else [("Content-Length", str(len(body)))]
    ending = [] if keep else [("Connection", "close")]
    return head(status, [*_pairs(headers), *framing, *ending]) + body


def _named(name: str, action: Action) -> Action:
    return replace(action, name=name)


def _pairs(headers: Fields) -> list[tuple[str, str]]:
    return list(headers.items() if isinstance(headers, Mapping) else headers)


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
