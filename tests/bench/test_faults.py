"""The fault table's harness: it counts what happens, and the page shows what is run."""

import http.client
import json
import random
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bench.faults import report
from bench.faults.behaviours import BEHAVIOURS, CAPACITY, LONGEST_QUEUE, SEED, THIRD
from bench.faults.run import Setup, measured, upstream
from bench.faults.scenarios import BY_NAME, FULL, SCENARIOS
from bench.faults.upstream import PORTS
from callsheet.settings.timeout import Timeout

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


def sent(connection, method, order=0):
    path, body = (f"/orders/{order}", None) if method == "GET" else ("/orders", json.dumps({"order": order}))
    connection.request(method, path, body=body)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_an_upstream_counts_requests_and_orders_carried_out_twice():
    with upstream(BY_NAME["healthy"]) as (url, counted):
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
        statuses = [sent(connection, "GET"), *(sent(connection, "POST", order) for order in (1, 2, 1, 1))]
        connection.close()
        seen = counted()
    assert statuses == [200] * 5
    assert {name: seen[name] for name in ("connections", "requests", "orders", "duplicates")} == {
        "connections": 1,
        "requests": 5,
        "orders": 2,
        "duplicates": 2,
    }


def test_an_order_that_is_refused_was_not_carried_out():
    with upstream(BY_NAME["retry-after"]) as (url, counted):
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
        status = sent(connection, "POST", 1)
        connection.close()
        seen = counted()
    assert (status, seen["requests"], seen["orders"]) == (429, 1, 0)


def test_a_service_that_is_asked_for_too_much_answers_what_it_can_and_refuses_the_rest():
    burst = BY_NAME["overload-2"]._replace(calls=500, rate=9000.0, variants=())
    (result,) = measured(burst, [Setup("callsheet", "asyncio")])
    taken = LONGEST_QUEUE * CAPACITY
    assert taken <= result.calls - result.errors < result.calls
    assert "ServerError" in result.raised
    assert result.worst >= LONGEST_QUEUE


def test_a_variant_of_callsheet_is_measured_beside_it_with_its_setting():
    scenario = BY_NAME["errors-30"]._replace(calls=400, rate=4000.0)
    plain, without = measured(scenario, [Setup("callsheet", "blocking")])
    assert without.client == "callsheet, `retry: {budget: off}`"
    assert "| callsheet, `retry: {budget: off}` | blocking | 400 " in report.table(scenario, [plain, without])
    assert "budget" not in report.summary([plain, without])


def test_a_post_whose_answer_is_lost_is_sent_once_and_raises():
    scenario = BY_NAME["answer-lost"]._replace(calls=12, rate=60)
    (result,) = measured(scenario, [Setup("callsheet", "blocking")])
    draw = random.Random(SEED).random
    lost = sum(draw() < THIRD for _ in range(12))
    assert lost
    assert (result.calls, result.errors, result.raised) == (12, lost, {"AttemptTimeout": lost})
    assert (result.duplicates, result.load) == (0, 1.0)
    assert scenario.limits.read <= result.worst < scenario.limits.total


def test_a_dead_host_lets_nothing_through_and_counts_nothing():
    scenario = BY_NAME["dead-host"]
    scenario = scenario._replace(calls=4, limits=scenario.limits._replace(connect=0.2, read=0.2, total=0.3))
    (result,) = measured(scenario, [Setup("callsheet", "asyncio")])
    assert (result.errors, result.raised, result.load) == (4, {"NotSent": 4}, None)
    shown = report.table(scenario, [result])
    assert [cell.strip() for cell in shown.splitlines()[2].split("|")[3:7]] == ["4", "4", "0", ""]
    assert "4 / 0 / ? / " in report.summary([result])


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_each_fault_has_an_upstream_and_a_place_on_the_page(scenario):
    assert (scenario.name in BEHAVIOURS) != (scenario.name in PORTS)
    assert report.written(PAGE.read_text("utf-8"), {scenario.name: "A TABLE"}).count("A TABLE") == 1


def test_the_page_shows_the_clients_as_they_are_set_up():
    assert report.written(PAGE.read_text(), {}) == PAGE.read_text(), (
        "run `python -m bench faults --page docs/faults.md`"
    )


def test_the_full_limits_are_callsheets_defaults():
    limits = Timeout()
    assert (limits.connect, limits.attempt, limits.total) == FULL
    assert limits.read == limits.attempt
