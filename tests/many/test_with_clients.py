"""Many calls by real clients, over real sockets."""

import pytest

from callsheet import AsyncClient, Client, NotFound, Sheet
from callsheet.many.tasks import map_in_tasks
from callsheet.many.threads import map_in_threads
from tests.loops import colours, run

pytest.importorskip("uvicorn")

from callsheet.practice import SHEET, PracticeServer


@pytest.fixture(scope="module")
def sheet():
    with PracticeServer() as server:
        yield Sheet.load(SHEET, variables={"PRACTICE_URL": server.url})


def in_threads(sheet, rows, **options):
    with Client(sheet) as client:
        users = client.service("practice")
        return list(map_in_threads(lambda row: users.call("get_user", row), rows, **options))


def in_tasks(sheet, rows, loop="asyncio", **options):
    async def main():
        async with AsyncClient(sheet) as client:
            users = client.service("practice")
            outcomes = map_in_tasks(lambda row: users.call("get_user", row), rows, **options)
            return [outcome async for outcome in outcomes]

    return run(main(), loop)


BOTH = pytest.mark.parametrize("outcomes_of", colours(in_threads, in_tasks))


@BOTH
def test_typed_values_and_errors_in_the_order_of_the_rows(sheet, outcomes_of):
    rows = [{"id": number} for number in (1, 2, 999_999, 3) * 10]
    outcomes = outcomes_of(sheet, rows, concurrency=8, on_error="keep")
    assert [outcome.row for outcome in outcomes] == rows
    assert [outcome.value.id for outcome in outcomes if outcome.ok] == [1, 2, 3] * 10
    assert all(isinstance(outcome.error, NotFound) for outcome in outcomes[2::4])


@BOTH
def test_the_first_error_is_raised(sheet, outcomes_of):
    with pytest.raises(NotFound):
        outcomes_of(sheet, [{"id": 1}, {"id": 999_999}, {"id": 2}], concurrency=2)
