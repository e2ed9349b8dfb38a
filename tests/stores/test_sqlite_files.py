"""What becomes of a file of answers: made for its owner alone, set aside if it cannot be used, and never in a call's way."""

import contextlib
import os
import sqlite3
import stat
import time

import pytest

from callsheet.stores import sqlite_writer
from callsheet.stores.base import Clear, Drop, Find, HashKey, Info, Keep, Show, StoreUnavailableError
from callsheet.stores.sqlite import SqliteStore
from callsheet.stores.sqlite_entries import LAYOUT
from tests.stores.caches import PATIENCE, entry


@pytest.fixture
def path(tmp_path):
    return tmp_path / "answers" / "cache.db"


@pytest.fixture
def open_store(path):
    opened = []

    def make(where=path, **options):
        opened.append(SqliteStore(where, **options))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


def keep(store, key="k1", **given):
    """Keep an entry, and wait until it is written."""
    store.ask(Keep(entry(key, **given)), PATIENCE)
    return store.ask(Info(), PATIENCE).entries


def found(store, key="k1"):
    return len(store.ask(Find(key), PATIENCE))


def names(path):
    return sorted(each.name for each in path.parent.iterdir() if not each.name.endswith(("-wal", "-shm")))


def test_asking_makes_no_file(path, open_store):
    store = open_store()
    assert store.ask(Find("k1"), PATIENCE) == ()
    assert store.ask(Info(), PATIENCE).entries == store.ask(Clear(), PATIENCE) == store.ask(Drop("k1"), PATIENCE) == 0
    assert store.ask(Show(), PATIENCE) == ()
    assert not path.parent.exists()


@pytest.mark.skipif(os.name != "posix", reason="files have modes")
def test_only_its_owner_reads_a_new_file(path, open_store):
    before = os.umask(0)
    try:
        keep(open_store())
        modes = [stat.S_IMODE(each.stat().st_mode) for each in (path.parent, *path.parent.iterdir())]
    finally:
        os.umask(before)
    assert modes == [0o700, 0o600, 0o600, 0o600]


@pytest.mark.skipif(os.name != "posix", reason="files have modes")
def test_an_empty_file_becomes_one_that_only_its_owner_reads(tmp_path, open_store):
    path = tmp_path / "empty.db"
    path.touch(0o644)
    store = open_store(path)
    assert found(store) == 0
    assert keep(store) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["a b.db", "a?mode=memory", "a#b", "a%20b", "ünï.db", "a'b\"c", "file:a"])
def test_any_name_names_that_file(tmp_path, open_store, name):
    assert keep(open_store(tmp_path / name)) == 1
    assert (tmp_path / name).is_file()


def test_it_stays_when_the_store_is_closed(path, open_store):
    first = open_store()
    first.ask(Keep(entry()), PATIENCE)  # not yet written
    first.close()
    assert names(path) == ["cache.db"]
    assert found(open_store()) == 1


def test_a_closed_store_says_so(open_store):
    store = open_store()
    keep(store)
    store.close()
    store.close()
    with pytest.raises(StoreUnavailableError, match="closed"):
        store.ask(Keep(entry()), PATIENCE)


def foreign_database(path):
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE users (name TEXT)")
        database.execute("INSERT INTO users VALUES ('ann')")


def of_another_application(path):
    foreign_database(path)
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA application_id = 1234")


def of_an_older_version(path):
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute(f"PRAGMA application_id = {LAYOUT.application}")
        database.execute(f"PRAGMA user_version = {LAYOUT.version - 1}")
        database.execute("CREATE TABLE entries (key TEXT)")


def without_tables(path):
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute(f"PRAGMA application_id = {LAYOUT.application}")
        database.execute(f"PRAGMA user_version = {LAYOUT.version}")


def a_text(path):
    path.write_text("name,age\nann,30\n" * 100)


def a_short_text(path):
    path.write_text("x")


def damaged_within(path):
    with contextlib.closing(SqliteStore(path)) as store:
        for number in range(200):
            keep(store, f"k{number}", body=b"x" * 1000)
    content = bytearray(path.read_bytes())
    content[4096 * 2 :] = b"\xaa" * (len(content) - 4096 * 2)
    path.write_bytes(content)


def cut_off(path):
    with contextlib.closing(SqliteStore(path)) as store:
        for number in range(200):
            keep(store, f"k{number}", body=b"x" * 1000)
    os.truncate(path, 4096 * 3)


UNUSABLE = [
    foreign_database, of_another_application, of_an_older_version, without_tables, a_text, a_short_text, damaged_within,
    cut_off,
]  # fmt: skip


@pytest.mark.parametrize("first", ["read", "write"])
@pytest.mark.parametrize("make", UNUSABLE)
def test_a_file_that_cannot_be_used_is_set_aside_with_a_warning(path, open_store, caplog, make, first):
    path.parent.mkdir()
    make(path)
    before = path.read_bytes()
    store = open_store()
    if first == "read":
        assert found(store) == 0
    keep(store, "new1")
    keep(store, "new2")
    assert (found(store, "new1"), found(store, "new2")) == (1, 1)
    assert names(path) == ["cache.db", "cache.db.set-aside-1"]
    assert path.with_name("cache.db.set-aside-1").read_bytes()[:4096] == before[:4096]
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert f"it was set aside as {path}.set-aside-1" in record.getMessage()


