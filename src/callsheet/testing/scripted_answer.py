"""Carries out what a script says of a request, within the limits of the attempt; written once for threads and tasks."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

from callsheet.call import Limits
from callsheet.errors import AttemptTimeout, MalformedAnswer, ResponseTooLarge, UsageError
from callsheet.events import WireFacts
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import PHRASES, Response
from callsheet.testing.answers import Fault, Reply, given_by
from callsheet.testing.route import ScriptStep
from callsheet.testing.sent import Sent
from callsheet.testing.ways import TaskWay, ThreadWay
from callsheet.transports.refusals import STREAM_CLOSED, excess_fields

PIECE = 16 * 1024
"""Bytes of a streamed body that one read gives."""
BODILESS = (204, 304)


class AttemptTime:
    """The time of one attempt: its waits end at the first limit they reach."""

    def __init__(self, way: ThreadWay | TaskWay, limits: Limits) -> None:
        self.way = way
        self.limits = limits
        self.began = way.now()

    async def wait(self, seconds: float, due: float, told: str) -> None:
        """Wait so many seconds without a byte. Raises AttemptTimeout when `due` (saying `told`) or `timeout.read` is reached."""
        quiet = math.inf if self.limits.read is None else self.limits.read
        left = max(due - self.way.now(), 0.0)
        if seconds > min(left, quiet):
            await self.way.sleep(min(left, quiet))
            raise AttemptTimeout(told if left <= quiet else f"no byte for {quiet:g} s (timeout.read)")
        if seconds > 0:
            await self.way.sleep(seconds)

    async def for_answer(self, seconds: float) -> None:
        """Wait for the answer. Raises AttemptTimeout at `timeout.attempt`."""
        most = self.limits.attempt
        await self.wait(seconds, self.began + most, f"not answered within {most:g} s (timeout.attempt)")

    async def for_body(self, seconds: float) -> None:
        """Wait for a piece of a streamed body. Raises AttemptTimeout at `timeout.total`, if that bounds it."""
        most = math.inf if self.limits.whole is None else self.limits.whole
        await self.wait(seconds, self.began + most, f"not complete within {most:g} s (timeout.total)")

    @property
    def facts(self) -> WireFacts:
        """What a real transport would have measured so far."""
        return WireFacts(total=self.way.now() - self.began, http_version="1.1")


async def answer(
    step: ScriptStep, sent: Sent, request: Request, limits: Limits, way: ThreadWay | TaskWay
) -> tuple[Response, WireFacts | None]:
    """The answer that the step means, after its delay. Raises the scripted error, or that of a limit that was reached."""
    watched = AttemptTime(way, limits)
    meant = step if isinstance(step, Reply | Fault) else given_by(await way.result(step(sent)))
    if isinstance(meant, BaseException):
        raise meant
    if isinstance(meant, Fault):
        await _fail(meant, watched)
    assert isinstance(meant, Reply)
    await watched.for_answer(meant.delay)
    response = _head(meant, request)
    _check_head(response, limits)
    pieces = ReplyPieces(meant, watched, is_bodiless=request.method == "HEAD" or meant.status in BODILESS)
    if request.is_stream:
        response.stream = way.stream(pieces)
    else:
        content = await pieces.whole(response)
        response.decode_with(lambda _: content)
    return response, watched.facts if limits.wants_facts else None


async def _fail(fault: Fault, watched: AttemptTime) -> None:
    limits = watched.limits
    if fault.until == "connect":
        await watched.way.sleep(min(limits.connect, limits.attempt))
    else:
        await watched.for_answer(math.inf if fault.until else fault.delay)
    raise fault.kind(fault.message, **({"on_kept_connection": True} if fault.is_kept else {}))


def _head(reply: Reply, request: Request) -> Response:
    fields = list(reply.headers)
    is_told = any(name.lower() in ("content-length", "transfer-encoding") for name, _ in fields)
    if reply.chunks is None and not is_told and reply.status not in BODILESS:
        fields.append(("Content-Length", str(len(reply.content))))
    return Response(reply.status, request=request, headers=Headers(fields), reason_phrase=PHRASES.get(reply.status, ""))


def _check_head(response: Response, limits: Limits) -> None:
    lines = response.headers.multi_items()
    excess = excess_fields(limits.caps, len(lines), sum(len(name) + len(value) + 4 for name, value in lines))
    if excess is not None:
        raise MalformedAnswer(excess)


class ReplyPieces:
    """The body of a reply, piece by piece, each after its pause."""

    def __init__(self, reply: Reply, watched: AttemptTime, *, is_bodiless: bool) -> None:
        self._left = [] if is_bodiless else _pieces_of(reply)
        self._missing = 0 if is_bodiless or reply.cut is None else len(reply.content) - reply.cut
        self._watched = watched
        self._is_closed = False

    @property
    def facts(self) -> WireFacts:
        """What a real transport would have measured so far."""
        return self._watched.facts

    async def next(self) -> bytes:
        """The next piece of a stream, b"" at the end. Raises MalformedAnswer where it breaks off, UsageError once closed."""
        if self._is_closed:
            raise UsageError(STREAM_CLOSED)
        return await self._next(self._watched.for_body)

    async def _next(self, wait: Callable[[float], Awaitable[None]]) -> bytes:
        while self._left:
            piece = self._left.pop(0)
            if not isinstance(piece, bytes):
                await wait(piece)
            elif piece:
                return piece
        if self._missing:
            raise MalformedAnswer(f"body breaks off: {self._missing} bytes missing")
        return b""

    async def whole(self, response: Response) -> bytes:
        """The whole body. Raises ResponseTooLarge above `caps.response`, MalformedAnswer where it breaks off."""
        cap = self._watched.limits.caps.response
        pieces: list[bytes] = []
        while piece := await self._next(self._watched.for_answer):
            pieces.append(piece)
            if sum(map(len, pieces)) > cap:
                raise ResponseTooLarge(f"the answer is larger than {cap} bytes (caps.response)", **response.facts())
        return b"".join(pieces)

    def close(self) -> None:
        """Make further reads raise UsageError. Closing twice does nothing."""
        self._is_closed = True


def _pieces_of(reply: Reply) -> list[bytes | float]:
    if reply.chunks is not None:
        return list(reply.chunks)
    content = reply.content if reply.cut is None else reply.content[: reply.cut]
    return [content[at : at + PIECE] for at in range(0, len(content), PIECE)]
