"""The transports behind a cassette: one records what the real transport answers, one replays what was recorded."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Protocol

from callsheet import errors
from callsheet.call import Limits
from callsheet.engine.io import finish
from callsheet.errors import APIError, MalformedAnswer, NoAnswer, TransportError, UsageError
from callsheet.events import WireFacts
from callsheet.http.codings import (
    BrokenCodingError,
    TooLargeError,
    UnknownCodingError,
    codings_in,
    decoded,
    decoders_for,
)
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.testing.bodies import content_of, task_content_of
from callsheet.testing.redaction import UNREADABLE, Redaction, bytes_of, named_secrets
from callsheet.testing.scripted_answer import PIECE
from callsheet.testing.ways import TaskReading, ThreadReading, settled

MOST = 64 * 1024 * 1024
"""Bytes that an answer may have when its codings are undone; a larger one is not kept."""
BOUNDARY = re.compile(r"""multipart/.*boundary="?([^\s;"]+)""", re.IGNORECASE)
OF_THE_WAY = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive"})
"""Fields that describe how the answer was transferred; a cassette leaves them out, as it keeps bodies decoded."""


class Tape(Protocol):
    """What the transports here need of a Cassette, which cannot be imported because it imports them."""

    interactions: list[dict[str, Any]]
    learned: set[str]

    def taken(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """The interaction that was recorded for the request. Raises UnexpectedRequest if there is none."""

    def save(self) -> None:
        """Write what was recorded to the cassette's file."""


def redaction_of(request: Request, content: bytes, learned: set[str] | None = None) -> Redaction:
    """Masks every credential that this request is known to carry."""
    fields = [value for _, value in request.headers.fields if not isinstance(value, str)]
    kind = request.headers.get("content-type", "")
    named = named_secrets(request.wire_url, request.headers, content, kind)
    return Redaction((*request.secrets, *fields, *named), learned)


def asked_of(request: Request, content: bytes, redaction: Redaction) -> dict[str, Any]:
    """A request as a cassette keeps and compares it. The random boundary of a multipart body is replaced by a fixed one."""
    found = BOUNDARY.search(request.headers.get("content-type", ""))
    if found:
        content = content.replace(found[1].encode("latin-1"), b"boundary")
    return {
        "method": request.method,
        "url": redaction.url(request.url),
        "headers": redaction.headers(request.headers),
        "body": redaction.body(content, request.headers.get("content-type", "")),
    }


def answer_of(response: Response, content: bytes, redaction: Redaction) -> dict[str, Any]:
    """An answer as a cassette keeps it: secrets masked, content codings undone."""
    fields = [field for field in redaction.headers(response.headers) if field[0].lower() not in OF_THE_WAY]
    plain, is_coded = _plain(response, content)
    if is_coded:
        fields += [["Content-Encoding", response.headers["content-encoding"]]]
    kept = {"text": UNREADABLE} if plain is None else redaction.body(plain, response.headers.get("content-type", ""))
    return {"status": response.status_code, "headers": fields, "body": kept}


def _plain(response: Response, content: bytes) -> tuple[bytes | None, bool]:
    """The body that secrets can be found in, None if there is none; and whether it stays in its coding, as one that is no coding."""
    coding = response.headers.get("content-encoding")
    if coding is None or not content:
        return content, False
    try:
        return decoded(content, decoders_for(codings_in(coding), 5), MOST), False
    except UnknownCodingError:
        is_text = content.decode("utf-8", "ignore").encode() == content
        return content if is_text else None, True
    except (BrokenCodingError, TooLargeError):
        return None, True


class Note:
    """Writes the outcome of one request into its interaction on the cassette."""

    def __init__(self, interaction: dict[str, Any], redaction: Redaction) -> None:
        self._interaction = interaction
        self._redaction = redaction

    def answered(self, response: Response, content: bytes) -> None:
        """Keep this answer, in place of one that was kept before."""
        self._interaction["answer"] = answer_of(response, content, self._redaction)

    def broke_off(self) -> None:
        """Keep that the body broke off after the bytes that were kept."""
        self._interaction["breaks_off"] = True

    def failed(self, error: APIError) -> None:
        """Keep the name and the message of the error, secrets masked."""
        message = self._redaction.text(str(error))
        self._interaction["error"] = {"kind": type(error).__name__, "message": message}


class _Above:
    """Stands in front of a client's real transport, with the cassette that it fills or reads."""

    def __init__(self, tape: Tape, transport: Any) -> None:
        self._tape = tape
        self._transport = transport


