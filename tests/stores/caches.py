"""The stores of answers, each in both colours, and entries to keep in them."""

import time
import uuid
from pathlib import Path

from callsheet.stores.base import AtOnce, Entry
from callsheet.stores.memory import MOST, MemoryStore
from callsheet.stores.sqlite import AsyncSqliteStore, SqliteStore
from callsheet.stores.valkey_cache import AsyncValkeyCache, ValkeyCache
from tests.loops import new_runner

KINDS = ("memory", "sqlite", "valkey")
PATIENCE = 10.0


def entry(key="k1", body=b"x", **given):
    """An entry that is kept for a minute."""
    now = given.pop("now", time.time())
    values = {
        "service": "shop",
        "operation": "get",
        "method": "GET",
        "url": "https://shop.example/x",
        "vary": (),
        "status": 200,
        "reason": "OK",
        "fields": (("content-type", "text/plain"), ("x-odd", "caf\udce9 \u00e9")),
        "asked": now - 0.5,
        "answered": now,
        "mode": "http",
        "fresh_until": now + 5.0,
        "keep_until": now + 60.0,
        "tags": (),
    }
    return Entry(key=key, body=body, **{**values, **given})


class Opened:
    """A store that tests ask in its own colour; `again` opens what another process would."""

    def __init__(self, kind, place, loop=None, **options):
        self.kind, self.place, self.loop, self.options = kind, place, loop, options
        self.runner = None if loop is None else new_runner(loop)
        self.store = self._new()

    def _new(self):
        is_blocking = self.runner is None
        if self.kind == "memory":
            store = MemoryStore(**self.options)
            return store if is_blocking else AtOnce(store)
        if self.kind == "sqlite":
            return (SqliteStore if is_blocking else AsyncSqliteStore)(self.place, **self.options)
        url, prefix = self.place
        options = {name: value for name, value in self.options.items() if name != "max_bytes"}
        return (ValkeyCache if is_blocking else AsyncValkeyCache)(url, prefix, **options)

    def again(self):
        """A further store over the same place."""
        return Opened(self.kind, self.place, self.loop, **self.options)

    def ask(self, question, seconds=PATIENCE):
        """The answer to a question."""
        if self.runner is None:
            return self.store.ask(question, seconds)
        return self.runner.run(self.store.ask(question, seconds))

    def close(self):
        """Close the store and its loop."""
        if self.runner is None:
            self.store.close()
            return
        self.runner.run(self.store.aclose())
        self.runner.close()


def new_place(kind, folder: Path, url: str):
    """A place that nothing is kept at."""
    if kind == "sqlite":
        return folder / f"{uuid.uuid4().hex}.db"
    return url, f"test-{uuid.uuid4().hex[:8]}"


__all__ = ["KINDS", "MOST", "PATIENCE", "Opened", "entry", "new_place"]