def test_what_was_set_aside_before_stays(path, open_store):
    path.parent.mkdir()
    for number in (1, 2):
        a_text(path)
        with contextlib.closing(SqliteStore(path)) as store:
            keep(store)
        path.unlink()
        assert names(path) == [f"cache.db.set-aside-{each}" for each in range(1, number + 1)]


def test_a_file_of_a_newer_version_is_left_alone(path, open_store, caplog):
    with contextlib.closing(SqliteStore(path)) as store:
        keep(store)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {LAYOUT.version + 1}")
    store = open_store()
    with pytest.raises(StoreUnavailableError, match="a newer Callsheet wrote it: give this one a file of its own"):
        found(store)
    with pytest.raises(StoreUnavailableError, match="a newer Callsheet wrote it"):
        keep(store)
    assert (names(path), caplog.text) == (["cache.db"], "")


def test_a_row_that_is_no_entry_is_a_miss_and_goes(path, open_store):
    store = open_store()
    keep(store, "k1")
    keep(store, "k2")
    for head in (b"\xff", b"[]", b"5", b'{"a": 1}', b"[" * 100_000):
        with contextlib.closing(sqlite3.connect(path)) as database, database:
            database.execute("UPDATE entries SET head = ? WHERE key = 'k1'", (head,))
        assert found(store, "k1") == 0
        assert store.ask(Info(), PATIENCE).entries == 1
        keep(store, "k1")
    assert found(store, "k2") == 1


def test_a_file_that_is_removed_is_made_anew(path, open_store):
    store, other = open_store(), open_store()
    assert keep(store) == 1
    assert found(other) == 1
    for each in list(path.parent.iterdir()):
        each.unlink()
    assert (found(store), found(other)) == (0, 0)
    assert keep(store) == 1
    assert found(other) == 1


def test_what_was_left_beside_a_removed_file_is_not_played_into_the_new_one(path, open_store):
    store = open_store()
    keep(store, "old")
    path.unlink()  # its -wal stays
    assert keep(store, "new") == 1
    assert (found(store, "old"), found(store, "new")) == (0, 1)


@pytest.mark.parametrize("what", ["folder", "pipe", "beneath a file", "device"])
def test_what_is_no_file_cannot_be_asked_and_says_so(tmp_path, open_store, what):
    path = tmp_path / "odd"
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "device":
        path = "/dev/zero"
    else:
        path.write_text("x")
        path /= "cache.db"
    store = open_store(path)
    for question in (Find("k1"), HashKey()):
        with pytest.raises(StoreUnavailableError, match=str(path)):
            store.ask(question, PATIENCE)


def test_a_disk_that_refuses_costs_one_event_and_then_rest(tmp_path, open_store):
    (tmp_path / "odd").write_text("x")
    store = open_store(tmp_path / "odd" / "cache.db")
    told = []
    assert isinstance(store._writer.do(lambda _: None).exception(PATIENCE), StoreUnavailableError)
    for _ in range(3):
        with pytest.raises(StoreUnavailableError) as caught:
            store.ask(Keep(entry()), PATIENCE)
        told.append(caught.value.is_resting)
    assert told == [False, True, True]


def test_while_another_process_writes_a_look_up_hits_and_a_write_waits_for_nobody(path, open_store):
    store = open_store()
    keep(store, "k1")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        store.ask(Keep(entry("k2")), PATIENCE)
        assert (found(store, "k1"), found(store, "k2")) == (1, 1)
        with pytest.raises(StoreUnavailableError, match="busy"):
            store.ask(Info(), 0.01)
        assert time.monotonic() - began < 1.0
        other.execute("COMMIT")
    assert store.ask(Info(), PATIENCE).entries == 2


def test_the_hash_key_of_a_file_is_read_while_another_process_writes(path, open_store):
    key = open_store().ask(HashKey(), PATIENCE)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert open_store().ask(HashKey(), 0.01) == key
        other.execute("COMMIT")


def test_a_look_up_in_a_locked_file_is_a_miss(path, open_store):
    with contextlib.closing(SqliteStore(path)) as store:
        keep(store)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        assert found(open_store()) == 0
        assert time.monotonic() - began < 1.0


def test_more_than_the_disk_takes_is_dropped(path, open_store, monkeypatch):
    monkeypatch.setattr(sqlite_writer, "MOST_BYTES", 300_000)
    store = open_store()
    keep(store, "k0")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.ask(Keep(entry("k1", b"x" * 200_000)), PATIENCE)
        with pytest.raises(StoreUnavailableError, match="more was to be written"):
            store.ask(Keep(entry("k2", b"x" * 200_000)), PATIENCE)
        assert (found(store, "k1"), found(store, "k2")) == (1, 0)
        other.execute("COMMIT")
    assert store.ask(Drop("k1"), PATIENCE) == 1


def test_an_abandoned_question_harms_no_later_one(path, open_store):
    store = open_store()
    keep(store, "k1")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(3):
            with pytest.raises(StoreUnavailableError):
                store.ask(Drop("k1"), 0.01)
        store._writer.do(lambda _: None).cancel()
        other.execute("COMMIT")
    assert keep(store, "k2") == 1
