"""Which requests a script is for, and what it does with each: the answers and faults in order."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from callsheet.errors import (
    APIError,
    AttemptTimeout,
    ConnectTimeout,
    MalformedAnswer,
    NoAnswer,
    NotSent,
    UsageError,
)
from callsheet.http.headers import Headers
from callsheet.http.request import Request

PARAMETER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_-]*\}")


@dataclass(frozen=True)
class Sent:
    """A request that was sent: `method`, `url`, `path`, `query` (pairs), `headers`, `content`. Secrets stand there as sent."""

    method: str
    url: str
    headers: Headers
    content: bytes

    @property
    def path(self) -> str:
        """The path, percent-encoded as it was sent."""
        return urlsplit(self.url).path

    @property
    def query(self) -> list[tuple[str, str]]:
        """Names and values of the query."""
        return parse_qsl(urlsplit(self.url).query, keep_blank_values=True)

    def json(self) -> Any:
        """The body as parsed JSON."""
        return json.loads(self.content)


@dataclass(frozen=True)
class Reply:
    """What is answered: it takes `delay` seconds, and breaks off after `cut` bytes of its body where that is set."""

    status: int = 200
    content: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    cut: int | None = None


@dataclass(frozen=True)
class Fault:
    """What happens instead of an answer: this error, after `delay` seconds, or once the limit of that name is reached."""

    kind: type[APIError]
    message: str
    delay: float = 0.0
    until: str | None = None
    is_kept: bool = False


Step = Reply | Fault | Callable[[Sent], Any]


class Route:
    """Scripted answers for the requests of one method and path. They are given in turn; the last one is given again."""

    def __init__(self, method: str, pattern: str) -> None:
        self.method = method.upper()
        self.pattern = pattern
        self.calls: list[Sent] = []
        path, _, query = pattern.partition("?")
        self._is_absolute = "://" in path
        self._regex = re.compile("".join(_regex_of(path)))
        self._query = set(parse_qsl(query, keep_blank_values=True))
        self._steps: list[Step] = []
        self._given = 0

    def respond(
        self,
        status: int = 200,
        *,
        json: Any = None,
        text: str | None = None,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
    ) -> Self:
        """Answer so, after `delay` seconds of the clock. Give `json`, `text` or `content`."""
        return self._then(_reply(status, json, text=text, content=content, headers=headers, delay=delay))

    def truncate(self, content: bytes = b"half of it", *, status: int = 200, after: int | None = None) -> Self:
        """Answer with a body that breaks off after so many bytes; half of it unless told otherwise."""
        return self._then(Reply(status, content, cut=len(content) // 2 if after is None else after))

    def drop(self, *, delay: float = 0.0, on_kept_connection: bool = False) -> Self:
        """Take the request and lose the connection: it may have been processed, and no answer comes (NoAnswer)."""
        return self._then(Fault(NoAnswer, "no answer: the connection closed", delay, is_kept=on_kept_connection))

    def refuse(self) -> Self:
        """Refuse the connection: nothing was sent (NotSent)."""
        return self._then(Fault(NotSent, "connection refused"))

    def hang(self) -> Self:
        """Never answer: the attempt ends at its limit (AttemptTimeout)."""
        return self._then(Fault(AttemptTimeout, "not done in time (timeout.attempt)", until="attempt"))

    def connect_timeout(self) -> Self:
        """Make no connection within its limit: nothing was sent (ConnectTimeout)."""
        return self._then(Fault(ConnectTimeout, "not done in time (timeout.connect)", until="connect"))

    def malformed(self) -> Self:
        """Answer with what is not HTTP (MalformedAnswer)."""
        return self._then(Fault(MalformedAnswer, "malformed header"))

    def call(self, function: Callable[[Sent], Any]) -> Self:
        """Answer with what a function of the request gives: a status, a `(status, json)` pair, JSON, or an error to raise."""
        return self._then(function)

    def _then(self, step: Step) -> Self:
        self._steps.append(step)
        return self

    def matches(self, request: Request, *, whole: bool) -> bool:
        """Whether it is for this request; `whole`: its path is all of the path, not only the end of it."""
        if request.method != self.method:
            return False
        parts = urlsplit(request.wire_url)
        if not self._query <= set(parse_qsl(parts.query, keep_blank_values=True)):
            return False
        if self._is_absolute:
            return self._regex.fullmatch(f"{parts.scheme}://{parts.netloc}{parts.path}") is not None
        if whole:
            return self._regex.fullmatch(parts.path) is not None
        return re.search(f"{self._regex.pattern}\\Z", parts.path) is not None

    def next_step(self, sent: Sent) -> Reply | Fault:
        """What happens with this request. Raises UsageError where nothing was scripted."""
        self.calls.append(sent)
        if not self._steps:
            raise UsageError(f"{self}: nothing is scripted; add .respond(200, json=...), .drop() ...")
        step = self._steps[min(self._given, len(self._steps) - 1)]
        self._given += 1
        return _given_by(step(sent)) if callable(step) else step

    @property
    def unused(self) -> int:
        """Steps that no request came for."""
        return max(0, len(self._steps) - self._given)

    def __repr__(self) -> str:
        return f"{self.method} {self.pattern}"


def _regex_of(path: str) -> list[str]:
    pieces = [re.escape(piece) for piece in PARAMETER.split(path)]
    return ["[^/]+".join(pieces)]


def _reply(
    status: int,
    value: Any,
    *,
    text: str | None = None,
    content: bytes = b"",
    headers: Mapping[str, str] | None = None,
    delay: float = 0.0,
) -> Reply:
    fields = list((headers or {}).items())
    kind = None
    if value is not None:
        content, kind = json.dumps(value).encode(), "application/json"
    elif text is not None:
        content, kind = text.encode(), "text/plain; charset=utf-8"
    if kind and not any(name.lower() == "content-type" for name, _ in fields):
        fields.append(("Content-Type", kind))
    return Reply(status, content, tuple(fields), delay)


def _given_by(value: Any) -> Reply | Fault:
    if isinstance(value, Reply | Fault):
        return value
    if isinstance(value, APIError):
        return Fault(type(value), str(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return Reply(value)
    if isinstance(value, tuple):
        return _reply(value[0], value[1])
    return _reply(200, value)
