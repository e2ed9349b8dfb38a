"""Facts of many calls by tasks."""

import asyncio
import contextvars
import gc
import weakref

import pytest

from callsheet.errors import NotFound, UsageError
from callsheet.many.tasks import map_in_tasks
from tests.many.worlds import PATIENCE, Calls, call_in_task

TENANT = contextvars.ContextVar("TENANT", default="nobody")


@pytest.fixture
def run(in_loop):
    """Run a coroutine to its end, in a loop whose complaints are failures; no task may be left."""
    complaints = []

    async def watched(work):
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
        result = await work
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    yield lambda work: in_loop(watched(work))
    gc.collect()
    assert complaints == []


async def turns(count=20):
    """Let everything that is ready run."""
    for _ in range(count):
        await asyncio.sleep(0)


async def echo(row):
    await asyncio.sleep(0)
    return row


def test_a_slow_source_holds_up_no_outcome(run):
    async def main():
        more = asyncio.Event()

        async def rows():
            yield 1
            await more.wait()
            yield 2

        outcomes = map_in_tasks(echo, rows(), concurrency=4)
        assert (await anext(outcomes)).value == 1
        more.set()
        assert (await anext(outcomes)).value == 2
        assert await anext(outcomes, None) is None

    run(main())


def test_calls_go_on_while_the_loop_over_outcomes_does_something_else(run):
    async def main():
        calls = Calls()
        calls.is_free = True
        async with map_in_tasks(call_in_task(calls), calls.rows(None), concurrency=2) as outcomes:
            await anext(outcomes)
            await turns()
            assert len(calls.begun) == 5  # one was given, four are ahead

    run(main())


def test_each_call_has_its_own_copy_of_the_context(run):
    async def call(row):
        seen = TENANT.get()
        TENANT.set(row)
        return seen

    async def main():
        TENANT.set("caller")
        seen = [outcome.value async for outcome in map_in_tasks(call, "abc", concurrency=1)]
        return seen, TENANT.get()

    assert run(main()) == (["caller"] * 3, "caller")


def test_a_failure_cancels_at_once_what_nobody_will_see(run):
    async def main():
        calls = Calls({1: NotFound("1")})
        outcomes = map_in_tasks(call_in_task(calls), calls.rows(None), concurrency=4)
        first = asyncio.ensure_future(anext(outcomes))
        await turns()
        calls.held[1]()
        await turns()
        assert sorted(calls.cancelled) == [2, 3]
        assert list(calls.held) == [0]
        assert (calls.taken, len(calls.begun)) == (4, 4)
        calls.held[0]()
        assert (await first).value == 0
        with pytest.raises(NotFound):
            await anext(outcomes)
        assert await anext(outcomes, None) is None

    run(main())


def test_a_call_that_fails_before_its_neighbours_began_keeps_them_from_beginning(run):
    begun = []

    async def call(row):
        begun.append(row)
        raise NotFound

    async def main():
        with pytest.raises(NotFound):
            await anext(map_in_tasks(call, range(10), concurrency=5))

    run(main())
    assert begun == [0]


def test_a_row_that_comes_after_a_failure_is_not_begun(run):
    begun = []

    async def main():
        more, fail = asyncio.Event(), asyncio.Event()

        async def rows():
            yield 0
            yield 1
            await more.wait()
            yield 2

        async def call(row):
            begun.append(row)
            if row == 0:
                await asyncio.Event().wait()
            await fail.wait()
            raise NotFound

        waiting = asyncio.ensure_future(anext(map_in_tasks(call, rows(), concurrency=3)))
        await turns()
        fail.set()
        await turns()
        more.set()
        await turns()
        waiting.cancel()
        await asyncio.wait([waiting])

    run(main())
    assert begun == [0, 1]


def test_a_call_is_cancelled_once_so_that_it_can_clean_up(run):
    cleaned = []

    async def call(row):
        try:
            await turns(3)
            if row == 0:
                raise NotFound
            await asyncio.Event().wait()
        finally:
            await turns(10 * row)
            cleaned.append(row)

    async def main():
        with pytest.raises(NotFound):
            await anext(map_in_tasks(call, range(3), concurrency=3))

    run(main())
    assert cleaned == [0, 1, 2]


