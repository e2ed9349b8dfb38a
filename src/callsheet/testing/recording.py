"""The transports behind a cassette: one that keeps what the real one brings, one that brings what was kept."""

from __future__ import annotations

import re
from typing import Any, Protocol

from callsheet import errors
from callsheet.call import Limits
from callsheet.errors import APIError, MalformedAnswer, NoAnswer, TransportError, UsageError
from callsheet.events import WireFacts
from callsheet.http.codings import BrokenCodingError, TooLargeError, codings_in, decoded, decoders_for
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.testing.bodies import content_of as sent_content
from callsheet.testing.bodies import task_content_of
from callsheet.testing.redaction import UNREADABLE, Redaction, content_of, named_secrets
from callsheet.testing.ways import TaskReading, ThreadReading

MOST = 64 * 1024 * 1024
"""Bytes of an answer that are kept: more belongs into no repository."""
PIECE = 16 * 1024
"""Bytes of a streamed body that are given at a time."""
BOUNDARY = re.compile(r"""multipart/.*boundary="?([^\s;"]+)""", re.IGNORECASE)
OF_THE_WAY = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive"})
"""Fields that speak of how an answer came, not of what it is."""


class Tape(Protocol):
    """What both transports need of a cassette."""

    interactions: list[dict[str, Any]]
    learned: set[str]

    def taken(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """The interaction that was recorded for such a request."""

    def save(self) -> None:
        """Write what was recorded."""


def redaction_of(request: Request, content: bytes, learned: set[str] | None = None) -> Redaction:
    """Masks every credential that this request is known to carry."""
    fields = [value for _, value in request.headers.fields if not isinstance(value, str)]
    kind = request.headers.get("content-type", "")
    named = named_secrets(request.wire_url, request.headers, content, kind)
    return Redaction((*request.secrets, *fields, *named), learned)


def asked_of(request: Request, content: bytes, redaction: Redaction) -> dict[str, Any]:
    """A request as it is kept and compared; the boundary of a multipart body, drawn by chance, is always the same."""
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
    """An answer as it is kept, its codings undone."""
    fields = [field for field in redaction.headers(response.headers) if field[0].lower() not in OF_THE_WAY]
    plain, is_plain = _plain(response, content)
    if not is_plain:
        fields += [["Content-Encoding", response.headers["content-encoding"]]]
    kept = redaction.body(plain, response.headers.get("content-type", "")) if is_plain else {"text": UNREADABLE}
    return {"status": response.status_code, "headers": fields, "body": kept}


def _plain(response: Response, content: bytes) -> tuple[bytes, bool]:
    coding = response.headers.get("content-encoding")
    if coding is None or not content:
        return content, True
    try:
        return decoded(content, decoders_for(codings_in(coding), 5), MOST), True
    except (BrokenCodingError, TooLargeError):
        return content, False


class Note:
    """One interaction as it comes about."""

    def __init__(self, interaction: dict[str, Any], redaction: Redaction) -> None:
        self._interaction = interaction
        self._redaction = redaction

    def answered(self, response: Response, content: bytes) -> None:
        """Keep the answer, in place of what was known of it."""
        self._interaction["answer"] = answer_of(response, content, self._redaction)

    def broke_off(self) -> None:
        """The body broke off after what was kept."""
        self._interaction["breaks_off"] = True

    def failed(self, error: APIError) -> None:
        """Keep the error."""
        message = self._redaction.text(str(error))
        self._interaction["error"] = {"kind": type(error).__name__, "message": message}


class _AnyRecorder:
    """What both colours share."""

    def __init__(self, tape: Tape, transport: Any) -> None:
        self._tape = tape
        self._transport = transport

    def _note(self, request: Request, content: bytes) -> Note:
        if request.body is not None and not request.body.is_replayable:
            raise UsageError("a body that can be read once cannot be recorded and sent: give bytes, a path or a file")
        redaction = redaction_of(request, content, self._tape.learned)
        interaction: dict[str, Any] = {"request": asked_of(request, content, redaction)}
        self._tape.interactions.append(interaction)
        return Note(interaction, redaction)


class Recorder(_AnyRecorder):
    """Keeps what the real transport brings; made by a Cassette."""

    def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """The service's answer, kept."""
        note = self._note(request, sent_content(request))
        try:
            response, facts = self._transport.send(request, limits)
        except TransportError as error:
            note.failed(error)
            raise
        if response.stream is not None:
            response.stream = Tee(response, note)
        else:
            note.answered(response, response.content)
        return response, facts

    def close(self) -> None:
        """Close the transport and write the cassette."""
        self._transport.close()
        self._tape.save()


class AsyncRecorder(_AnyRecorder):
    """The same for AsyncClient."""

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """The service's answer, kept."""
        note = self._note(request, await task_content_of(request))
        try:
            response, facts = await self._transport.send(request, limits)
        except TransportError as error:
            note.failed(error)
            raise
        if response.stream is not None:
            response.stream = AsyncTee(response, note)
        else:
            note.answered(response, response.content)
        return response, facts

    async def aclose(self) -> None:
        """Close the transport and write the cassette."""
        await self._transport.aclose()
        self._tape.save()


class _AnyTee:
    """A body that is kept as it is read."""

    def __init__(self, response: Response, note: Note) -> None:
        self._stream = response.stream
        self._response = response
        self._note = note
        self._pieces: list[bytes] = []
        note.answered(response, b"")

    @property
    def facts(self) -> WireFacts:
        """What was measured so far."""
        return self._stream.facts  # type: ignore[no-any-return]

    def _kept(self, piece: bytes) -> bytes:
        if piece:
            self._pieces.append(piece)
        return piece

    def close(self) -> None:
        """Let go of the connection; what was read is what was recorded."""
        self._note.answered(self._response, b"".join(self._pieces))
        self._stream.close()


class Tee(_AnyTee):
    """Read by a thread."""

    def read(self) -> bytes:
        """The next bytes, b"" at the end."""
        try:
            return self._kept(self._stream.read())
        except TransportError:
            self._note.broke_off()
            raise


class AsyncTee(_AnyTee):
    """Read by a task."""

    async def read(self) -> bytes:
        """The next bytes, b"" at the end."""
        try:
            return self._kept(await self._stream.read())
        except TransportError:
            self._note.broke_off()
            raise


class Kept:
    """A body that was kept, to be read again."""

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
        """Give nothing more."""
        self._pieces.clear()


def replayed(interaction: dict[str, Any], request: Request) -> tuple[Response, Kept]:
    """The answer that was kept. Raises the error that was."""
    if "error" in interaction:
        kept = interaction["error"]
        kind = getattr(errors, str(kept.get("kind")), NoAnswer)
        raise (kind if isinstance(kind, type) and issubclass(kind, TransportError) else NoAnswer)(
            kept.get("message", "")
        )
    answer = interaction["answer"]
    content = content_of(answer["body"])
    headers = Headers((str(name), str(value)) for name, value in answer["headers"])
    whole = b"" if request.is_stream or request.method == "HEAD" else content
    response = Response(int(answer["status"]), request=request, headers=headers, content=whole)
    return response, Kept(content, breaks_off="breaks_off" in interaction)


class _AnyReplay:
    """What both colours share."""

    def __init__(self, tape: Tape, transport: Any) -> None:
        self._tape = tape
        self._transport = transport

    def _answer(self, request: Request, content: bytes, read_by: Any) -> tuple[Response, WireFacts | None]:
        asked = asked_of(request, content, redaction_of(request, content))
        response, kept = replayed(self._tape.taken(request, asked), request)
        if request.is_stream:
            response.stream = read_by(kept)
        return response, WireFacts()


class Replay(_AnyReplay):
    """Brings what was kept, without a network; made by a Cassette."""

    def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """The recorded answer. Raises UsageError for a request that was not recorded."""
        return self._answer(request, sent_content(request), ThreadReading)

    def close(self) -> None:
        """Close the transport that was not used."""
        self._transport.close()


class AsyncReplay(_AnyReplay):
    """The same for AsyncClient."""

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """The recorded answer. Raises UsageError for a request that was not recorded."""
        return self._answer(request, await task_content_of(request), TaskReading)

    async def aclose(self) -> None:
        """Close the transport that was not used."""
        await self._transport.aclose()
