"""Keys, breakers and deadlines as a caller meets them, over real sockets in both colours."""

import asyncio
import re

import pytest

import callsheet
from callsheet import AsyncClient, BreakerChanged, Client, Sheet
from callsheet.errors import ArgumentError, BreakerOpen, DeadlinePassed, NoAnswer, ServerError, UsageError
from tests.servers import ScriptedServer, answer, lose_answer, silence

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
NOW = {"Retry-After": "0"}
QUICK = {"retry": {"backoff": {"first": "1ms", "max": "1ms"}}}
ORDER = {"order": {"post": "/orders"}, "edit": {"patch": "/orders/1"}, "put": {"put": "/orders/1"}}


def keys(service, header="idempotency-key"):
    return [request.header(header) for request in service.server.requests]


def test_one_key_for_all_attempts_of_a_call(any_shop):
    with any_shop(ORDER, script=[lose_answer(), answer(503)], idempotency_key=True, **QUICK) as service:
        service.call("order")
        service.call("order")
        first, second, third, other = keys(service)
        assert first == second == third
        assert UUID.match(first)
        assert UUID.match(other)
        assert other != first


def test_a_key_is_made_for_post_and_patch_only(any_shop):
    with any_shop(ORDER, idempotency_key=True) as service:
        service.call("put")
        service.call("edit")
        service.post("/undeclared")
        service.get("/undeclared")
        assert [key is not None for key in keys(service)] == [False, True, True, False]


def test_the_callers_own_key_is_taken(any_shop):
    with any_shop(ORDER, idempotency_key=True) as service:
        service.call("order", idempotency_key="order-17")
        service.post("/x", idempotency_key="order-18")
        assert keys(service) == ["order-17", "order-18"]


def test_a_key_in_the_callers_own_headers_is_taken_as_well(any_shop):
    with any_shop(ORDER, script=[lose_answer()], idempotency_key=True, **QUICK) as service:
        service.call("order", headers={"idempotency-key": "mine"})
        assert keys(service) == ["mine", "mine"]


def test_a_key_may_be_quoted_as_in_the_draft_and_have_another_header(any_shop):
    setting = {"header": "X-Key", "quoted": True}
    with any_shop(ORDER, idempotency_key=setting) as service:
        service.call("order", idempotency_key='say "hi" \\ bye')
        assert keys(service, "x-key") == ['"say \\"hi\\" \\\\ bye"']


def test_a_key_may_be_demanded_of_the_caller(any_shop):
    with any_shop(ORDER, idempotency_key={"from": "argument"}) as service:
        with pytest.raises(ArgumentError, match=r"shop\.order: POST /orders: idempotency_key: missing"):
            service.call("order")
        with pytest.raises(ArgumentError, match=r"shop\.post: idempotency_key: missing"):
            service.post("/x")
        service.call("order", idempotency_key="mine")
        assert keys(service) == ["mine"]


@pytest.mark.parametrize("key", ["", "snow \u96ea", "caf\xe9", 7])
def test_a_key_that_could_not_be_sent_is_refused(any_shop, key):
    with any_shop(ORDER) as service:
        with pytest.raises(ArgumentError):
            service.call("order", idempotency_key=key)
        assert service.count == 0


def test_the_key_is_on_the_error(any_shop):
    with any_shop(ORDER, script=[answer(400)], idempotency_key=True) as service:
        with pytest.raises(callsheet.BadRequest) as caught:
            service.call("order")
        assert caught.value.idempotency_key == keys(service)[0]


def test_without_a_key_a_post_whose_answer_is_lost_is_sent_once(any_shop):
    with any_shop(ORDER, script=[lose_answer()], **QUICK) as service:
        with pytest.raises(NoAnswer) as caught:
            service.call("order")
        assert (service.count, caught.value.idempotency_key) == (1, None)