def test_a_cancelled_iteration_cancels_its_calls_and_waits_for_them(run):
    cleaned = []

    async def call(row):
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(row)

    async def main():
        task = asyncio.ensure_future(anext(map_in_tasks(call, range(10), concurrency=3)))
        await turns()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert cleaned == [0, 1, 2]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(main())


def test_a_timeout_around_an_outcome_ends_everything(run):
    async def main():
        calls = Calls()
        outcomes = map_in_tasks(call_in_task(calls), calls.rows(None), concurrency=3)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await anext(outcomes)
        assert not calls.held
        assert await anext(outcomes, None) is None

    run(main())


def test_a_loop_that_is_left_cancels_its_tasks(run):
    async def main():
        calls = Calls()
        call = call_in_task(calls)

        async def all_but_the_first(row):
            return await call(row) if row else 0

        async for outcome in map_in_tasks(all_but_the_first, calls.rows(None), concurrency=3):
            assert outcome.value == 0
            break
        await turns()
        assert not calls.held

    run(main())


def test_an_iterator_may_outlive_its_loop():
    async def main():
        outcomes = map_in_tasks(echo, range(100), concurrency=3)
        await anext(outcomes)
        return outcomes

    outcomes = asyncio.run(main())
    del outcomes  # a finalizer that raised would fail the test


def test_another_task_can_close_it_under_one_that_waits(run):
    async def main():
        calls = Calls()
        outcomes = map_in_tasks(call_in_task(calls), calls.rows(None), concurrency=2)
        waiting = asyncio.ensure_future(anext(outcomes, None))
        await turns()
        await outcomes.aclose()
        assert await waiting is None
        assert sorted(calls.cancelled) == [0, 1]

    run(main())


def test_a_call_may_close_what_it_is_part_of_while_it_cleans_up(run):
    closed = []

    async def main():
        async def call(_row):
            try:
                await asyncio.Event().wait()
            finally:
                await outcomes.aclose()
                closed.append(True)

        outcomes = map_in_tasks(call, range(1), concurrency=1)
        waiting = asyncio.ensure_future(anext(outcomes, None))
        await turns()
        async with asyncio.timeout(PATIENCE):
            await outcomes.aclose()
            assert await waiting is None

    run(main())
    assert closed == [True]


def test_it_can_be_closed_while_a_row_is_awaited(run):
    ended = []

    async def rows():
        try:
            await asyncio.Event().wait()
            yield 1
        finally:
            ended.append(True)

    async def main():
        outcomes = map_in_tasks(echo, rows(), concurrency=2)
        waiting = asyncio.ensure_future(anext(outcomes, None))
        await turns()
        await outcomes.aclose()
        assert await waiting is None

    run(main())
    assert ended == [True]


def test_two_tasks_cannot_iterate_at_once(run):
    async def main():
        calls = Calls()
        async with map_in_tasks(call_in_task(calls), calls.rows(None), concurrency=2) as outcomes:
            first = asyncio.ensure_future(anext(outcomes))
            await turns()
            with pytest.raises(UsageError, match="another thread or task is waiting"):
                await anext(outcomes)
            calls.held[0]()
            assert (await first).value == 0

    run(main())


def test_a_row_whose_task_is_cancelled_by_somebody_else_raises_in_its_place(run):
    async def call(row):
        if row == 1:
            asyncio.current_task().cancel()
        return await echo(row)

    async def main():
        outcomes = map_in_tasks(call, range(5), concurrency=2)
        assert (await anext(outcomes)).value == 0
        with pytest.raises(asyncio.CancelledError):
            await anext(outcomes)

    run(main())


def test_kept_errors_are_freed_without_the_garbage_collector(run):
    async def call(_row):
        raise NotFound("one of very many")

    async def main():
        outcomes = map_in_tasks(call, range(5), concurrency=2, on_error="keep")
        errors = [weakref.ref(outcome.error) async for outcome in outcomes]
        assert [error() for error in errors[:-1]] == [None] * 4

    gc.disable()
    try:
        run(main())
    finally:
        gc.enable()
