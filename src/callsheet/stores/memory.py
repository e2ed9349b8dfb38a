"""Answers kept in the memory of one client: the least recently used go first."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice
from typing import Any

from callsheet.process.forked import forget_after_fork, new_lock
from callsheet.stores.base import (
    KEY_LENGTH,
    MOST_VARIANTS,
    Answer,
    Clear,
    Drop,
    Entry,
    Find,
    HashKey,
    Holdings,
    Info,
    Keep,
    Question,
    Show,
    Shown,
)

MOST = 64 * 1024 * 1024
"""Bytes: thousands of answers of an API, and little beside the rest of a Python process."""
Vary = tuple[tuple[str, str], ...]


class MemoryStore:
    """Keeps entries of at most `max_bytes` together; `wall` gives the time of day. For threads; for tasks within AtOnce."""

    def __init__(self, max_bytes: int = MOST, *, wall: Callable[[], float] = time.time) -> None:
        self._most = max_bytes
        self._wall = wall
        self._hash_key = secrets.token_bytes(KEY_LENGTH)
        self._lock = new_lock()
        self._answers: dict[type[Question[Any]], Callable[[Any], Any]] = {
            Find: self._find,
            Keep: self._keep,
            Drop: self._drop,
            Clear: self._clear,
            Info: self._info,
            Show: self._show,
            HashKey: lambda _: self._hash_key,
        }
        self.forget()
        forget_after_fork(self)

    def forget(self) -> None:
        """Begin anew in a forked child: another thread may have been half through a change."""
        self._kept: OrderedDict[str, dict[Vary, Entry]] = OrderedDict()
        self._tagged: dict[str, set[str]] = {}
        self._size = 0

    def ask(self, question: Question[Answer], seconds: float) -> Answer:
        """The answer, at once."""
        with self._lock:
            return self._answers[type(question)](question)  # type: ignore[no-any-return]

    def close(self) -> None:
        """Nothing is held but memory."""

    def _find(self, question: Find) -> tuple[Entry, ...]:
        variants = self._kept.get(question.key)
        if variants is None:
            return ()
        self._kept.move_to_end(question.key)
        now = self._wall()
        return tuple(entry for entry in variants.values() if entry.keep_until > now)

    def _keep(self, question: Keep) -> None:
        entry = question.entry
        variants = self._kept.get(entry.key, {})
        if entry.vary in variants:
            self._take(variants[entry.vary])
        elif len(variants) == MOST_VARIANTS:
            self._take(next(iter(variants.values())))
        if entry.size > self._most:
            return
        self._kept.setdefault(entry.key, {})[entry.vary] = entry
        self._kept.move_to_end(entry.key)
        self._size += entry.size
        for tag in entry.tags:
            self._tagged.setdefault(tag, set()).add(entry.key)
        while self._size > self._most:
            self._take(next(iter(next(iter(self._kept.values())).values())))

    def _take(self, entry: Entry) -> None:
        variants = self._kept[entry.key]
        del variants[entry.vary]
        self._size -= entry.size
        for tag in entry.tags:
            if not any(tag in each.tags for each in variants.values()):
                keys = self._tagged[tag]
                keys.discard(entry.key)
                if not keys:
                    del self._tagged[tag]
        if not variants:
            del self._kept[entry.key]

    def _take_all(self, entries: Iterable[Entry]) -> int:
        found = list(entries)
        for entry in found:
            self._take(entry)
        return len(found)

    def _drop(self, question: Drop) -> int:
        key, tag = question.key, question.tag
        keys = {*self._tagged.get(tag or "", ()), *([key] if key in self._kept else ())}
        under = (entry for each in keys for entry in self._kept[each].values())
        return self._take_all(entry for entry in under if entry.key == key or tag in entry.tags)

    def _clear(self, question: Clear) -> int:
        return self._take_all(entry for entry in self._entries() if question.means(entry.service, entry.operation))

    def _info(self, _: Info) -> Holdings:
        return Holdings("memory", sum(map(len, self._kept.values())), self._size, self._most)

    def _show(self, question: Show) -> tuple[Shown, ...]:
        newest = sorted(self._entries(), key=lambda entry: entry.answered, reverse=True)
        return tuple(Shown(replace(entry, body=b""), entry.size) for entry in islice(newest, question.limit))

    def _entries(self) -> list[Entry]:
        return [entry for variants in self._kept.values() for entry in variants.values()]
