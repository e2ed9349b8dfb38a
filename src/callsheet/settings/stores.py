"""Where state lives that several processes share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from callsheet.secret import Secret


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """A Valkey or Redis at `url`, a `Secret` if it holds a password.

    `on_failure`, while it cannot be asked: `local` (each process keeps the limit by itself: the service may see it once per
    process) or `refuse` (no request is sent). `prefix` begins every key.
    """

    url: str | Secret
    on_failure: Literal["local", "refuse"] = "local"
    prefix: str = "callsheet"


@dataclass(frozen=True, slots=True)
class Stores:
    """What is kept where; None: in the memory of this process."""

    limits: StoreSettings | None = None
