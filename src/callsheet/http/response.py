"""The answer to a call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from callsheet.errors import DecodeError, ResponseError, error_for_status
from callsheet.http.charset import text_of, usable
from callsheet.http.headers import AnsweredHeaders, Headers, parse_field_lines
from callsheet.http.json import loads, told_plainly
from callsheet.http.json_path import MISSING
from callsheet.http.links import parse_links
from callsheet.http.problem import MEDIA_TYPE, ProblemDetails, problem_from
from callsheet.http.reason import LOOKED_AT, reason_in
from callsheet.secret import redact
from callsheet.secret.credential_names import without_named

if TYPE_CHECKING:
    from callsheet.http.request import Request

CHARSET = re.compile(r"""charset\s*=\s*"?([^\s;"]+)""", re.IGNORECASE)
END_OF_LINE = re.compile(r"\r\n|\n|\r")
SHOWN = 200
"""Characters of a body that an error quotes."""


class Response:
    """The answer to a call.

    `elapsed` is the time that the call took, in seconds, with all attempts and pauses; `attempts` is how many there were. A
    transport makes an answer of `lines`, the header lines as they came, or of `headers`.
    """

    _cache_status: str
    undone: ResponseError | None
    """Set only if the codings were undone before policies looked into the body: the error of that, or None."""

    __slots__ = (
        "_cache_status",
        "_content",
        "_document",
        "_headers",
        "_lines",
        "_sent",
        "attempts",
        "called",
        "elapsed",
        "from_cache",
        "history",
        "http_version",
        "left_coded",
        "reason_phrase",
        "status_code",
        "stream",
        "undone",
    )

    def __init__(
        self,
        status_code: int,
        *,
        request: Request,
        lines: list[bytes] | None = None,
        headers: Headers | None = None,
        content: bytes = b"",
        reason_phrase: str = "",
        http_version: str = "1.1",
    ) -> None:
        self.status_code = status_code
        self.reason_phrase = reason_phrase
        self.http_version = http_version
        self._lines = lines
        self._headers = headers
        self._content = content
        self._sent = request
        self.elapsed: float = 0.0
        self.attempts: int = 1
        self.history: tuple[Response, ...] = ()
        self.from_cache = False
        self.called: tuple[str, str, str] | None = None
        """Service, operation, and what errors call the two, once the answer is given out: an error that is raised after it names them."""
        self.left_coded = ""
        """Why the body stands as it came, if its content coding is not known here: it is given as bytes and not read further."""
        self.stream: Any = None
        """Set by the transport if `request.is_stream`: the BlockingStream or AsyncStream that reads the body."""

    @property
    def cache_status(self) -> str | None:
        """What the cache did, in the words of `Cache-Status` (RFC 9211); None where no cache was asked."""
        return getattr(self, "_cache_status", None)  # not set before, so that other answers do not pay for it

    @cache_status.setter
    def cache_status(self, status: str | None) -> None:
        if status is not None:
            self._cache_status = status

    @property
    def headers(self) -> Headers:
        """The header fields of the answer."""
        headers = self._headers
        if not isinstance(headers, AnsweredHeaders):
            fields = parse_field_lines(self._lines or ()) if headers is None else headers
            headers = self._headers = AnsweredHeaders(fields.fields, self.masked)
            self._lines = None
        return headers

    def field(self, name: bytes) -> str | None:
        """The first value of a header field, by its lower-case name, without parsing the other fields."""
        if self._lines is None:
            values = self.headers.get_list(name.decode("latin-1"))
            return values[0] if values else None
        size = len(name)
        for line in self._lines:
            if line[size : size + 1] == b":" and line[:size].lower() == name:
                return line[size + 1 :].decode("latin-1").strip()
        return None

    def lines_with(self, initials: bytes) -> list[bytes]:
        """The header lines that begin with one of these letters, without parsing the others."""
        if self._lines is not None:
            return [line for line in self._lines if line and line[0] in initials]
        lines = (f"{name}: {value}".encode("latin-1", "replace") for name, value in self.headers.multi_items())
        return [line for line in lines if line[0] in initials]

    @property
    def request(self) -> Request:
        """The request that was answered, without its body, its secrets masked."""
        return self._sent.redacted()

    @property
    def url(self) -> str:
        """Where the answer came from; a secret in the query reads `***`."""
        return self._sent.url

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status_code < 400

    @property
    def content(self) -> bytes:
        """The body as bytes, decompressed; as it came if its Content-Encoding names a coding that is not known here."""
        return self._content

    def decode_with(self, decode: Callable[[bytes], bytes]) -> None:
        """Replace the body as it came by its decoded form."""
        self._content = decode(self._content)

    def drop_content(self) -> None:
        """Drop a body that cannot be used."""
        self._content = b""

    @property
    def encoding(self) -> str:
        """The charset of `text`: the one that `Content-Type` names, by a label of the WHATWG or of Python; else UTF-8."""
        found = CHARSET.search(self.field(b"content-type") or "")
        return usable(found[1]) if found else "utf-8"

    @property
    def text(self) -> str:
        """The body as text, without a byte order mark. Bytes that do not fit the charset become U+FFFD."""
        return text_of(self._content, self.encoding)

    def json(self) -> Any:
        """The body as parsed JSON, read as UTF-8 whatever its charset (RFC 8259 8.1). Raises DecodeError if it is not JSON."""
        if hasattr(self, "_document"):
            kept = self._taken_document()
            if kept is not MISSING:
                return kept
        self.check_decoded()
        try:
            return loads(self._content)
        except ValueError as error:
            raise self.of_call(self.not_json(str(error))) from None

    def of_call(self, error: ResponseError) -> ResponseError:
        """The error with the service and operation of the call on it, if it gave the answer out; before, the engine does so."""
        if self.called is not None:
            error.service, error.operation, label = self.called
            error.args = (f"{label}: {error.args[0]}",)
        return error

    def check_decoded(self) -> None:
        """Raise DecodeError if the body is in a content coding that is not known here."""
        if self.left_coded:
            message = f"{self.status_code}: the answer's body cannot be decoded: {self.left_coded}"
            raise self.of_call(DecodeError(f"{message}; `response.content` has it as it came", **self.facts()))

    def _taken_document(self) -> Any:
        """The kept document, MISSING if there is none. It is given once, since the caller may change it."""
        try:
            document = self._document
            del self._document
        except AttributeError:
            return MISSING
        return document

    def document(self) -> Any:
        """The body as parsed JSON, MISSING if it is not JSON. It is parsed once and kept, so callers must not change it."""
        try:
            return self._document
        except AttributeError:  # not set before the first call, so that other answers do not pay for it
            pass
        try:
            self._document: Any = MISSING if self.left_coded else loads(self._content)
        except ValueError:
            self._document = MISSING
        return self._document

    def not_json(self, reason: str, *, found: bytes | None = None, line: int | None = None) -> DecodeError:
        """The error for a body, or one line of it, that is not JSON; it quotes the beginning."""
        content = self._content if found is None else found
        beginning = without_named(self.masked(text_of(content[:LOOKED_AT], self.encoding)))[:SHOWN]
        where = "the answer" if line is None else f"line {line} of the answer"
        named = self.field(b"content-type") or "no Content-Type"
        reason = told_plainly(reason, content) if content else "it is empty"
        message = f"{self.status_code}: {where} is not JSON ({self.masked(named)[:SHOWN]}): {beginning!r}: {reason}"
        return DecodeError(message, line=line, **self.facts())

    @property
    def problem(self) -> ProblemDetails | None:
        """The answer as problem details (RFC 9457), secrets masked; None if it is not `application/problem+json`."""
        if not (self.field(b"content-type") or "").lower().startswith(MEDIA_TYPE):
            return None
        try:
            return problem_from(self.masked_data(loads(self._content)))
        except ValueError:
            return None

    @property
    def links(self) -> dict[str, dict[str, str]]:
        """The links of the `Link` field (RFC 8288) by relation type: `links["next"]["url"]`."""
        return parse_links(", ".join(self.headers.get_list("link")))

    def raise_for_status(self) -> Response:
        """Raise the error of a status from 400 on, such as NotFound; below 400 give this answer back."""
        if self.status_code >= 400:
            raise self.of_call(error_for_status(self.status_code)(self.summary(), **self.facts()))
        return self

    def summary(self, told: str | None = None, *, code: str = "") -> str:
        """Status, reason phrase, `code`, and at most 200 redacted characters of `told`, or of the reason that the body gives."""
        phrase = self.reason_phrase or REASONS.get(self.status_code, "")
        head = f"{self.status_code} {RENAMED.get(phrase, phrase)}".strip()
        head = f"{self.masked(head)}, code {_one_line(self.masked(code))}" if code else self.masked(head)
        told = _one_line(self.masked(told) if told else self._reason(head))
        return f"{head}: {told}" if told else head

    def _reason(self, head: str) -> str:
        """The reason that the body gives, secrets masked, unless it only says `head` again; "" if it gives none."""
        phrase = head.partition(" ")[2]
        kind = (self.field(b"content-type") or "").strip().lower()
        known = {
            said.lower()
            for said in (head, phrase, f"{self.status_code}: {phrase}", str(self.status_code), self.reason_phrase)
        }

        def shown(text: str) -> str:
            return "" if text.lower() in known else without_named(self.masked(text))

        content = self._content
        return reason_in(text_of(content[:LOOKED_AT], self.encoding), kind, shown, is_cut=len(content) >= LOOKED_AT)

    def facts(self) -> dict[str, Any]:
        """The keyword arguments for an error that is raised because of this answer."""
        return {
            "response": self,
            "request": self.request,
            "attempts": self.attempts,
            "was_sent": True,
            "retry_after": None,
        }

    def masked(self, text: str) -> str:
        """`text` without the values of this call's secrets."""
        return redact(text, self._sent.masks)

    def masked_data(self, value: Any) -> Any:
        """Parsed JSON with every text in it `masked`."""
        if isinstance(value, dict):
            return {self.masked(name): self.masked_data(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(map(self.masked_data, value))
        return self.masked(value) if isinstance(value, str) else value

    def iter_bytes(self, chunk_size: int = 65536) -> Iterator[bytes]:
        """The body in pieces of at most `chunk_size` bytes."""
        for start in range(0, len(self._content), chunk_size):
            yield self._content[start : start + chunk_size]

    def iter_lines(self) -> Iterator[str]:
        """The lines of the text, without their ends (LF, CR LF or CR)."""
        *lines, rest = END_OF_LINE.split(self.text)
        yield from lines
        if rest:
            yield rest

    def iter_json_lines(self) -> Iterator[Any]:
        """The values of a body with one JSON document per line; empty lines are skipped.

        Raises DecodeError with the number of a line that is not JSON, after the values before it.
        """
        self.check_decoded()
        for number, line in enumerate(self._content.splitlines(), 1):
            if not line.strip():
                continue
            try:
                value = self.json_line(line, number)
            except DecodeError as error:
                raise self.of_call(error) from None
            yield value

    def json_line(self, line: bytes, number: int) -> Any:
        """The JSON value of one line. Raises DecodeError with the line's number if it is not JSON."""
        try:
            return loads(line)
        except ValueError as error:
            raise self.not_json(str(error), found=line, line=number) from None

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<Response {self.status_code} {self._sent.method} {self.url}>"

    def __reduce__(self) -> tuple[Any, ...]:
        state: Mapping[str, Any] = {
            "status_code": self.status_code,
            "reason_phrase": self.masked(self.reason_phrase),
            "http_version": self.http_version,
            "headers": Headers((name, self.masked(value)) for name, value in self.headers.multi_items()),
            "content": self.masked(self._content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape"),
            "request": self.request,
        }
        rest = (self.elapsed, self.attempts, self.history, self.from_cache, self.cache_status)
        return _rebuilt, (state, rest, self.left_coded, self.called)


def _rebuilt(state: dict[str, Any], rest: tuple[Any, ...], left_coded: str, called: Any) -> Response:
    response = Response(**state)
    response.called = called
    response.left_coded = left_coded
    response.elapsed, response.attempts, response.history, response.from_cache, response.cache_status = rest
    return response


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text[:400]).split())[:200]


PHRASES = {status.value: status.phrase for status in HTTPStatus}
RENAMED = {
    "Unprocessable Entity": "Unprocessable Content",
    "Payload Too Large": "Content Too Large",
    "Request Entity Too Large": "Content Too Large",
}
"""What RFC 9110 calls statuses that older libraries, and many services, name otherwise."""
REASONS = PHRASES | {413: "Content Too Large", 422: "Unprocessable Content"}
"""Reason phrases for answers without one (HTTP/2)."""