def test_a_breaker_is_one_for_all_operations_and_undeclared_requests(any_shop):
    breaker = {"ratio": "50%", "samples": 2}
    with any_shop(ORDER, script=lambda _: answer(500), breaker=breaker, retry="off") as service:
        for operation in ("order", "put"):
            with pytest.raises(ServerError):
                service.call(operation)
        with pytest.raises(BreakerOpen, match=r"shop\.get: the service has been failing"):
            service.get("/x")
        assert service.count == 2


def test_an_operation_may_have_a_breaker_of_its_own():
    operations = {
        "a": {"get": "/a", "breaker": {"ratio": "99%", "samples": 1}},
        "b": {"get": "/b"},
        "c": {"get": "/c", "breaker": "off"},
    }
    with ScriptedServer(lambda _: answer(500)) as server:
        sheet = Sheet(services={"shop": {"base_url": server.url, "operations": operations, "retry": "off"}})
        with Client(sheet) as client:
            shop = client.service("shop")
            for name in "abc":
                with pytest.raises(ServerError):
                    shop.call(name)
            states = [shop.breaker("a").state, shop.breaker("b").state, shop.breaker().state, shop.breaker().samples]
            assert states == ["open", "closed", "closed", 1]
            with pytest.raises(UsageError, match=r"the breaker is off here \(breaker: off\)"):
                shop.breaker("c")


def test_a_breaker_can_be_read_and_forced():
    events = []
    with ScriptedServer(lambda _: answer(500)) as server:
        sheet = Sheet(
            services={"shop": {"base_url": server.url, "retry": "off", "breaker": {"ratio": "50%", "samples": 2}}}
        )
        with Client(sheet, listeners=(events.append,)) as client:
            shop = client.service("shop")
            breaker = shop.breaker()
            assert repr(breaker) == "<BreakerControl shop closed: 0 of 0 failed>"
            breaker.force_open()
            with pytest.raises(BreakerOpen, match="forced open"):
                shop.get("/")
            assert (breaker.state, breaker.seconds_left) == ("forced-open", 0.0)
            breaker.force_closed()
            for _ in range(3):
                with pytest.raises(ServerError):
                    shop.get("/")
            breaker.reset()
            for _ in range(2):
                with pytest.raises(ServerError):
                    shop.get("/")
            assert (breaker.state, 4.0 < breaker.seconds_left <= 5.0) == ("open", True)
            # Another view of the service has the same breaker.
            assert client.service("shop", timeout=3).breaker().state == "open"
    changes = [event.state for event in events if isinstance(event, BreakerChanged)]
    assert changes == ["forced-open", "forced-closed", "closed", "open"]


def test_other_breaker_settings_in_code_are_another_breaker_and_off_is_none():
    with Client(base_url="http://127.0.0.1:9", retry="off") as client:
        client.breaker().force_open()
        assert client.service("api", breaker={"samples": 3}).breaker().state == "closed"
        with pytest.raises(UsageError, match="breaker: off"):
            client.service("api", breaker="off").breaker()


AROUND = "not done within 0.1[0-9]+ s, which the deadline around it had left"


def test_a_deadline_around_calls_ends_them(shop):
    with shop({"slow": {"get": "/slow"}}, script=lambda _: silence()) as service:
        with callsheet.deadline(0.15), pytest.raises(DeadlinePassed, match=AROUND):
            service.call("slow", timeout=20)
        assert service.count == 1


def test_a_deadline_around_tasks_ends_them_all():
    async def errors_of(url):
        async with AsyncClient(base_url=url) as client:
            with callsheet.deadline(0.15):
                calls = [client.get("/slow", timeout=20) for _ in range(5)]
                return await asyncio.gather(*calls, return_exceptions=True)

    with ScriptedServer(lambda _: silence()) as server:
        errors = asyncio.run(errors_of(server.url))
    assert [type(error) for error in errors] == [DeadlinePassed] * 5


