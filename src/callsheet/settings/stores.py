"""Where the state is kept that several processes share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from callsheet.secret import Secret


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """A Valkey or Redis at `url`, a `Secret` if it holds a password.

    `on_failure` says what happens while it cannot be asked: `local` (each process keeps the limit by itself, so that the
    service may see it once per process) or `refuse` (no request is sent). Every key in the store begins with `prefix`.
    """

    url: str | Secret
    on_failure: Literal["local", "refuse"] = "local"
    prefix: str = "callsheet"


@dataclass(frozen=True, slots=True)
class CacheStoreSettings:
    """Where answers are kept: `memory`, the path of a SQLite file, or the URL of a Valkey or Redis, a `Secret` if it holds a password.

    `max_bytes` bounds them in memory and in a file (64 MiB: thousands of answers, and little beside the rest of a process); a
    Valkey or Redis is bounded by its own `maxmemory`. Every key there begins with `prefix`.
    """

    place: str | Secret | Path = "memory"
    max_bytes: int = 64 * 1024 * 1024
    prefix: str = "callsheet"

    @property
    def is_server(self) -> bool:
        """Whether a Valkey or Redis keeps them."""
        return not isinstance(self.place, Path) and self.place != "memory"


@dataclass(frozen=True, slots=True)
class Stores:
    """The store of the limits, None: the memory of this process; and the store of the cache."""

    limits: StoreSettings | None = None
    cache: CacheStoreSettings = CacheStoreSettings()
