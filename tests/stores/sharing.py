"""A program that reads and writes a file of answers until it is told how many: `python -m tests.stores.sharing PATH NAME COUNT`.

It prints a line once it began, and at the end how many of its own entries it found and how many were wrong.
"""

import hashlib
import random
import sys
import threading

from callsheet.stores.base import Drop, Find, Info, Keep, StoreUnavailableError
from callsheet.stores.sqlite import SqliteStore
from tests.stores.caches import PATIENCE, entry

SHARED = 50


def body_of(key, generation):
    """A body that tells whether it is whole."""
    text = f"{key} {generation} "
    return text.encode() + hashlib.sha256(text.encode()).hexdigest().encode() * (generation % 50 + 1)


def is_whole(found):
    """Whether an entry is as somebody wrote it."""
    key, generation, rest = found.body.decode().split(" ")
    return key == found.key and rest == hashlib.sha256(f"{key} {generation} ".encode()).hexdigest() * (
        int(generation) % 50 + 1
    )


def work(store, name, count, wrong):
    """Write own and shared keys, and look whether what is found is whole."""
    own = random.Random(name)
    for number in range(count):
        key = f"shared-{own.randrange(SHARED)}" if number % 3 else f"{name}-{number}"
        store.ask(Keep(entry(key, body_of(key, number), tags=(f"tag-{number % 7}",))), PATIENCE)
        if number % 100 == 99:
            store.ask(Drop(key=f"shared-{own.randrange(SHARED)}"), PATIENCE)
        wrong += [each for each in store.ask(Find(f"shared-{own.randrange(SHARED)}"), PATIENCE) if not is_whole(each)]
        if not store.ask(Find(key), PATIENCE) and number % 3 == 0:
            wrong.append(key)
        if number % 50 == 49:
            store.ask(Info(), PATIENCE)  # until it is written


def say(*words):
    """One line on stdout."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main(path, name, count):
    store = SqliteStore(path)
    say("began")
    wrong: list = []
    store.ask(Find("x"), PATIENCE)
    threads = [threading.Thread(target=work, args=(store, f"{name}-{each}", count, wrong)) for each in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.ask(Info(), PATIENCE)
    own = [f"{name}-{each}-{number}" for each in range(2) for number in range(0, count, 3)]
    found = sum(bool(store.ask(Find(key), PATIENCE)) for key in own)
    store.close()
    say(found, len(own), len(wrong))


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    except StoreUnavailableError as error:
        say("unavailable", error)
