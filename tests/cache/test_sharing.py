"""Whose answer it is, and one call at a time that fetches it."""

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from callsheet import AsyncClient, Client, DeadlinePassed, NotFound
from callsheet.stores.base import Find
from callsheet.testing import Reply
from tests.cache.conftest import BlockingShop
from tests.loops import LOOPS, run

FRESH = (("Cache-Control", "max-age=60"),)
PLAIN = "callsheet: 1\nservices: {{shop: {{base_url: https://shop.test/v1, cache: CACHE, {settings}}}}}"
PRINCIPALS = {
    "bearer": ('auth: {bearer: "one"}', 'auth: {bearer: "two"}'),
    "user name": ("auth: {basic: {username: a, password: p}}", "auth: {basic: {username: b, password: p}}"),
    "password": ("auth: {basic: {username: a, password: p}}", "auth: {basic: {username: a, password: q}}"),
    "user name as key": ("auth: {basic: {username: k1}}", "auth: {basic: {username: k2}}"),
    "api key in a header": (
        "auth: {api_key: {header: X-Key, value: one}}",
        "auth: {api_key: {header: X-Key, value: two}}",
    ),
    "api key in a cookie": (
        "auth: {api_key: {cookie: key, value: one}}",
        "auth: {api_key: {cookie: key, value: two}}",
    ),
    "api key in the query": (
        "auth: {api_key: {query: key, value: one}}",
        "auth: {api_key: {query: key, value: two}}",
    ),
    "a secret header": ('headers: {X-Token: "one"}', 'headers: {X-Token: "two"}'),
    "nobody": ("retry: off", 'auth: {bearer: "two"}'),
    "a signing key": (
        "sign: {hmac: {key: a-key-of-16-bytes-one, header: X-Sig, components: [method]}}",
        "sign: {hmac: {key: a-key-of-16-bytes-two, header: X-Sig, components: [method]}}",
    ),
}


def n(answer):
    return answer.json()["n"]


def sheet(cache):
    return PLAIN.replace("CACHE", cache)


@pytest.fixture
def store(new_shop):
    """Has shops that were made apart keep their answers in one place."""

    def share(*shops):
        first = shops[0].client._cache_store()
        for shop in shops[1:]:
            shop.client._wiring.cache_store = lambda *_: first
            shop.client._makers.clear()

    return share


class TestTwoPrincipals:
    @pytest.mark.parametrize("cache", ["http", "5m"])
    @pytest.mark.parametrize("kind", PRINCIPALS)
    def test_never_see_each_others_answers(self, new_shop, store, numbered, kind, cache):
        numbered("/a", Cache_Control="max-age=60")
        ada, bob = (new_shop(settings, sheet=sheet(cache)) for settings in PRINCIPALS[kind])
        again = new_shop(PRINCIPALS[kind][0], sheet=sheet(cache))
        store(ada, bob, again)
        assert [n(shop.do("get", "/a")) for shop in (ada, bob, again, bob)] == [1, 2, 1, 2]

    def test_in_mode_ttl_a_plain_field_of_the_settings_tells_answers_apart(self, new_shop, store, numbered):
        numbered("/a")
        ada, bob = (new_shop(f"headers: {{X-Tenant: {name}}}", sheet=sheet("5m")) for name in ("one", "two"))
        store(ada, bob)
        assert [n(shop.do("get", "/a")) for shop in (ada, bob, ada)] == [1, 2, 1]

    @pytest.mark.parametrize("cache", ["http", "5m"])
    @pytest.mark.parametrize("name", ["Authorization", "Cookie", "X-Api-Key", "X-Session-Token"])
    def test_nor_do_two_calls_with_credentials_of_their_own(self, new_shop, numbered, name, cache):
        shop = new_shop("retry: off", sheet=sheet(cache))
        numbered("/a", Cache_Control="max-age=60")
        calls = [{name: "one"}, {name: "two"}, {name: "one"}, {}]
        assert [n(shop.do("get", "/a", headers=headers)) for headers in calls] == [1, 2, 1, 3]

    def test_what_is_shared_may_be_shown_to_everybody(self, new_shop, store, fake):
        count = iter(range(1, 99))
        fake.on("GET", "/public").call(
            lambda sent: Reply(200, b'{"n": %d}' % next(count), (("Cache-Control", "public, max-age=60"),))
        )
        fake.on("GET", "/own").call(lambda sent: Reply(200, b'{"n": %d}' % next(count), FRESH))
        cache = "{{mode: http, shared: true}}"
        ada, bob = (new_shop(settings, sheet=sheet(cache)) for settings in PRINCIPALS["bearer"])
        store(ada, bob)
        assert [n(shop.do("get", "/public")) for shop in (ada, bob)] == [1, 1]
        assert [n(shop.do("get", "/own")) for shop in (ada, bob, ada)] == [2, 3, 2]

    def test_in_mode_ttl_shared_is_for_all(self, new_shop, store, numbered):
        numbered("/a")
        shops = [new_shop(settings, sheet=sheet("{{ttl: 1m, shared: true}}")) for settings in PRINCIPALS["bearer"]]
        store(*shops)
        assert [n(shop.do("get", "/a")) for shop in shops] == [1, 1]

    def test_what_one_has_changed_is_dropped_for_all(self, new_shop, store, fake, numbered):
        numbered("/a", Cache_Control="max-age=60")
        fake.on("PUT", "/a").respond(204)
        ada, bob = (new_shop(settings, sheet=sheet("http")) for settings in PRINCIPALS["bearer"])
        store(ada, bob)
        ada.do("get", "/a"), bob.do("get", "/a")
        ada.do("put", "/a")
        assert [n(ada.do("get", "/a")), n(bob.do("get", "/a"))] == [3, 4]