def test_a_deadline_around_a_map_holds_for_each_of_its_calls():
    with ScriptedServer(lambda _: silence()) as server:
        sheet = Sheet(services={"shop": {"base_url": server.url, "operations": {"slow": {"get": "/slow/{n}"}}}})
        with Client(sheet) as client, callsheet.deadline(0.2):
            outcomes = list(client.map("slow", [{"n": str(n)} for n in range(4)], concurrency=4, on_error="keep"))
    assert [type(outcome.error) for outcome in outcomes] == [DeadlinePassed] * 4


def test_each_argument_value_may_have_a_limit_of_its_own(any_shop):
    limit = {"rates": "2/h", "per": "tenant", "when_full": "fail"}
    operations = {"list": {"get": "/list", "query": {"tenant": "string"}}}
    with any_shop(operations, rate_limit=limit) as service:
        for tenant in ("a", "a", "b", "b"):
            service.call("list", tenant=tenant)
        for tenant in ("a", "b"):
            with pytest.raises(callsheet.LimitReached):
                service.call("list", tenant=tenant)
        service.call("list", tenant="c")
        assert service.count == 5


def test_limits_of_values_that_have_had_their_turns_are_forgotten():
    from callsheet.policies.rate_limit import MANY, Limiters
    from callsheet.settings import Rate, RateLimit

    limits = Limiters(RateLimit((Rate(1, 1.0),), per="tenant"))
    for number in range(3 * MANY):
        limits.limiter(str(number), 1000.0 + number).reserve(1000.0 + number, 1, 1e9)
    assert len(limits.by_key) <= MANY + 1


def test_an_operations_limit_holds_beside_the_services(any_shop):
    operations = {
        "search": {"get": "/s", "rate_limit": "1/h"},
        "list": {"get": "/l"},
        "report": {"get": "/r", "rate_limit": {"cost": 3}},
    }
    with any_shop(operations, rate_limit={"rates": "5/h", "when_full": "fail"}) as service:
        service.call("search")
        with pytest.raises(callsheet.LimitReached, match=r"rate_limit 1/3600 s"):
            service.call("search")
        service.call("report")
        service.call("list")
        with pytest.raises(callsheet.LimitReached, match=r"rate_limit 5/3600 s"):
            service.call("list")
        assert service.count == 3


def test_a_limit_per_operation_counts_each_apart(any_shop):
    limit = {"rates": "1/h", "per": "operation", "when_full": "fail"}
    with any_shop({"a": {"get": "/a"}, "b": {"get": "/b"}}, rate_limit=limit) as service:
        service.call("a")
        service.call("b")
        for name in "ab":
            with pytest.raises(callsheet.LimitReached):
                service.call(name)


def test_a_cost_that_the_services_rate_never_allows_is_told_when_the_operation_is_compiled():
    operations = {"a": {"get": "/a", "rate_limit": {"rates": "100/s", "cost": 9}}}
    sheet = Sheet(services={"shop": {"base_url": "http://127.0.0.1:9", "rate_limit": "5/s", "operations": operations}})
    with pytest.raises(callsheet.SheetError, match="costs 9 units, more than 5/1 s"):
        Client(sheet, eager=True)


def test_the_time_left_goes_on_the_wire(any_shop):
    with any_shop({"a": {"get": "/a"}}, deadline_header="X-Timeout") as service:
        service.call("a", timeout=5)
        assert 4.0 < float(service.sent.header("x-timeout")) <= 5.0


@pytest.mark.parametrize(("budget", "attempts"), [({"ratio": 0, "floor": 0}, 1), ("off", 3), (False, 3)])
def test_without_a_budget_each_call_makes_all_of_its_attempts(any_shop, budget, attempts):
    retry = {**QUICK["retry"], "budget": budget}
    with any_shop(
        {"get": {"get": "/a", "retry": {"attempts": 3}}}, script=lambda _: answer(503), retry=retry
    ) as service:
        for _ in range(5):
            with pytest.raises(ServerError) as caught:
                service.call("get")
            assert caught.value.attempts == attempts
        assert service.count == 5 * attempts
