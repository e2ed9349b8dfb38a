"""Where the text of a secret comes from if it may change between two calls: a mounted file, or a function."""

from __future__ import annotations

import inspect
import logging
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from callsheet.errors import AuthError
from callsheet.process.regular_file import small_file

EMPTY = "it is empty"
PLAIN_FUNCTION = "give a plain function of no arguments that returns a text"
BETWEEN_LOOKS = 1.0
"""Seconds for which a mounted file is not looked at again."""
REMEMBERED = 8
"""How many recent texts of a function are kept, to be masked wherever they come back."""

log = logging.getLogger("callsheet")


class SecretSource(Protocol):
    """Where the text of a secret comes from, anew each time."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def read(self) -> str:
        """The text now. Raises AuthError if it cannot be read."""

    def known(self) -> Iterable[str]:
        """Its recent texts, without reading it again."""

    @property
    def identity(self) -> str:
        """What tells it apart from other sources."""


class MountedFile:
    """A secret in a file, as container platforms mount it; read again when the file changes.

    The file is looked at once a second of `clock` at most. Line breaks at its end are not part of the secret: editors and
    `echo` write them. While it is missing, empty, no text or just being written, the last good text serves.
    """

    __slots__ = ("_before", "_clock", "_complained", "_looked", "_stamp", "_text", "path")

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self._clock = clock
        self._looked = -1.0
        self._stamp: tuple[int, ...] | None = None
        self._text = ""
        self._before = ""
        self._complained = ""

    @property
    def name(self) -> str:
        """The file, as messages name it."""
        return f"the file `{self.path}`"

    @property
    def identity(self) -> str:
        """Its text: two files of one text are one credential."""
        return self.read()

    def read(self) -> str:
        """The file's text now. Raises AuthError if it cannot be read and never could."""
        now = self._clock()
        if self._stamp is None or not 0 <= now - self._looked < BETWEEN_LOOKS:
            problem = self._look(now)
            if self._stamp is None:
                raise AuthError(f"{self.name} cannot be used: {problem}", stopped_by="auth")
        return self._text

    def problem(self) -> str:
        """Look at the file now; what is wrong with it, else ""."""
        return self._look(self._clock())

    def known(self) -> tuple[str, ...]:
        """The text, and the one before it."""
        return tuple(text for text in (self._text, self._before) if text)

    def _look(self, now: float) -> str:
        try:
            problem = self._changed()
        except OSError as error:
            problem = error.strerror or "it cannot be read"
        except ValueError:
            problem = "not UTF-8 text"
        if problem and problem != self._complained and self._stamp is not None:
            log.warning("%s: %s; the secret that it held before stays in use", self.path, problem)
        self._complained = problem
        self._looked = now
        return problem

    def _changed(self) -> str:
        """Take the text if the file has changed; what is wrong with it, else ""."""
        stamp = _stamp(self.path)
        if stamp == self._stamp:
            return ""
        text = small_file(self.path).decode("utf-8").rstrip("\r\n")
        if not text:
            return EMPTY
        if _stamp(self.path) != stamp and self._stamp is not None:
            return ""  # being written: the next look sees the rest
        self._before, self._text, self._stamp = self._text, text, stamp
        return ""

    def __repr__(self) -> str:
        return f"MountedFile({str(self.path)!r})"


class FunctionSource:
    """A secret that a function gives, asked anew each time it is sent, in the thread or on the loop of the call.

    A line break at its end is cut off, with a warning in the log, once. The function's own exception is not
    passed on: its text, or that of its cause, may hold the secret.
    """

    __slots__ = ("_ask", "_given", "_has_warned", "identity", "name")
    is_asked = True

    def __init__(self, ask: Callable[[], str]) -> None:
        self._ask = ask
        self._given: deque[str] = deque(maxlen=REMEMBERED)
        self._has_warned = False
        self.name = f"`{named(ask)}`"
        # Two functions of one name may give the tokens of two users.
        self.identity = uuid.uuid4().hex

    def read(self) -> str:
        """What it gives now. Raises AuthError if it raises, or gives no text."""
        text, wrong = self._asked()
        if wrong:
            raise AuthError(f"the secret could not be had: {self.name} {wrong}", stopped_by="auth")
        return text

    def _asked(self) -> tuple[str, str]:
        """The text, or what is wrong. Raises nothing: the function's exception would become the context of ours."""
        try:
            given: Any = self._ask()
        except Exception as error:  # noqa: BLE001 whatever it raises, the caller gets an AuthError
            return "", f"raised {type(error).__name__}{_where(error)}"
        if not isinstance(given, str):
            return "", f"gave {type(given).__name__}, and text was expected"
        text = given.rstrip("\r\n")
        if text != given and not self._has_warned:
            self._has_warned = True
            log.warning("%s gave a secret that ends in a line break, which was cut off", self.name)
        if not text:
            return "", "gave an empty text"
        if text not in self._given:
            self._given.append(text)
        return text, ""

    def known(self) -> tuple[str, ...]:
        """Its recent texts."""
        return tuple(self._given)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FunctionSource) and self._ask == other._ask

    def __hash__(self) -> int:
        return hash(self._ask)

    def __repr__(self) -> str:
        return f"FunctionSource({self.name})"


def problem_of_asked(ask: Any) -> str:
    """Why a function cannot be asked for a secret; "" if it can."""
    call = ask if inspect.isroutine(ask) else getattr(ask, "__call__", ask)  # noqa: B004 the method itself is looked at
    if inspect.iscoroutinefunction(ask) or inspect.iscoroutinefunction(call):
        return "an async function, and secrets are asked for where nothing can be awaited"
    if inspect.isgeneratorfunction(ask) or inspect.isasyncgenfunction(ask):
        return "a generator, and a secret is one text"
    try:
        inspect.signature(ask).bind()
    except TypeError:
        return "a function that needs arguments"
    except ValueError:
        return ""
    return ""


def named(function: Any) -> str:
    """A function's name for a message."""
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return f"{getattr(function, '__module__', None) or ''}.{name}".lstrip(".")


def _stamp(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)


def _where(error: BaseException) -> str:
    """The file and line of the user's code that raised it, without its text."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return f" ({Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno})" if at is not None else ""