class TestWhoeverIsNotKnown:
    PYTHON = "callsheet: 1\nservices: {{shop: {{base_url: https://shop.test/v1, cache: http, auth: AUTH}}}}"

    @pytest.fixture(autouse=True)
    def login(self, tmp_path, monkeypatch):
        module = tmp_path / "a_login_of_the_test.py"
        module.write_text("def sign_in(request):\n    return request.plus('Authorization', 'Bearer of-the-hour')\n")
        monkeypatch.syspath_prepend(str(tmp_path))

    def test_a_function_does_not_say_whose_answer_it_is(self, new_shop, numbered):
        shop = new_shop(sheet=self.PYTHON.replace("AUTH", '{{python: "a_login_of_the_test:sign_in"}}'))
        numbered("/a", Cache_Control="max-age=60")
        assert [n(shop.do("get", "/a")) for _ in range(2)] == [1, 2]
        assert ("not stored", "the sheet does not say whose credential a function gives (identity)") in shop.did
        assert "write `auth: {python, identity}`" in " ".join(str(shop.client.explain()).split())

    def test_unless_the_sheet_says_it(self, new_shop, store, numbered):
        auth = '{{python: "a_login_of_the_test:sign_in", identity: NAME}}'
        ada, bob = (new_shop(sheet=self.PYTHON.replace("AUTH", auth.replace("NAME", name))) for name in ("ada", "bob"))
        store(ada, bob)
        numbered("/a", Cache_Control="max-age=60")
        assert [n(shop.do("get", "/a")) for shop in (ada, ada, bob)] == [1, 1, 2]

    def test_what_varies_on_the_token_of_the_hour_is_not_stored(self, new_shop, numbered):
        auth = '{{python: "a_login_of_the_test:sign_in", identity: ada}}'
        shop = new_shop(sheet=self.PYTHON.replace("AUTH", auth))
        numbered("/a", Cache_Control="max-age=60", Vary="Authorization")
        assert [n(shop.do("get", "/a")) for _ in range(2)] == [1, 2]
        assert ("not stored", "it varies on authorization, which was set after the store was asked") in shop.did

    def test_a_jar_that_holds_cookies(self, new_shop, fake, numbered):
        shop = new_shop("cookies: true", sheet=sheet("http"))
        numbered("/a", Cache_Control="max-age=60")
        fake.on("GET", "/login").respond(200, headers={"Set-Cookie": "session=1", "Cache-Control": "max-age=60"})
        assert [n(shop.do("get", "/a")) for _ in range(2)] == [1, 1]
        shop.do("get", "/login")
        assert ("not stored", "it belongs to a session (cookies)") in shop.did
        assert [n(shop.do("get", "/a")) for _ in range(2)] == [2, 3]
        assert ("not stored", "the jar holds cookies") in shop.did


