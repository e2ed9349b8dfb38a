"""The secret type: a string that reaches the wire and nothing else.

A secret knows its text, or where to read it. Whatever prints, formats, logs or pickles one gets `***` or an error;
only `reveal()` gives the text, and only transports, auth and signing call it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

MASK = "***"
SHORTEST_FOUND_BY_VALUE = 6
"""Shorter secrets are masked where they stand, but not searched for in other text: `1234` is in too many answers."""


class Secret:
    """A text that is never shown.

    `Secret("abc")` holds a text; `Secret("Bearer ", MountedFile(path).read)` is made of parts, the callables among
    them read anew each time.
    """

    __slots__ = ("_parts", "_text")

    def __init__(self, *parts: str | Secret | Callable[[], str]) -> None:
        flat: list[str | Callable[[], str]] = []
        for part in parts:
            flat.extend(part._parts if isinstance(part, Secret) else (part,))  # noqa: SLF001 its own class
        self._parts: tuple[str | Callable[[], str], ...] = tuple(flat)
        self._text = "".join(part for part in flat if isinstance(part, str)) if self.is_constant else None

    @property
    def is_constant(self) -> bool:
        """Whether the text can be taken once, before any call."""
        return all(isinstance(part, str) for part in self._parts)

    def reveal(self) -> str:
        """The text itself. For the wire only."""
        if self._text is not None:
            return self._text
        return "".join(self.reveal_parts())

    def reveal_parts(self) -> list[str]:
        """What the text is made of. To search for it where it must not be."""
        return [part if isinstance(part, str) else part() for part in self._parts]

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._parts == other._parts

    def __hash__(self) -> int:
        return hash(self._parts)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled: send the sheet's path, and let the receiver read its own secrets")


class MountedFile:
    """A secret in a file, as container platforms mount it; read again when the file changes.

    The file is looked at once a second at most. A trailing line break is not part of the secret.
    """

    __slots__ = ("_looked", "_stamp", "_text", "path")

    def __init__(self, path: Path) -> None:
        self.path = path
        self._looked = -1.0
        self._stamp: tuple[int, int, int] | None = None
        self._text = ""

    def read(self) -> str:
        """The file's text now. Raises OSError if it cannot be read and never could."""
        now = time.monotonic()
        if self._stamp is None or now - self._looked >= 1.0:
            self._look(now)
        return self._text

    def _look(self, now: float) -> None:
        try:
            found = self.path.stat()
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if stamp != self._stamp:
                self._text = self.path.read_text("utf-8").rstrip("\r\n")
                self._stamp = stamp
        except OSError:
            if self._stamp is None:
                raise
        self._looked = now


def redact(text: str, secrets: Iterable[Secret]) -> str:
    """`text` with the value of every secret of six characters and more replaced by `***`, percent-encoded too."""
    values = {value for secret in secrets for value in _shapes(secret) if len(value) >= SHORTEST_FOUND_BY_VALUE}
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, MASK)
    return text


def _shapes(secret: Secret) -> list[str]:
    """The secret whole and each of its parts, as they are and in a URL: `Bearer abc` may be answered as `abc`."""
    try:
        parts = secret.reveal_parts()
    except OSError:
        return []
    words = [word for word in ("".join(parts)).split() if len(parts) == 1 or word not in PUBLIC_WORDS]
    shapes = ["".join(parts), *words, *(part.strip() for part in parts if part.strip() not in PUBLIC_WORDS)]
    return [*shapes, *(quote(shape, safe="", errors="replace") for shape in shapes)]


PUBLIC_WORDS = frozenset({"Bearer", "Basic", "Token", "Digest", "ApiKey"})
