"""The script for a method and a path: which requests it is for, and its answers and faults in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from callsheet.errors import AttemptTimeout, ConnectTimeout, MalformedAnswer, NoAnswer, NotSent, UsageError
from callsheet.process.forked import new_lock
from callsheet.testing.answers import Chunk, Fault, Reply, reply_of
from callsheet.testing.sent import Sent
from callsheet.unset import UNSET

PARAMETER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_-]*\}")
ScriptStep = Reply | Fault | Callable[[Sent], Any]


class Route:
    """The script for a method and a path: each request gets the next answer, and all after the last get the last again."""

    def __init__(self, method: str, pattern: str) -> None:
        self.method = method.upper()
        self.pattern = pattern
        self.calls: list[Sent] = []
        """The requests that it answered, in order."""
        path, _, query = pattern.partition("?")
        self._is_absolute = "://" in path
        self._regex = re.compile("[^/]+".join(map(re.escape, PARAMETER.split(path))))
        self._query = set(parse_qsl(query, keep_blank_values=True))
        self._steps: list[ScriptStep] = []
        self._given = 0
        self._ends = False
        self._lock = new_lock()

    def respond(
        self,
        status: int = 200,
        *,
        json: Any = UNSET,
        text: str | None = None,
        content: bytes | None = None,
        chunks: Sequence[Chunk] | None = None,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        delay: float = 0.0,
    ) -> Self:
        """Answer with this status and body, after `delay` seconds of the clock. Give one of `json`, `text`, `content`, `chunks`.

        `chunks` are the pieces of a streamed body (bytes or text), with numbers among them for the seconds until the next piece.
        Raises UsageError for two bodies, or a status that is none.
        """
        reply = reply_of(status, json=json, text=text, content=content, chunks=chunks, headers=headers, delay=delay)
        return self._then(reply)

    def truncate(self, content: bytes = b"half of it", *, status: int = 200, after: int | None = None) -> Self:
        """Answer with a body that breaks off (MalformedAnswer): after `after` bytes, or in its middle."""
        return self._then(Reply(status, content, cut=len(content) // 2 if after is None else after))

    def drop(self, *, delay: float = 0.0, on_kept_connection: bool = False) -> Self:
        """Take the request and lose the connection before any answer (NoAnswer): it may have been processed.

        `on_kept_connection`: as if the connection had served an earlier request.
        """
        return self._then(Fault(NoAnswer, "no answer: the connection closed", delay, is_kept=on_kept_connection))

    def refuse(self) -> Self:
        """Refuse the connection: nothing was sent (NotSent)."""
        return self._then(Fault(NotSent, "connection refused"))

    def hang(self) -> Self:
        """Never answer: the attempt ends after `timeout.attempt` (AttemptTimeout)."""
        return self._then(Fault(AttemptTimeout, "", until="attempt"))

    def connect_timeout(self) -> Self:
        """Make no connection within `timeout.connect`: nothing was sent (ConnectTimeout)."""
        return self._then(Fault(ConnectTimeout, "no connection was made in time (timeout.connect)", until="connect"))

    def malformed(self) -> Self:
        """Answer with what is not HTTP (MalformedAnswer)."""
        return self._then(Fault(MalformedAnswer, "malformed header"))

    def call(self, function: Callable[[Sent], Any]) -> Self:
        """Call a function with the request (`Sent`), and answer with what it returns.

        That is a status, `(status, json)`, bytes, a Reply, any other value as JSON, or an exception, which is raised. For an
        AsyncClient it may be a coroutine function.
        """
        return self._then(function)

    def nothing_more(self) -> Self:
        """Do not give the last answer again: one request more raises UnexpectedRequest."""
        self._ends = True
        return self

    def _then(self, step: ScriptStep) -> Self:
        self._steps.append(step)
        return self

    def matches(self, sent: Sent, *, whole: bool) -> bool:
        """Whether the script is for this request: by its whole path, or with `whole=False` by the end of its path."""
        parts = urlsplit(sent.url)
        if sent.method.upper() != self.method or not self._query <= set(parse_qsl(parts.query, keep_blank_values=True)):
            return False
        if self._is_absolute:
            return self._regex.fullmatch(f"{parts.scheme}://{parts.netloc}{parts.path}") is not None
        if whole:
            return self._regex.fullmatch(parts.path) is not None
        return re.search(f"{self._regex.pattern}\\Z", parts.path) is not None

    def next_step(self, sent: Sent) -> ScriptStep | None:
        """The step for this request; None after the last one and `nothing_more()`. Raises UsageError if there are no steps."""
        with self._lock:
            if not self._steps:
                raise UsageError(f"{self}: nothing is scripted; add .respond(200, json=...), .drop() ...")
            if self._ends and not self.unused:
                return None
            self.calls.append(sent)
            step = self._steps[min(self._given, len(self._steps) - 1)]
            self._given += 1
            return step

    @property
    def unused(self) -> int:
        """How many steps no request has asked for."""
        return max(0, len(self._steps) - self._given)

    def __repr__(self) -> str:
        return f"{self.method} {self.pattern}"
