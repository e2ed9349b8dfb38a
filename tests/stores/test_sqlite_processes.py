"""One file of answers under many processes, threads and tasks: nothing is lost, half written or in anybody's way."""

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from callsheet.stores.base import Drop, Find, HashKey, Info, Keep
from callsheet.stores.sqlite import AsyncSqliteStore, SqliteStore
from tests.loops import LOOPS, run
from tests.stores.caches import PATIENCE, entry
from tests.stores.sharing import SHARED, is_whole

ROOT = Path(__file__).parents[2]
ENDLESS = "1000000"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs fork and signals")


def begun(path, name, count):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.stores.sharing", str(path), name, str(count)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_four_processes_share_a_file(tmp_path):
    children = [begun(tmp_path / "a.db", f"p{number}", 300) for number in range(4)]
    ended = [child.communicate(timeout=120) for child in children]
    assert [told for _, told in ended] == [""] * 4
    for said, _ in ended:
        found, own, wrong = map(int, said.split()[1:])
        assert (found, wrong) == (own, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]


def test_a_process_that_is_killed_leaves_the_file_whole(tmp_path, caplog):
    path = tmp_path / "a.db"
    survivor = SqliteStore(path)
    survivor.ask(Keep(entry("kept")), PATIENCE)
    key = survivor.ask(HashKey(), PATIENCE)
    for number in range(5):
        with begun(path, f"p{number}", ENDLESS) as child:
            child.stdout.readline()
            before = survivor.ask(Info(), PATIENCE).entries
            while survivor.ask(Info(), PATIENCE).entries < before + 20:
                pass
            child.kill()
        assert len(survivor.ask(Find("kept"), PATIENCE)) == 1
        assert all(is_whole(each) for shared in range(SHARED) for each in survivor.ask(Find(f"shared-{shared}"), 1.0))
        newcomer = SqliteStore(path)
        newcomer.ask(Keep(entry(f"new-{number}")), PATIENCE)
        assert newcomer.ask(HashKey(), PATIENCE) == key
        newcomer.close()
        assert len(survivor.ask(Find(f"new-{number}"), PATIENCE)) == 1
    survivor.close()
    assert caplog.text == ""
    assert [each.name for each in tmp_path.iterdir()] == ["a.db"]


def test_a_program_that_ends_without_closing_loses_nothing(tmp_path):
    path = tmp_path / "a.db"
    program = f"""
from callsheet.stores.base import Keep
from callsheet.stores.sqlite import SqliteStore
from tests.stores.caches import entry
store = SqliteStore({str(path)!r})
for number in range(20):
    store.ask(Keep(entry(f"k{{number}}")), 1.0)
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=PATIENCE * 3)
    store = SqliteStore(path)
    assert [len(store.ask(Find(f"k{number}"), PATIENCE)) for number in range(20)] == [1] * 20
    store.close()


def in_child(work):
    """What `work` gives in a forked child."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(write, repr(work()).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return told


def test_a_forked_child_reads_and_writes_with_a_connection_of_its_own(tmp_path):
    store = SqliteStore(tmp_path / "a.db")
    store.ask(Keep(entry("k1")), PATIENCE)
    store.ask(Info(), PATIENCE)

    def work():
        found = len(store.ask(Find("k1"), PATIENCE))
        store.ask(Keep(entry("k2")), PATIENCE)
        held = store.ask(Info(), PATIENCE).entries
        store.close()
        return found, held

    assert in_child(work) == "(1, 2)"
    assert len(store.ask(Find("k2"), PATIENCE)) == 1
    store.ask(Keep(entry("k3")), PATIENCE)
    assert store.ask(Info(), PATIENCE).entries == 3
    store.close()


def test_forks_while_threads_read_and_write_harm_nobody(tmp_path):
    store, stops = SqliteStore(tmp_path / "a.db"), threading.Event()

    def busy(name):
        number = 0
        while not stops.is_set():
            number += 1
            store.ask(Keep(entry(f"{name}-{number % 20}", b"x" * 500)), PATIENCE)
            store.ask(Find(f"{name}-{number % 20}"), PATIENCE)
            store.ask(Info(), PATIENCE)

    threads = [threading.Thread(target=busy, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    try:

        def work():
            store.ask(Keep(entry(f"child-{os.getpid()}")), PATIENCE)
            return store.ask(Info(), PATIENCE).entries > 0

        assert [in_child(work) for _ in range(20)] == ["True"] * 20
    finally:
        stops.set()
        for thread in threads:
            thread.join()
    assert store.ask(Info(), PATIENCE).entries == 60 + 20
    store.close()


def test_sixty_four_threads_share_a_store(tmp_path):
    store, wrong = SqliteStore(tmp_path / "a.db"), []

    def work(name):
        for number in range(10):
            store.ask(Keep(entry(f"{name}-{number}", b"%d" % number)), PATIENCE)
            found = store.ask(Find(f"{name}-{number}"), PATIENCE)
            wrong.extend([] if [each.body for each in found] == [b"%d" % number] else [(name, number, found)])
        store.ask(Info(), PATIENCE)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    store.close()


@pytest.mark.parametrize("loop", LOOPS)
def test_five_hundred_tasks_share_a_store(tmp_path, loop):
    async def main():
        store = AsyncSqliteStore(tmp_path / "a.db")

        async def work(number):
            await store.ask(Keep(entry(f"k{number}", tags=("t",))), PATIENCE)
            found = await store.ask(Find(f"k{number}"), PATIENCE)
            await store.ask(Info(), PATIENCE)
            return len(found)

        found = await asyncio.gather(*(work(number) for number in range(500)))
        dropped = await store.ask(Drop(tag="t"), PATIENCE)
        await store.aclose()
        return sum(found), dropped

    assert run(main(), loop) == (500, 500)
