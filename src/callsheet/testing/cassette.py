"""Records the answers of a service once and replays them in tests, in a JSON file that can be read and committed."""

from __future__ import annotations

import difflib
import inspect
import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any, Literal, get_args

from callsheet.errors import UsageError
from callsheet.http.request import Request
from callsheet.secret import MASK
from callsheet.testing.recording import AsyncRecorder, AsyncReplay, Recorder, Replay
from callsheet.testing.redaction import without
from callsheet.testing.unexpected import UnexpectedRequest

RecordMode = Literal["none", "once", "all"]
"""`none` replays only, `once` records if there is no file yet, `all` records anew."""
VERSION = 1


class Cassette:
    """A file of recorded answers that is replayed without a network: `Client(..., transport=Cassette(path))`.

    It serves Client and AsyncClient. With `record="none"` it only replays, and a request that was not recorded raises
    UnexpectedRequest; with `"once"` it records if there is no file yet; with `"all"` it records anew. Each interaction is
    replayed once, with `strict=False` any number of times.

    The file is written when the client is closed, whole or not at all, and only its owner can read it. Credentials are masked,
    by name and by value, before anything is written. Raises UsageError for a file that is missing or no cassette.
    """

    _recording = "record='{}'"
    """How a user says that it is to record; the fixture of pytest has an option for it."""

    def __init__(self, path: str | os.PathLike[str], *, record: RecordMode = "none", strict: bool = True) -> None:
        if record not in get_args(RecordMode):
            raise UsageError(f"Cassette: record is one of none, once and all, found {record!r}")
        self.path = Path(path)
        self.strict = strict
        self.records = record == "all" or (record == "once" and not self.path.exists())
        self.interactions: list[dict[str, Any]] = [] if self.records else self._read()
        self.learned: set[str] = set()
        """Credentials that were seen while recording; `save` masks them everywhere in the file."""
        self._unused = list(self.interactions)

    def __call__(self, real: Any) -> Any:
        """The transport that a client uses in place of `real`, the one it would have without this cassette."""
        is_async = inspect.iscoroutinefunction(real.send)
        if self.records:
            return AsyncRecorder(self, real) if is_async else Recorder(self, real)
        return AsyncReplay(self, real) if is_async else Replay(self, real)

    def taken(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """The interaction that was recorded for a request like `asked`. Raises UnexpectedRequest naming the nearest one."""
        for interaction in self._unused if self.strict else self.interactions:
            if _same(interaction["request"], asked):
                if self.strict:
                    self._unused.remove(interaction)
                return interaction
        raise UnexpectedRequest(f"{self.path}: {request.method} {request.url} was not recorded{self._nearest(asked)}")

    def assert_all_used(self) -> None:
        """Raise AssertionError if a recorded interaction was not replayed."""
        left = [_named(interaction["request"]) for interaction in self._unused]
        if self.strict and not self.records and left:
            raise AssertionError(f"{self.path}: recorded, and never asked for: {'; '.join(left)}")

    def save(self) -> None:
        """Write what was recorded to the file; closing the client does it. Raises UsageError if it cannot be written."""
        if not self.records:
            return
        # A request that was cancelled has no outcome that could be replayed.
        whole = [each for each in self.interactions if "answer" in each or "error" in each]
        kept = {"callsheet_cassette": VERSION, "interactions": without(whole, self.learned)}
        try:
            self._write(json.dumps(kept, indent=2, ensure_ascii=False))
        except OSError as error:
            raise UsageError(f"{self.path}: the cassette cannot be written: {error.strerror or error}") from None

    def _write(self, text: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp makes a file that only its owner can read, and renaming keeps it so.
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(text + "\n")
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _read(self) -> list[dict[str, Any]]:
        try:
            kept = json.loads(self.path.read_text("utf-8", "surrogateescape"))
            if kept["callsheet_cassette"] != VERSION:
                raise UsageError(f"{self.path}: a cassette of version {kept['callsheet_cassette']}, expected {VERSION}")
            return [_checked(each) for each in kept["interactions"]]
        except FileNotFoundError:
            raise UsageError(f"{self.path}: no such cassette; record it with {self._with('once')}") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{self.path}: not a cassette ({type(error).__name__}); record it anew with {self._with('all')}"
            ) from None

    def _with(self, mode: RecordMode) -> str:
        return self._recording.format(mode)

    def _nearest(self, asked: dict[str, Any]) -> str:
        known = {_named(each["request"]): each["request"] for each in self.interactions}
        if any(_same(request, asked) for request in known.values()):
            return f" that often; record it anew with {self._with('all')}, or take a Cassette with strict=False"
        close = difflib.get_close_matches(_named(asked), known, n=1, cutoff=0.0)
        if not close:
            return f"; nothing was: record it with {self._with('all')}"
        differing = [part for part in ("method", "url", "body") if known[close[0]].get(part) != asked.get(part)]
        return f"; the nearest is {close[0]}, which differs in {', '.join(differing)}; to record it anew: {self._with('all')}"


class FixtureCassette(Cassette):
    """The cassette of the fixture `callsheet_cassette`."""

    _recording = "`pytest --callsheet-record={}`"


def _checked(interaction: Any) -> Any:
    """The interaction, if it has the right shape. Raises KeyError, TypeError or ValueError if not."""
    request, outcome = interaction["request"], interaction.get("answer") or interaction["error"]
    if not (isinstance(request["method"], str) and isinstance(request["url"], str) and isinstance(outcome, dict)):
        raise TypeError
    if "answer" in interaction:
        int(outcome["status"]), dict(outcome["body"]), list(outcome["headers"])
    return interaction


def _same(recorded: dict[str, Any], asked: dict[str, Any]) -> bool:
    return all(_fits(recorded.get(part), asked.get(part)) for part in ("method", "url", "body"))


def _fits(recorded: Any, asked: Any) -> bool:
    """Whether both are equal, where text that was masked in the recorded one may be any text in the other."""
    if recorded == asked:
        return True
    known = json.dumps(recorded, sort_keys=True)
    if MASK not in known:
        return False
    pattern = ".*".join(map(re.escape, known.split(MASK)))
    return re.fullmatch(pattern, json.dumps(asked, sort_keys=True), re.DOTALL) is not None


def _named(request: dict[str, Any]) -> str:
    return f"{request['method']} {request['url']}"
