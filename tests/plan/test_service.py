"""One service, ready to be called: what its plans share, and what a call begins with."""

import threading

import pytest

from callsheet import Client, Sheet
from callsheet.errors import ArgumentError, SheetError, UsageError
from callsheet.plan.plan import Given
from callsheet.plan.service import ServicePlans, begin
from callsheet.policies.slot import Slot
from callsheet.settings.concurrency import Concurrency
from tests.kept import kept

OPERATIONS = {"get_user": {"get": "/users/{id}"}, "slow": {"get": "/slow", "timeout": 20}}


def plans_of(**service):
    sheet = Sheet(services={"shop": {"base_url": "https://shop.test/v1", "operations": OPERATIONS} | service})
    return ServicePlans(sheet.services["shop"], {}, ())


def begun(plans, operation="get_user", arguments=None, **given):
    plan = plans.plan(operation)
    options = Given(**given)
    return begin(plan, plan.bind(arguments or {"id": 7}, options), options, started=1000.0, new_ticket=object)


def test_a_plan_is_compiled_once_however_many_ask(monkeypatch):
    plans = plans_of()
    start = threading.Barrier(8)
    found = []

    def ask():
        start.wait()
        found.append(plans.plan("get_user"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1


def test_all_operations_share_the_services_slots():
    plans = plans_of()
    slots = [p for name in OPERATIONS for p in plans.plan(name).policies if isinstance(p, Slot)]
    slots += [p for p in plans.undeclared("GET").policies if isinstance(p, Slot)]
    assert set(slots) == {slot_of(plans)}


def slot_of(plans):
    """The one that every call of the service needs."""
    return kept(plans.scope, "concurrency")


def slots_of(plans, operation):
    return [policy for policy in plans.plan(operation).policies if isinstance(policy, Slot)]


@pytest.mark.parametrize("limit", [1, 100])
def test_an_operation_that_says_so_has_a_slot_of_its_own_beside_the_services(limit):
    plans = plans_of(operations=OPERATIONS | {"own": {"get": "/own", "concurrency": limit}})
    own, services = slots_of(plans, "own")
    assert slots_of(plans, "slow") == [services]
    assert (own.limit, services.limit) == (limit, Concurrency().limit)
    own.in_flight = 7
    plans.forget()
    assert own.in_flight == 0


def test_other_settings_of_a_service_share_its_slots_and_narrow_them():
    sheet = Sheet(services={"shop": {"base_url": "https://shop.test", "operations": OPERATIONS}}).services["shop"]
    first = ServicePlans(sheet, {}, ())
    (usual,) = slots_of(first, "slow")
    assert slots_of(ServicePlans(sheet, {"timeout": 3}, (), first), "slow") == [usual]
    narrower = ServicePlans(sheet, {"concurrency": 2}, (), first)
    own, services = slots_of(narrower, "slow")
    assert (own.limit, services) == (2, usual)
    assert slots_of(narrower, "get_user") == [own, services]
    assert narrower.scope.shared is first.scope.shared


def test_a_forked_child_counts_anew():
    plans = plans_of()
    (slot,) = slots_of(plans, "slow")
    slot.in_flight = 7
    plans.forget()
    assert slot.in_flight == 0


@pytest.mark.parametrize(
    ("given", "limits", "holds_for_a_stream"),
    [
        ({}, (5.0, 10.0, 10.0, 30.0), False),
        ({"timeout": 4}, (4.0, 10.0, 4.0, 4.0), True),
        ({"timeout": {"read": 4}}, (5.0, 4.0, 10.0, 30.0), False),
        ({"timeout": {"total": 60}}, (5.0, 10.0, 10.0, 60.0), True),
    ],
)
def test_a_calls_own_timeout_is_laid_over_the_sheets(given, limits, holds_for_a_stream):
    call = begun(plans_of(), **given)
    assert (call.timeout.connect, call.timeout.read, call.timeout.attempt, call.timeout.total) == limits
    assert call.deadline == 1000.0 + limits[3]
    assert call.bounds_stream is holds_for_a_stream


@pytest.mark.parametrize(
    ("service", "given", "is_repeatable"),
    [({}, {}, False), ({"idempotent": True}, {}, True), ({}, {"idempotency_key": "7"}, True)],
)
def test_a_call_knows_whether_it_may_be_sent_twice(service, given, is_repeatable):
    call = begun(plans_of(**service), **given)
    assert call.is_repeatable is is_repeatable
    assert call.request.headers.get("Idempotency-Key") == given.get("idempotency_key")


def test_a_call_is_named_by_service_and_operation():
    call = begun(plans_of())
    assert (call.service, call.operation, call.label) == ("shop", "get_user", "shop.get_user")
    assert plans_of().undeclared("POST").label == "shop.post"


def test_what_is_off_is_not_in_the_plan():
    off = {"retry": "off", "breaker": "off", "rate_limit": {"learn": False}}
    assert [policy.name for policy in plans_of(**off).plan("slow").policies] == ["deadline", "concurrency"]


def test_an_operation_that_is_not_there_is_named_with_one_close_to_it():
    with pytest.raises(UsageError, match="service `shop` has no operation `slwo`; did you mean `slow`"):
        plans_of().plan("slwo")


def test_names_in_a_path_must_be_declared():
    from callsheet.plan.compile import OperationBinder, RequestBase
    from callsheet.settings.settings import Settings
    from callsheet.sheet.words.operation import Operation

    with pytest.raises(SheetError, match=r"path '/users/\{id\}' has `id`, and declared are none"):
        OperationBinder(Operation("get_user", "GET", "/users/{id}"), RequestBase(Settings("https://shop.test")))


def test_an_undeclared_plan_binds_no_arguments():
    with pytest.raises(ArgumentError):
        plans_of().undeclared("GET").bind({}, Given())


@pytest.mark.parametrize(("given", "total"), [("5s", 5.0), ("250ms", 0.25), ({"total": "1m"}, 60.0), (2, 2.0)])
def test_a_timeout_may_be_written_as_on_the_sheet(given, total):
    with Client(base_url="http://127.0.0.1:9") as client:
        call, _, _ = client._calls().undeclared("GET", "/x", {"timeout": given}, is_stream=False)
    assert call.timeout.total == total


def test_a_timeout_that_is_no_duration_is_refused():
    with Client(base_url="http://127.0.0.1:9") as client, pytest.raises(ArgumentError, match="timeout: expected"):
        client.get("/x", timeout="soon")
