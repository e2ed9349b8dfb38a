"""Where the state is kept that several processes share."""

from __future__ import annotations

from dataclasses import dataclass
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
class Stores:
    """The store of the limits; None: the memory of this process."""

    limits: StoreSettings | None = None