def test_a_token_by_a_function_is_nobodys_and_one_in_a_file_is_what_the_file_says(new_shop, numbered, tmp_path, fake):
    token = tmp_path / "token"
    token.write_text("of-ada")
    numbered("/a", Cache_Control="max-age=60")
    by_file = new_shop(f"auth: {{{{bearer: '${{{{file:{token}}}}}'}}}}".format(), sheet=sheet("http"))
    assert [n(by_file.do("get", "/a")) for _ in range(2)] == [1, 1]
    token.write_text("of-bob, who has another")
    by_file.wait(2)
    assert n(by_file.do("get", "/a")) == 2
    by_function = by_file.kind(
        base_url="https://shop.test/v1", cache="http", auth={"bearer": lambda: "of-somebody"}, transport=fake
    )
    shop = new_shop("retry: off", sheet=sheet("http"))
    shop.client = by_function
    assert [n(shop.do("get", "/a")) for _ in range(2)] == [3, 4]


class TestNoSecretIsStored:
    CANARY = "c4n4ry-of-the-cache"

    def kept(self, shop):
        store = shop.client._cache_store()
        memory = getattr(store, "_store", store)
        return [entry for variants in memory._kept.values() for entry in variants.values()]

    def test_neither_in_the_url_nor_in_keys_nor_from_an_answer_that_repeats_it(self, new_shop, fake):
        shop = new_shop(f"params: {{key: {self.CANARY}}}, auth: {{bearer: {self.CANARY}}}", sheet=sheet("http"))
        fake.on("GET", "/a").respond(
            200, json={"n": 1}, headers=[("Cache-Control", "max-age=60"), ("Set-Cookie", f"a={self.CANARY}")]
        )
        fake.on("GET", "/echo").call(
            lambda sent: Reply(200, sent.headers["Authorization"].encode(), (("Cache-Control", "max-age=60"),))
        )
        shop.do("get", "/a"), shop.do("get", "/echo")
        assert ("not stored", "it repeats a secret of the request") in shop.did
        kept = self.kept(shop)
        assert len(kept) == 1
        assert self.CANARY not in repr(kept)
        assert "Set-Cookie" not in dict(kept[0].fields)

    def test_a_secret_parameter_of_the_call_is_known_by_its_hash(self, shop, numbered):
        numbered("/a", Cache_Control="max-age=60", Vary="X-Api-Key")
        for value in ("one", "two", "one"):
            shop.do("get", "/a", headers={"X-Api-Key": self.CANARY + value})
        assert shop.sent("/a") == 2
        assert self.CANARY not in repr(self.kept(shop))