class _AnyRecorder(_Above):
    async def _recorded(
        self, request: Request, content: bytes, limits: Limits, reading: Callable[[Tee], Any]
    ) -> tuple[Response, WireFacts | None]:
        note = self._note(request, content)
        try:
            response, facts = await settled(self._transport.send(request, limits))
        except TransportError as error:
            note.failed(error)
            raise
        if response.stream is not None:
            response.stream = reading(Tee(response, note))
        else:
            note.answered(response, response.content)
        return response, facts

    def _note(self, request: Request, content: bytes) -> Note:
        if request.body is not None and not request.body.is_replayable:
            raise UsageError("a body that can be read once cannot be recorded and sent: give bytes, a path or a file")
        redaction = redaction_of(request, content, self._tape.learned)
        interaction: dict[str, Any] = {"request": asked_of(request, content, redaction)}
        self._tape.interactions.append(interaction)
        return Note(interaction, redaction)


class Recorder(_AnyRecorder):
    """The transport of a Client whose cassette records: it sends by the real transport and keeps the answers."""

    def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """Send the request by the real transport, and keep its answer or error for the cassette."""
        return finish(self._recorded(request, content_of(request), limits, ThreadReading))

    def close(self) -> None:
        """Close the real transport and write the cassette."""
        self._transport.close()
        self._tape.save()


class AsyncRecorder(_AnyRecorder):
    """The Recorder of an AsyncClient."""

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """Send the request by the real transport, and keep its answer or error for the cassette."""
        return await self._recorded(request, await task_content_of(request), limits, TaskReading)

    async def aclose(self) -> None:
        """Close the real transport and write the cassette."""
        await self._transport.aclose()
        self._tape.save()


class Tee:
    """A streamed body that is passed on to the caller and kept for the cassette as the caller reads it."""

    def __init__(self, response: Response, note: Note) -> None:
        self._stream: Any = response.stream
        self._response = response
        self._note = note
        self._pieces: list[bytes] = []
        note.answered(response, b"")

    @property
    def facts(self) -> WireFacts:
        """What the real transport measured so far."""
        return self._stream.facts  # type: ignore[no-any-return]

    async def next(self) -> bytes:
        """The next bytes, b"" at the end. Raises what the real stream raises."""
        try:
            piece: bytes = await settled(self._stream.read())
        except TransportError:
            self._note.broke_off()
            raise
        self._pieces.append(piece)
        return piece

    def close(self) -> None:
        """Close the real stream; the cassette keeps as much of the body as the caller has read."""
        self._note.answered(self._response, b"".join(self._pieces))
        self._stream.close()


class Kept:
    """A streamed body that is replayed from a cassette."""

    facts = WireFacts()

    def __init__(self, content: bytes, *, breaks_off: bool = False) -> None:
        self._pieces = [content[at : at + PIECE] for at in range(0, len(content), PIECE)]
        self._breaks_off = breaks_off

    async def next(self) -> bytes:
        """The next bytes, b"" at the end. Raises MalformedAnswer where the body broke off."""
        if self._pieces:
            return self._pieces.pop(0)
        if self._breaks_off:
            raise MalformedAnswer("body breaks off")
        return b""

    def close(self) -> None:
        """Drop what was not read."""
        self._pieces.clear()


def replayed(interaction: dict[str, Any], request: Request) -> tuple[Response, Kept]:
    """The answer that the interaction keeps, and its body for a stream. Raises the error if it keeps an error."""
    if "error" in interaction:
        kept = interaction["error"]
        kind = getattr(errors, str(kept.get("kind")), NoAnswer)
        raise (kind if isinstance(kind, type) and issubclass(kind, TransportError) else NoAnswer)(
            kept.get("message", "")
        )
    answer = interaction["answer"]
    content = bytes_of(answer["body"])
    headers = Headers((str(name), str(value)) for name, value in answer["headers"])
    whole = b"" if request.is_stream or request.method == "HEAD" else content
    response = Response(int(answer["status"]), request=request, headers=headers, content=whole)
    return response, Kept(content, breaks_off="breaks_off" in interaction)


class _AnyReplay(_Above):
    def _answer(self, request: Request, content: bytes, read_by: Any) -> tuple[Response, WireFacts | None]:
        asked = asked_of(request, content, redaction_of(request, content))
        response, kept = replayed(self._tape.taken(request, asked), request)
        if request.is_stream:
            response.stream = read_by(kept)
        return response, WireFacts()


class Replay(_AnyReplay):
    """The transport of a Client whose cassette replays: it gives the recorded answers and sends nothing."""

    def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """The recorded answer. Raises UsageError for a request that was not recorded."""
        return self._answer(request, content_of(request), ThreadReading)

    def close(self) -> None:
        """Close the real transport, which was not used."""
        self._transport.close()


class AsyncReplay(_AnyReplay):
    """The Replay of an AsyncClient."""

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """The recorded answer. Raises UsageError for a request that was not recorded."""
        return self._answer(request, await task_content_of(request), TaskReading)

    async def aclose(self) -> None:
        """Close the real transport, which was not used."""
        await self._transport.aclose()
