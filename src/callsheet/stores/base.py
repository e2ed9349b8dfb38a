"""The port of a store: typed questions, which it answers within a time, in either colour.

What is kept for the cache are entries, as plain data. Several may have one key: the variants of an answer, which differ in
`vary`. A store may lose any of them at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

Answer = TypeVar("Answer")

MOST_VARIANTS = 16
"""Entries that a key may have: a field that differs at every call would add one each time, and each look-up reads all."""
WEIGHT = 512
"""Bytes that an entry is counted with beside its body and its texts."""
KEY_LENGTH = 32
"""Bytes of the random key of a store."""


class StoreUnavailableError(Exception):
    """The store could not be asked. The message contains no password.

    `is_resting`: it was not tried, because it failed less than a second ago.
    """

    def __init__(self, message: str, *, is_resting: bool = False) -> None:
        super().__init__(message)
        self.is_resting = is_resting


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored answer, without any secret and without `Set-Cookie`. Times are Unix timestamps.

    `key` is what a look-up asks for; `vary` has the names and HMACs of the request's fields that the answer varies on; by
    `tags` entries are dropped together. `url` is shown to people, with its secrets masked. `asked` and `answered` are when the
    request was sent and when its answer came. It is fresh until `fresh_until`; after `keep_until` no store gives it.
    """

    key: str
    service: str
    operation: str
    method: str
    url: str
    vary: tuple[tuple[str, str], ...]
    status: int
    reason: str
    fields: tuple[tuple[str, str], ...]
    body: bytes
    asked: float
    answered: float
    mode: Literal["http", "ttl"]
    fresh_until: float
    keep_until: float
    tags: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that count towards a store's bound."""
        texts = sum(len(name) + len(value) for name, value in self.fields)
        return WEIGHT + len(self.body) + len(self.url) + texts


class Question(Generic[Answer]):
    """What a store is asked; the type parameter is the type of the answer."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Find(Question[tuple[Entry, ...]]):
    """Asks for every variant under a key, the oldest first."""

    key: str


@dataclass(frozen=True, slots=True)
class Keep(Question[None]):
    """Has an entry kept, in place of the one with the same key and `vary`."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Drop(Question[int]):
    """Has every entry with this key, or with this tag, dropped. Answers how many."""

    key: str | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Clear(Question[int]):
    """Has the entries of a service, or of one of its operations, dropped; without a service, all. Answers how many."""

    service: str | None = None
    operation: str | None = None

    def means(self, service: str, operation: str) -> bool:
        """Whether an entry of this service and operation is to be dropped."""
        return self.service in (None, service) and self.operation in (None, operation)


class Holdings(NamedTuple):
    """The answer to Info: how many entries a store keeps, with how many bytes, and how many bytes it may keep.

    `place` says where, without a password. `most` is None for a store that is bounded by its server.
    """

    place: str
    entries: int
    size: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Info(Question[Holdings]):
    """Asks how much is kept."""


class Shown(NamedTuple):
    """An entry without its body, and the bytes that it counts with."""

    entry: Entry
    size: int


@dataclass(frozen=True, slots=True)
class Show(Question[tuple[Shown, ...]]):
    """Asks for at most `limit` entries without their bodies, the newest first."""

    limit: int = 100


@dataclass(frozen=True, slots=True)
class HashKey(Question[bytes]):
    """Asks for the random key of the store, for HMACs. It is made at the first use, and all processes get the same."""


class Store(Protocol):
    """A store for threads."""

    def ask(self, question: Any, seconds: float) -> Any:
        """The answer, within `seconds`. Raises StoreUnavailableError."""

    def close(self) -> None:
        """Let go of every file, connection and thread."""


class AsyncStore(Protocol):
    """A store for tasks, which bounds by itself how long a question takes."""

    async def ask(self, question: Any, seconds: float) -> Any:
        """The answer, within `seconds`. Raises StoreUnavailableError, or TimeoutError."""

    async def aclose(self) -> None:
        """Let go of every file, connection and thread."""


class AtOnce:
    """For tasks: a store that never waits."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ask: Callable[[Any, float], Any] = store.ask

    async def ask(self, question: Question[Answer], seconds: float) -> Answer:
        """The answer, at once."""
        return self._ask(question, seconds)  # type: ignore[no-any-return]

    async def aclose(self) -> None:
        """Let go of what the store holds."""
        self._store.close()