class TestOneFillAtATime:
    def test_those_that_miss_together_send_one_request(self, shop, fake):
        fake.on("GET", "/a").respond(200, json={"n": 1}, headers=dict(FRESH), delay=1.0)
        answers = shop.together(*[("get", "/a", {})] * 8)
        assert [n(answer) for answer in answers] == [1] * 8
        assert shop.sent("/a") == 1
        assert {answer.cache_status for answer in answers} <= {
            "callsheet; fwd=uri-miss; stored",
            "callsheet; fwd=uri-miss; collapsed",
            "callsheet; hit; ttl=59",  # the answer was a second on its way (RFC 9111 4.2.3)
        }

    def test_they_share_the_services_error(self, shop, fake):
        fake.on("GET", "/a").respond(404, json={"detail": "gone fishing"}, delay=1.0).nothing_more()
        errors = shop.together(*[("get", "/a", {})] * 5)
        assert {type(error) for error in errors} == {NotFound}
        assert len({id(error) for error in errors}) == 5
        assert all("gone fishing" in str(error) for error in errors)

    def test_and_the_error_that_stands_for_an_answer(self, new_shop, fake):
        shop = new_shop("retry: off")
        fake.on("GET", "/a").drop(delay=1.0).nothing_more()
        errors = shop.together(*[("get", "/a", {})] * 5)
        assert {type(error).__name__ for error in errors} == {"NoAnswer"}
        assert all(error.was_sent for error in errors)
        assert len({id(error) for error in errors}) == 5

    def test_what_must_not_be_stored_is_not_shared(self, shop, fake):
        count = iter(range(1, 99))
        fake.on("GET", "/a").call(
            lambda sent: Reply(200, b'{"n": %d}' % next(count), (("Cache-Control", "no-store"),), delay=1.0)
        )
        answers = shop.together(*[("get", "/a", {})] * 5)
        assert sorted(n(answer) for answer in answers) == [1, 2, 3, 4, 5]

    def test_each_waits_within_its_own_deadline(self, shop, fake):
        fake.on("GET", "/a").respond(200, json={"n": 1}, headers=dict(FRESH), delay=5.0)
        long, short = shop.together(("get", "/a", {}), ("get", "/a", {"timeout": 1.0}))
        failed = next(each for each in (long, short) if isinstance(each, Exception))
        assert isinstance(failed, DeadlinePassed)
        assert shop.sent("/a") <= 2

    def test_one_that_runs_out_of_its_own_time_hands_over(self, new_shop, fake):
        shop = new_shop("retry: off")
        fake.on("GET", "/a").respond(200, json={"n": 1}, headers=dict(FRESH), delay=3.0).respond(
            200, json={"n": 2}, headers=dict(FRESH)
        )
        first, *rest = shop.together(("get", "/a", {"timeout": 1.0}), ("get", "/a", {}), ("get", "/a", {}))
        outcomes = [first, *rest]
        assert sum(isinstance(each, Exception) for each in outcomes) <= 1
        assert shop.sent("/a") <= 2
        assert all(n(each) in (1, 2) for each in outcomes if not isinstance(each, Exception))

    def test_they_get_what_the_last_attempt_brought(self, new_shop, fake):
        shop = new_shop()
        fake.on("GET", "/a").respond(503, headers=dict(FRESH), delay=1.0).respond(
            200, json={"n": 2}, headers=dict(FRESH)
        )
        answers = shop.together(*[("get", "/a", {})] * 4)
        assert [n(answer) for answer in answers] == [2] * 4
        assert shop.sent("/a") == 2

    def test_a_redirect_is_followed_by_each_and_where_it_leads_is_asked_once(self, new_shop, fake):
        shop = new_shop("redirects: same-origin")
        fake.on("GET", "/old").respond(301, headers={"Location": "/v1/new"}, delay=1.0)
        fake.on("GET", "/new").respond(200, json={"n": 1}, headers=dict(FRESH), delay=1.0)
        answers = shop.together(*[("get", "/old", {})] * 5)
        assert [n(answer) for answer in answers] == [1] * 5
        assert (shop.sent("/old"), shop.sent("/new")) == (5, 1)
        assert not shop.client._cache_states()["shop"].flights

    @pytest.mark.parametrize("cache", ["{{ttl: 1m, shared: true}}", "{{mode: http, shared: true}}"])
    def test_a_failure_is_shared_with_nobody_else_not_even_where_answers_are(self, new_shop, fake, cache):
        shop = new_shop(sheet=sheet(cache))
        names = {"token-of-ada": "ada", "token-of-bob": "bob", "token-of-eve": "eve"}
        fake.on("GET", "/a").call(
            lambda sent: Reply(403, f"not for {names[sent.headers['Authorization']]}".encode(), (), delay=1.0)
        )
        calls = [*names, "token-of-ada", "token-of-bob"]
        errors = shop.together(*[("get", "/a", {"headers": {"Authorization": token}}) for token in calls])
        assert [error.response.text for error in errors] == [f"not for {names[token]}" for token in calls]

    # No other task runs between a look into memory and what comes of it.
    @pytest.mark.parametrize("new_shop", [BlockingShop], ids=["blocking"], indirect=True)
    def test_one_that_looked_before_the_answer_was_stored_looks_again(self, new_shop, numbered):
        shop = new_shop()
        numbered("/a", Cache_Control="max-age=60")
        store = shop.client._cache_store()
        find, nested = store._answers[Find], []

        def overtaken(question):
            found = find(question)
            if not nested:
                nested.append(None)
                nested.append(shop.do("get", "/a"))
            return found

        store._answers[Find], store._lock = overtaken, contextlib.nullcontext()
        assert [n(shop.do("get", "/a")), n(nested[1])] == [1, 1]
        assert shop.sent("/a") == 1
        assert not shop.client._cache_states()["shop"].flights

    def test_nobody_waits_for_who_asks_for_something_else(self, shop, numbered):
        numbered("/a", Cache_Control="max-age=60", Vary="Accept")
        answers = shop.together(*[("get", "/a", {"headers": {"Accept": kind}}) for kind in ("text/plain", "text/html")])
        assert sorted(n(answer) for answer in answers) == [1, 2]

    def test_no_flight_is_left_and_waiters_hold_no_slot(self, new_shop, fake):
        shop = new_shop("concurrency: {limit: 1, queue: 0}")
        fake.on("GET", "/a").respond(200, json={"n": 1}, headers=dict(FRESH), delay=1.0)
        answers = shop.together(*[("get", "/a", {})] * 6)
        assert [n(answer) for answer in answers] == [1] * 6
        assert not shop.client._cache_states()["shop"].flights


