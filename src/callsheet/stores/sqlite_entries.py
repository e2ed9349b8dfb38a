"""The cache's SQL: the tables, and what is done to them within a transaction of the writer."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping

from callsheet.stores.base import KEY_LENGTH, MOST_VARIANTS, Clear, Drop, Entry, Shown
from callsheet.stores.packed import unpacked
from callsheet.stores.sqlite_file import Layout

_ENTRIES = """
CREATE TABLE entries (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, vary BLOB NOT NULL, service TEXT NOT NULL, operation TEXT NOT NULL,
    keep_until REAL NOT NULL, used REAL NOT NULL, size INTEGER NOT NULL, head BLOB NOT NULL, body BLOB NOT NULL
)"""
_TAGS = """
CREATE TABLE tags (
    tag TEXT NOT NULL, entry INTEGER NOT NULL REFERENCES entries ON DELETE CASCADE, PRIMARY KEY (tag, entry)
) WITHOUT ROWID"""
LAYOUT = Layout(
    application=0x43534843,
    version=1,
    statements=(
        _ENTRIES,
        "CREATE UNIQUE INDEX entries_key ON entries (key, vary)",
        "CREATE INDEX entries_keep_until ON entries (keep_until)",
        "CREATE INDEX entries_used ON entries (used)",
        _TAGS,
        "CREATE INDEX tags_entry ON tags (entry)",
        "CREATE TABLE hash_key (only INTEGER PRIMARY KEY CHECK (only = 1), value BLOB NOT NULL)",
    ),
)
FIND = "SELECT id, head, body FROM entries WHERE key = ? AND keep_until > ? ORDER BY id"
HASH_KEY = "SELECT value FROM hash_key"
_TAKE_OUT = "DELETE FROM entries WHERE key = ? AND vary = ?"
_PUT_IN = """
INSERT INTO entries (key, vary, service, operation, keep_until, used, size, head, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_OLD_VARIANTS = """
DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE key = ? ORDER BY id DESC LIMIT -1 OFFSET ?)"""
_DROP = "DELETE FROM entries WHERE key = ? OR id IN (SELECT entry FROM tags WHERE tag = ?)"
_CLEAR = "DELETE FROM entries WHERE service = coalesce(?, service) AND operation = coalesce(?, operation)"
_OLDEST = "DELETE FROM entries WHERE id = (SELECT id FROM entries ORDER BY used, id LIMIT 1)"


def write_entry(entry: Entry, head: bytes, vary: bytes, now: float, connection: sqlite3.Connection) -> None:
    """Put an entry in place of the one with the same `vary`."""
    connection.execute(_TAKE_OUT, (entry.key, vary))
    values = (entry.key, vary, entry.service, entry.operation, entry.keep_until, now, entry.size, head, entry.body)
    number = connection.execute(_PUT_IN, values).lastrowid
    connection.executemany("INSERT OR IGNORE INTO tags VALUES (?, ?)", [(tag, number) for tag in entry.tags])
    connection.execute(_OLD_VARIANTS, (entry.key, MOST_VARIANTS))


def drop(question: Drop, connection: sqlite3.Connection) -> int:
    """How many entries with the key or tag were dropped."""
    return connection.execute(_DROP, (question.key, question.tag)).rowcount


def clear(question: Clear, connection: sqlite3.Connection) -> int:
    """How many entries of the service and operation were dropped."""
    return connection.execute(_CLEAR, (question.service, question.operation)).rowcount


def show(limit: int, connection: sqlite3.Connection) -> tuple[Shown, ...]:
    """The newest entries, without their bodies."""
    rows = connection.execute("SELECT head, size FROM entries ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
    found = ((unpacked(head, b""), size) for head, size in rows)
    return tuple(Shown(entry, size) for entry, size in found if entry is not None)


def totals(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many entries there are, with how many bytes."""
    entries, size = connection.execute("SELECT count(*), coalesce(sum(size), 0) FROM entries").fetchone()
    return entries, size


def hash_key(connection: sqlite3.Connection) -> bytes:
    """The key of the file, made by the first process that asks."""
    connection.execute("INSERT OR IGNORE INTO hash_key VALUES (1, ?)", (secrets.token_bytes(KEY_LENGTH),))
    return bytes(connection.execute(HASH_KEY).fetchone()[0])


def note_used(used: Mapping[int, float], connection: sqlite3.Connection) -> None:
    """Note when rows were last looked up."""
    connection.executemany("UPDATE entries SET used = ? WHERE id = ?", [(at, row) for row, at in used.items()])


def make_room(now: float, most: int, connection: sqlite3.Connection) -> None:
    """Delete what is past its time, and what was not looked up for longest, until the file is below `most` bytes."""
    connection.execute("DELETE FROM entries WHERE keep_until <= ?", (now,))
    pages = most // connection.execute("PRAGMA page_size").fetchone()[0]
    while _pages(connection) > pages and connection.execute(_OLDEST).rowcount:
        pass


def _pages(connection: sqlite3.Connection) -> int:
    pages: int = connection.execute("PRAGMA page_count").fetchone()[0]
    free: int = connection.execute("PRAGMA freelist_count").fetchone()[0]
    return pages - free
