"""Facts of many calls by threads."""

import contextvars
import gc
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import weakref

import pytest

from callsheet.errors import NotFound, UsageError
from callsheet.many.threads import map_in_threads
from tests.many.worlds import PATIENCE, Calls, Threads, call_in_thread

TENANT = contextvars.ContextVar("TENANT", default="nobody")


class Interrupted(BaseException):
    """What Ctrl-C would raise; a test's own, so that it can never end the test run."""


def crew_threads():
    return [thread for thread in threading.enumerate() if thread.name == "callsheet-map"]


def wait_for_no_threads():
    until = time.monotonic() + PATIENCE
    while crew_threads() and time.monotonic() < until:
        time.sleep(0)
    assert crew_threads() == []


def test_a_cursor_that_may_be_used_in_one_thread_only_gives_the_rows():
    database = sqlite3.connect(":memory:")
    try:
        rows = database.execute("values (1), (2), (3)")
        assert [outcome.value for outcome in map_in_threads(sum, rows, concurrency=2)] == [1, 2, 3]
    finally:
        database.close()


def test_each_call_sees_the_context_in_which_its_row_was_taken_and_changes_only_its_own_copy():
    def rows():
        for tenant in ("a", "b", "c"):
            TENANT.set(tenant)
            yield tenant

    def call(_row):
        seen = TENANT.get()
        TENANT.set("somebody else")
        return seen

    def iterate():
        return [outcome.value for outcome in map_in_threads(call, rows(), concurrency=1)], TENANT.get()

    assert contextvars.copy_context().run(iterate) == (["a", "b", "c"], "c")


def test_no_more_threads_than_rows():
    calls = Calls()
    iteration = Threads().iterate(calls, 2, concurrency=50)
    calls.wait_for_begun(2)
    assert len(crew_threads()) == 2
    calls.free()
    iteration.end()


def test_after_the_last_outcome_no_thread_is_left():
    assert len(list(map_in_threads(str, range(20), concurrency=4))) == 20
    assert crew_threads() == []


def test_it_is_over_once():
    outcomes = map_in_threads(str, [1], concurrency=1)
    assert next(outcomes).value == "1"
    for _ in range(2):
        with pytest.raises(StopIteration):
            next(outcomes)


def test_after_an_error_was_raised_it_is_over():
    def call(_row):
        raise NotFound

    outcomes = map_in_threads(call, [1, 2, 3], concurrency=1)
    with pytest.raises(NotFound):
        next(outcomes)
    assert crew_threads() == []
    assert list(outcomes) == []


def test_an_error_of_the_rows_is_raised_once():
    def rows():
        yield 1
        raise OSError("the rows broke")

    outcomes = map_in_threads(str, rows(), concurrency=1)
    assert next(outcomes).value == "1"
    with pytest.raises(OSError, match="the rows broke"):
        next(outcomes)
    assert list(outcomes) == []


def test_after_close_it_is_over_although_outcomes_are_known():
    outcomes = map_in_threads(str, range(100), concurrency=4)
    with outcomes:
        next(outcomes)
    assert list(outcomes) == []


def test_a_loop_that_is_left_ends_its_threads_without_waiting_for_calls():
    calls = Calls()
    call = call_in_thread(calls)
    for outcome in map_in_threads(lambda row: row and call(row), calls.rows(None), concurrency=3):
        assert outcome.value == 0
        calls.wait_for_begun(1)
        break
    assert calls.held
    calls.free()
    wait_for_no_threads()


def test_an_interrupt_waits_for_no_call():
    calls = Calls()
    outcomes = map_in_threads(call_in_thread(calls), calls.rows(None), concurrency=2)

    def interrupt(_signal, _frame):
        raise Interrupted

    def interrupt_soon():
        calls.wait_for_begun(2)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, interrupt)
    watcher = threading.Thread(target=interrupt_soon)
    try:
        watcher.start()
        with pytest.raises(Interrupted), outcomes:
            next(outcomes)
        watcher.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert sorted(calls.held) == [0, 1]
    calls.free()
    wait_for_no_threads()
    assert sorted(calls.begun) == [0, 1]


def test_another_thread_can_close_it_under_one_that_waits():
    calls = Calls()
    outcomes = map_in_threads(call_in_thread(calls), calls.rows(None), concurrency=2)
    got = []
    waiting = threading.Thread(target=lambda: got.extend(outcomes), name="iteration", daemon=True)
    waiting.start()
    calls.wait_for_begun(2)
    closing = threading.Thread(target=outcomes.close, name="iteration", daemon=True)
    closing.start()
    while not outcomes._crew.is_stopped:
        time.sleep(0)
    calls.free()
    closing.join(PATIENCE)
    waiting.join(PATIENCE)
    assert not closing.is_alive()
    assert not waiting.is_alive()
    assert crew_threads() == []
    assert sorted(calls.begun) == [0, 1]


def test_two_threads_cannot_iterate_at_once():
    calls = Calls()
    outcomes = map_in_threads(call_in_thread(calls), calls.rows(3), concurrency=2)
    values = []
    first = threading.Thread(target=lambda: values.extend(each.value for each in outcomes), name="iteration")
    first.start()
    try:
        calls.wait_for_begun(2)
        with pytest.raises(UsageError, match="another thread or task is waiting"):
            next(outcomes)
    finally:
        calls.free()
        first.join()
    assert values == [0, 10, 20]


def test_a_call_may_close_what_it_is_part_of():
    calls = []

    def call(row):
        outcomes.close()
        calls.append(row)

    outcomes = map_in_threads(call, range(10), concurrency=1)
    assert len(list(outcomes)) <= 1
    wait_for_no_threads()
    assert calls == [0]


def test_the_rows_may_close_what_takes_them():
    def rows():
        outcomes.close()
        yield 0

    outcomes = map_in_threads(str, rows(), concurrency=1)
    iterating = threading.Thread(target=list, args=[outcomes], name="iteration", daemon=True)
    iterating.start()
    iterating.join(PATIENCE)
    assert not iterating.is_alive()


def test_an_outcome_that_is_known_waits_for_one_further_row_at_most():
    given = []

    def rows():
        yield 0
        while outcomes._ahead and not outcomes._ahead[0].is_over:
            time.sleep(0)
        yield 1
        yield len(given)

    outcomes = map_in_threads(int, rows(), concurrency=4)
    for outcome in outcomes:
        given.append(outcome.value)  # noqa: PERF401 - the rows look at it meanwhile
    assert given[:2] == [0, 1]
    assert given[2] >= 1, "the third row was taken before the first outcome was given"


def test_kept_errors_are_freed_without_the_garbage_collector():
    def call(_row):
        raise NotFound("one of very many")

    gc.disable()
    try:
        outcomes = map_in_threads(call, range(5), concurrency=2, on_error="keep")
        errors = [weakref.ref(outcome.error) for outcome in outcomes]
        assert [error() for error in errors[:-1]] == [None] * 4
    finally:
        gc.enable()


PROGRAM = """
import threading
from callsheet.many.threads import map_in_threads

never = threading.Event()
outcomes = map_in_threads(lambda row: row and never.wait(), range(100), concurrency=4)
print(next(outcomes).index)
"""


def test_a_call_that_hangs_does_not_hold_up_the_end_of_the_program():
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "0\n", "")
