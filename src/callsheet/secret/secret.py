"""The secret type: a string that reaches the wire and nothing else.

A secret knows its text, or where to get it. Whatever prints, formats, logs or pickles one gets `***` or an error;
only `reveal()` gives the text, and only transports, auth and signing call it.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import Any, NoReturn
from urllib.parse import quote

from callsheet.errors import AuthError, UsageError
from callsheet.secret.sources import (
    PLAIN_FUNCTION,
    REMEMBERED,
    FunctionSource,
    MountedFile,
    SecretSource,
    problem_of_asked,
)

MASK = "***"
SHORTEST_FOUND_BY_VALUE = 6
"""Shorter secrets are masked where they stand, but not searched for in other text: `1234` is in too many answers."""
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
"""Control characters, which no header, user name or key in a URL may hold (RFC 9110 5.5, RFC 7617 2)."""


class Secret:
    """A text that is sent and never shown: printed, formatted and logged it reads `***`, and it cannot be pickled.

    `Secret("abc")` holds the text. `Secret(fetch)` calls a function without arguments for it, each time it is sent.
    `Secret("Token ", fetch)` joins several parts. Raises UsageError for a part that is neither.
    """

    __slots__ = ("_is_line", "_parts", "_shapes", "_text")

    def __init__(self, *parts: str | Secret | SecretSource | Callable[[], str]) -> None:
        flat: list[str | SecretSource] = []
        self._is_line = False
        for part in parts:
            if isinstance(part, Secret):
                flat.extend(part._parts)  # noqa: SLF001 its own class
                self._is_line = self._is_line or part._is_line  # noqa: SLF001
            else:
                flat.append(part if isinstance(part, str) else _source(part))
        self._parts: tuple[str | SecretSource, ...] = tuple(flat)
        self._text = "".join(part for part in flat if isinstance(part, str)) if self.is_constant else None
        self._shapes: tuple[str, ...] | None = None

    @property
    def is_constant(self) -> bool:
        """Whether the text can be taken once, before any call."""
        return all(isinstance(part, str) for part in self._parts)

    @property
    def is_asked(self) -> bool:
        """Whether a function of the user's gives it, which is called only for a call."""
        return any(isinstance(part, FunctionSource | Derived) and part.is_asked for part in self._parts)

    def as_line(self) -> Secret:
        """The same secret for a header: to read it raises AuthError if its file or function gives a control character."""
        line = Secret(self)
        line._is_line = True
        return line

    def reveal(self) -> str:
        """The text itself, for the code that sends it and nothing else. Raises AuthError if its function or file gives none."""
        if self._text is not None:
            return self._text
        return "".join(self.reveal_parts())

    def reveal_parts(self) -> list[str]:
        """What the text is made of. Raises AuthError."""
        parts = [part if isinstance(part, str) else part.read() for part in self._parts]
        for part, text in zip(self._parts, parts, strict=True) if self._is_line else ():
            if not isinstance(part, str) and CONTROL.search(text):
                raise AuthError(f"the secret that {part.name} holds has a control character in it; nothing was sent")
        return parts

    def known_parts(self) -> list[list[str]]:
        """The parts of its recent texts, without reading a file or calling a function: to mask them in other text."""
        if self._text is not None:
            return [list(map(str, self._parts))]
        fixed = [part for part in self._parts if isinstance(part, str)]
        return [fixed, *([text] for part in self._parts if not isinstance(part, str) for text in part.known())]

    def shapes(self) -> tuple[str, ...]:
        """How other text may spell it: whole and in parts, as it is, in a URL and in JSON; the longest first."""
        if self._shapes is not None:
            return self._shapes
        found = {shape for shape in _shapes(self.known_parts()) if len(shape) >= SHORTEST_FOUND_BY_VALUE}
        shapes = tuple(sorted(found, key=len, reverse=True))
        if self._text is not None:
            self._shapes = shapes
        return shapes

    def now(self) -> Secret:
        """A secret that keeps the text which this one has now. Raises AuthError."""
        return self if self._text is not None else Secret(*self.reveal_parts())

    def fingerprint(self) -> str:
        """A hash that tells secrets apart without showing them; of a function's secret, it is of the function."""
        parts = [part if isinstance(part, str) else part.identity for part in self._parts]
        return sha256("".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]

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

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> Secret:
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret has no state to show")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled: send the sheet's path, and let the receiver read its own secrets")


class Derived:
    """A secret that is made of others: user name and password of Basic, a proxy's URL."""

    __slots__ = ("_given", "_made", "_of", "name")

    def __init__(self, made: Callable[..., str], *of: Secret) -> None:
        self._made = made
        self._of = of
        self._given: deque[str] = deque(maxlen=REMEMBERED)
        self.name = "several secrets together"

    def read(self) -> str:
        """Its text now. Raises AuthError if one of the others cannot be read."""
        text = self._made(*(secret.reveal() for secret in self._of))
        if text not in self._given:
            self._given.append(text)
        return text

    def known(self) -> tuple[str, ...]:
        """Its recent texts."""
        return tuple(self._given)

    @property
    def is_asked(self) -> bool:
        """Whether a function of the user's is asked for a part of it."""
        return any(secret.is_asked for secret in self._of)

    @property
    def identity(self) -> str:
        """The fingerprints of the secrets that it is made of."""
        return " ".join(secret.fingerprint() for secret in self._of)


def redact(text: str, secrets: Iterable[Secret]) -> str:
    """`text` with the value of every secret of six characters and more replaced by `***`, as a URL or JSON has it, too."""
    found = {shape for secret in secrets for shape in secret.shapes() if shape in text}
    for shape in sorted(found, key=len, reverse=True):
        text = text.replace(shape, MASK)
    return text


def _source(part: Any) -> SecretSource:
    if isinstance(part, MountedFile | FunctionSource | Derived):
        return part
    bound = getattr(part, "__self__", None)
    if isinstance(bound, MountedFile):
        return bound
    problem = problem_of_asked(part) if callable(part) else f"{type(part).__name__}, which is no text"
    if problem:
        raise UsageError(f"Secret: {problem}; {PLAIN_FUNCTION}")
    return FunctionSource(part)


def _shapes(known: Iterable[list[str]]) -> Iterator[str]:
    """A secret whole and each of its parts: `Bearer abc` may be answered as `abc`."""
    for parts in known:
        whole = "".join(parts)
        words = [word for word in whole.split() if len(parts) == 1 or word not in PUBLIC_WORDS]
        for shape in (whole, *words, *(part.strip() for part in parts if part.strip() not in PUBLIC_WORDS)):
            yield from _spellings(shape)


def _spellings(text: str) -> Iterator[str]:
    """As it is, percent-encoded once and twice (in a URL within a URL), and as JSON and `repr` escape it."""
    yield text
    if text.isalnum() and text.isascii():
        return
    quoted = quote(text, safe="", errors="replace")
    for once in (quoted, quoted.replace("%20", "+"), quote(text, errors="replace")):
        for coded in (once, quote(once, safe=""), quote(once)):
            yield from (coded, re.sub("%(?:25)*[0-9A-F]{2}", lambda found: found[0].lower(), coded))
    yield from (json.dumps(text)[1:-1], json.dumps(text)[1:-1].replace("/", "\\/"))
    yield from (json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1])


PUBLIC_WORDS = frozenset({"Bearer", "Basic", "Token", "Digest", "ApiKey"})

__all__ = ["CONTROL", "MASK", "SHORTEST_FOUND_BY_VALUE", "Derived", "MountedFile", "Secret", "redact"]