def test_many_threads_and_many_tasks_at_once(new_shop, fake):
    shop = new_shop()
    count, lock = iter(range(1, 10_000)), threading.Lock()

    def answered(sent):
        with lock:
            return Reply(200, b'{"n": %d}' % next(count), FRESH)

    fake.on("GET", "/{key}").call(answered)
    calls = [("get", f"/{number % 5}", {}) for number in range(60 if isinstance(shop, BlockingShop) else 500)]
    answers = shop.together(*calls)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert len(fake.calls) == 5


@pytest.mark.parametrize("loop", LOOPS)
def test_a_task_that_is_cancelled_hands_over_to_the_oldest_waiter(fake, loop):
    fake.on("GET", "/a").respond(200, json={"n": 1}, headers=dict(FRESH), delay=3.0).respond(
        200, json={"n": 2}, headers=dict(FRESH)
    )

    async def story():
        async with AsyncClient(base_url="https://shop.test/v1", cache="http", transport=fake) as shop:
            first = asyncio.ensure_future(shop.get("/a"))
            while not fake.calls:  # noqa: ASYNC110 the fake tells nobody
                await asyncio.sleep(0)
            rest = [asyncio.ensure_future(shop.get("/a")) for _ in range(3)]
            for _ in range(20):
                await asyncio.sleep(0)
            first.cancel()
            return await asyncio.gather(first, *rest, return_exceptions=True)

    first, *rest = run(story(), loop)
    assert isinstance(first, asyncio.CancelledError)
    assert [n(answer) for answer in rest] == [2, 2, 2]
    assert len(fake.calls) == 2


def test_a_thread_that_is_interrupted_hands_over_to_the_oldest_waiter(fake):
    begun, interrupt = threading.Event(), threading.Event()

    def first_interrupted(sent):
        if begun.is_set():
            return Reply(200, b'{"n": 2}', FRESH)
        begun.set()
        interrupt.wait(5)
        raise KeyboardInterrupt

    fake.on("GET", "/a").call(first_interrupted)
    with (
        Client(base_url="https://shop.test/v1", cache="http", transport=fake) as shop,
        ThreadPoolExecutor(4) as pool,
    ):
        first = pool.submit(shop.get, "/a")
        begun.wait(5)
        rest = [pool.submit(shop.get, "/a") for _ in range(3)]
        interrupt.set()
        with pytest.raises(KeyboardInterrupt):
            first.result(5)
        assert [n(each.result(5)) for each in rest] == [2, 2, 2]
    assert len(fake.calls) == 2
