"""What is served from the store and what is not, by the answer's own fields and by a time to live, for both clients."""

import pytest

from callsheet import NoAnswer, NotFound, ServerError
from callsheet.testing import Reply

ETAG = '"a"'


def n(answer):
    return answer.json()["n"]


class TestByTheAnswersOwnFields:
    def test_an_answer_serves_until_it_is_stale(self, shop, numbered):
        numbered("/a", Cache_Control="max-age=60")
        first, again = shop.do("get", "/a"), shop.do("get", "/a")
        assert (n(first), first.from_cache, first.cache_status) == (1, False, "callsheet; fwd=uri-miss; stored")
        assert (n(again), again.from_cache, again.attempts) == (1, True, 0)
        assert again.cache_status.startswith("callsheet; hit; ttl=")
        shop.wait(30)
        assert shop.do("get", "/a").headers["Age"] == "30"
        shop.wait(31)
        assert n(shop.do("get", "/a")) == 2

    def test_a_304_makes_the_stored_answer_fresh_and_updates_its_fields(self, shop, fake):
        fake.on("GET", "/a").respond(
            200, json={"n": 1}, headers={"Cache-Control": "max-age=60", "ETag": ETAG, "X-Seen": "1"}
        ).respond(304, headers={"Cache-Control": "max-age=60", "ETag": ETAG, "X-Seen": "2"}).nothing_more()
        shop.do("get", "/a")
        shop.wait(61)
        answer = shop.do("get", "/a")
        assert (answer.status_code, n(answer), answer.headers["X-Seen"]) == (200, 1, "2")
        assert answer.from_cache
        assert answer.cache_status == "callsheet; fwd=stale; fwd-status=304; stored"
        assert fake.calls[1].headers["If-None-Match"] == ETAG
        shop.wait(59)
        assert shop.do("get", "/a").headers["X-Seen"] == "2"

    def test_the_conditions_are_on_every_attempt_retries_too(self, shop, fake):
        headers = {"Cache-Control": "no-cache", "Last-Modified": "Wed, 01 Jan 2020 00:00:00 GMT"}
        fake.on("GET", "/a").respond(200, json={"n": 1}, headers=headers).respond(503).respond(304, headers=headers)
        shop.do("get", "/a")
        assert n(shop.do("get", "/a")) == 1
        assert [call.headers.get("If-Modified-Since") for call in fake.calls] == [None, *[headers["Last-Modified"]] * 2]

    def test_a_new_answer_replaces_the_stale_one(self, shop, numbered):
        numbered("/a", Cache_Control="max-age=60")
        shop.do("get", "/a")
        shop.wait(61)
        assert n(shop.do("get", "/a")) == 2
        assert n(shop.do("get", "/a")) == 2

    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            ({"Cache_Control": "no-store"}, "no-store"),
            ({}, "nothing says for how long it serves"),
            ({"Cache_Control": "max-age=60", "Vary": "*"}, "Vary: *"),
            ({"Cache_Control": "max-age=0"}, "it is stale at once, and has no validator"),
        ],
    )
    def test_what_is_not_stored_says_why(self, shop, numbered, fields, why):
        numbered("/a", **fields)
        assert [n(shop.do("get", "/a")), n(shop.do("get", "/a"))] == [1, 2]
        assert ("not stored", why) in shop.did
        assert why in shop.do("get", "/a").cache_status

    def test_variants_stand_beside_each_other(self, shop, numbered):
        numbered("/a", Cache_Control="max-age=60", Vary="Accept-Language")
        ask = [{"Accept-Language": "de"}, {"Accept-Language": "en"}, {"Accept-Language": "de"}, {}, {}]
        assert [n(shop.do("get", "/a", headers=headers)) for headers in ask] == [1, 2, 1, 3, 3]
        assert n(shop.do("get", "/a", headers={"Accept-Language": "de", "X-Other": "1"})) == 1

    def test_other_queries_are_other_answers(self, shop, numbered):
        numbered("/a", Cache_Control="max-age=60")
        assert [n(shop.do("get", "/a", params={"p": p})) for p in (1, 2, 1)] == [1, 2, 1]

    def test_a_head_is_answered_from_a_stored_get_and_is_not_stored_itself(self, shop, fake, numbered):
        numbered("/a", Cache_Control="max-age=60")
        fake.on("HEAD", "/a").respond(200, headers={"Cache-Control": "max-age=60"})
        shop.do("head", "/a")
        assert n(shop.do("get", "/a")) == 1
        head = shop.do("head", "/a")
        assert (head.from_cache, head.content) == (True, b"")
        assert shop.sent("/a", "HEAD") == 1

    def test_a_head_renews_or_drops_the_stored_get(self, shop, fake, numbered):
        numbered("/a", Cache_Control="max-age=60", ETag=ETAG)
        fake.on("HEAD", "/a").call(
            lambda sent: Reply(headers=(("Cache-Control", "max-age=60"), ("ETag", ETAG), ("Content-Length", "8")))
        ).respond(headers={"ETag": '"b"'})
        shop.do("get", "/a")
        shop.wait(61)
        shop.do("head", "/a")
        assert shop.do("get", "/a").cache_status.startswith("callsheet; hit")
        shop.wait(61)
        shop.do("head", "/a")
        assert n(shop.do("get", "/a")) == 2

    def test_the_callers_own_condition_is_answered_from_the_store(self, shop, numbered):
        numbered("/a", Cache_Control="max-age=60", ETag=ETAG)
        shop.do("get", "/a")
        good = shop.do("get", "/a", headers={"If-None-Match": 'W/"a"'})
        assert (good.status_code, good.content, good.headers["ETag"]) == (304, b"", ETAG)
        assert n(shop.do("get", "/a", headers={"If-None-Match": '"b"'})) == 1
        assert shop.sent("/a") == 1

    @pytest.mark.parametrize("field", ["Range", "If-Range", "If-Match", "If-Unmodified-Since"])
    def test_what_asks_for_more_than_a_whole_answer_goes_to_the_service(self, shop, numbered, field):
        numbered("/a", Cache_Control="max-age=60")
        shop.do("get", "/a")
        assert n(shop.do("get", "/a", headers={field: "x"})) == 2
        assert n(shop.do("get", "/a")) == 1

    def test_a_part_is_never_stored_as_the_whole(self, shop, fake):
        fake.on("GET", "/a").respond(206, json={"n": 1}, headers={"Cache-Control": "max-age=60"})
        shop.do("get", "/a")
        shop.do("get", "/a")
        assert shop.sent("/a") == 2

    def test_only_if_cached_is_a_504_where_nothing_is_stored(self, shop, numbered):
        numbered("/a", Cache_Control="max-age=60")
        with pytest.raises(ServerError, match="504"):
            shop.do("get", "/a", headers={"Cache-Control": "only-if-cached"})
        assert shop.sent("/a") == 0
        shop.do("get", "/a")
        assert n(shop.do("get", "/a", headers={"Cache-Control": "only-if-cached"})) == 1

    def test_a_stale_answer_serves_who_takes_it(self, shop, numbered):
        numbered("/a", Cache_Control="max-age=60")
        shop.do("get", "/a")
        shop.wait(90)
        stale = shop.do("get", "/a", headers={"Cache-Control": "max-stale=60"})
        assert (n(stale), stale.cache_status) == (1, "callsheet; hit; ttl=-30")
        assert n(shop.do("get", "/a", headers={"Cache-Control": "max-stale=20"})) == 2

    @pytest.mark.parametrize("wish", ["max-age=20", "min-fresh=50", "no-cache", "max-age=0"])
    def test_a_fresh_answer_does_not_serve_who_wants_a_fresher_one(self, shop, numbered, wish):
        numbered("/a", Cache_Control="max-age=60")
        shop.do("get", "/a")
        shop.wait(30)
        assert n(shop.do("get", "/a", headers={"Cache-Control": wish})) == 2
        assert n(shop.do("get", "/a")) == 2

    def test_a_stored_404_raises_again(self, shop, numbered):
        numbered("/a", status=404, Cache_Control="max-age=60")
        for _ in range(2):
            with pytest.raises(NotFound):
                shop.do("get", "/a")
        assert shop.sent("/a") == 1

    def test_an_answer_that_is_too_large_is_not_stored(self, new_shop, numbered):
        sheet = (
            "callsheet: 1\nservices: {{shop: {{base_url: https://shop.test/v1, cache: {{mode: http, max_entry: 5B}}}}}}"
        )
        shop = new_shop(sheet=sheet)
        numbered("/a", Cache_Control="max-age=60")
        assert [n(shop.do("get", "/a")) for _ in range(2)] == [1, 2]
        assert ("not stored", "it is larger than 5 bytes (max_entry)") in shop.did


class TestByATimeToLive:
    def test_a_success_serves_for_the_time_whatever_its_fields_say(self, shop, numbered):
        numbered("/users/7", Cache_Control="no-store")
        answers = [shop.do("call_with_response", "user", id=7) for _ in range(2)]
        assert [answer.from_cache for answer in answers] == [False, True]
        assert answers[1].cache_status == "callsheet; hit; ttl=300"
        shop.wait(301)
        assert not shop.do("call_with_response", "user", id=7).from_cache

    def test_failures_are_not_kept(self, shop, fake):
        fake.on("GET", "/users/7").respond(404).respond(200, json={}).respond(404)
        with pytest.raises(NotFound):
            shop.do("call", "user", id=7)
        shop.do("call", "user", id=7)
        assert shop.do("call_with_response", "user", id=7).from_cache

    def test_what_a_rule_or_an_envelope_calls_a_failure_is_not_kept(self, new_shop, fake):
        shop = new_shop("envelope: {ok: {path: code, equals: 0}}")
        fake.on("GET", "/users/7").respond(200, json={"code": 5}).respond(200, json={"code": 0})
        with pytest.raises(Exception, match="5"):
            shop.do("call", "user", id=7)
        shop.do("call", "user", id=7)
        assert shop.do("call_with_response", "user", id=7).from_cache
        assert ("not stored", "an error rule or the envelope says failed") in shop.did

    def test_a_post_that_is_safe_is_known_by_its_body(self, shop, fake):
        fake.on("POST", "/search").call(lambda sent: sent.json())
        bodies = [{"a": 1, "b": [2]}, {"b": [2], "a": 1}, {"a": 2}]
        assert [shop.do("call_with_response", "search", json=body).from_cache for body in bodies] == [
            False,
            True,
            False,
        ]
        assert shop.sent("/search", "POST") == 2

    def test_a_post_that_is_not_safe_is_not_kept_though_the_service_has_a_ttl(self, new_shop, numbered):
        sheet = "callsheet: 1\nservices: {{shop: {{base_url: https://shop.test/v1, cache: {{ttl: 1m, methods: [GET, POST]}}}}}}"
        shop = new_shop(sheet=sheet)
        numbered("/a", method="POST")
        assert [n(shop.do("post", "/a", json={})) for _ in range(2)] == [1, 2]

    def test_every_field_of_the_call_tells_answers_apart_unless_some_are_named(self, new_shop, numbered):
        head = "callsheet: 1\nservices: {{shop: {{base_url: https://shop.test/v1, cache: "
        shop = new_shop(sheet=head + "1m}}}}")
        numbered("/a")
        tenants = [{"X-Tenant": "a"}, {"X-Tenant": "b"}, {"X-Tenant": "a"}, {"X-Tenant": "a", "X-Request-Id": "9"}]
        assert [n(shop.do("get", "/a", headers=headers)) for headers in tenants] == [1, 2, 1, 1]
        named = new_shop(sheet=head + "{{ttl: 1m, vary_on: [x-tenant]}}}}}}")
        numbered("/b")
        others = [{"X-Tenant": "a", "X-Other": "1"}, {"X-Tenant": "a", "X-Other": "2"}, {"X-Tenant": "b"}]
        assert [n(named.do("get", "/b", headers=headers)) for headers in others] == [1, 1, 2]


class TestWhatOneCallWants:
    def test_refresh_asks_anew_and_stores(self, shop, numbered):
        numbered("/a", Cache_Control="max-age=60")
        assert [n(shop.do("get", "/a", cache=cache)) for cache in (None, "refresh", None)] == [1, 2, 2]

    def test_off_neither_reads_nor_stores(self, shop, numbered):
        numbered("/a", Cache_Control="max-age=60")
        assert [n(shop.do("get", "/a", cache=cache)) for cache in ("off", None, "off", None)] == [1, 2, 3, 2]

    def test_no_store_reads_and_does_not_store(self, shop, numbered):
        numbered("/a", Cache_Control="max-age=60")
        assert [n(shop.do("get", "/a", cache=cache)) for cache in ("no-store", None, "no-store")] == [1, 2, 2]

    def test_only_sends_nothing(self, shop, numbered):
        numbered("/a", Cache_Control="max-age=60")
        with pytest.raises(ServerError, match="504"):
            shop.do("get", "/a", cache="only")
        shop.do("get", "/a")
        assert n(shop.do("get", "/a", cache="only")) == 1
        shop.wait(61)
        with pytest.raises(ServerError, match="504"):
            shop.do("get", "/a", cache="only")

    def test_another_word_is_refused(self, shop):
        with pytest.raises(Exception, match="did you mean 'refresh'"):
            shop.do("get", "/a", cache="refesh")

    def test_a_stored_answer_cannot_be_wanted_where_nothing_is_stored(self, new_shop):
        shop = new_shop(sheet="callsheet: 1\nservices: {{shop: {{base_url: https://shop.test}}}}")
        with pytest.raises(Exception, match="the sheet says so by `cache:`"):
            shop.do("get", "/a", cache="only")


class TestWhatIsDropped:
    @pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
    def test_what_a_call_may_have_changed(self, shop, fake, numbered, method):
        numbered("/a", Cache_Control="max-age=60")
        fake.on(method, "/a").respond(204).respond(500)
        assert n(shop.do("get", "/a")) == 1
        shop.do("request", method, "/a")
        assert n(shop.do("get", "/a")) == 2
        with pytest.raises(ServerError):
            shop.do("request", method, "/a")
        assert n(shop.do("get", "/a")) == 2

    def test_by_an_operation_that_is_not_cached_itself(self, shop, fake, numbered):
        numbered("/users/7")
        fake.on("PUT", "/users/7").respond(200)
        shop.do("call", "user", id=7)
        shop.do("call", "rename", id=7, json={})
        assert not shop.do("call_with_response", "user", id=7).from_cache

    @pytest.mark.parametrize("field", ["Location", "Content-Location"])
    def test_what_the_answer_names_on_the_same_origin(self, shop, fake, numbered, field):
        numbered("/a", Cache_Control="max-age=60")
        numbered("/b", Cache_Control="max-age=60")
        fake.on("POST", "/things").respond(201, headers={field: "/v1/a"}).respond(
            201, headers={field: "https://elsewhere.test/v1/b"}
        )
        shop.do("get", "/a"), shop.do("get", "/b")
        shop.do("post", "/things"), shop.do("post", "/things")
        assert [n(shop.do("get", "/a")), n(shop.do("get", "/b"))] == [2, 1]

    def test_a_search_by_post_drops_nothing(self, shop, fake, numbered):
        numbered("/search", Cache_Control="max-age=60")
        fake.on("POST", "/search").respond(200, json={})
        shop.do("get", "/search")
        shop.do("call", "search", json={})
        assert n(shop.do("get", "/search")) == 1

    def test_by_hand(self, shop, numbered):
        numbered("/users/1"), numbered("/a", Cache_Control="max-age=60")
        shop.do("call", "user", id=1), shop.do("get", "/a")
        assert shop.clear(service="shop", operation="user") == 1
        assert shop.do("get", "/a").from_cache
        assert shop.clear() == 1
        assert not shop.do("get", "/a").from_cache
        with pytest.raises(Exception, match="no service `shep`"):
            shop.clear(service="shep")
        counts = shop.client.cache.counts()
        assert (counts.requests, counts.hits, counts.network) == (4, 1, 3)


class TestWhereTheServiceFails:
    CONTROL = "max-age=60, stale-if-error=600"

    @pytest.mark.parametrize("fault", ["drop", "refuse", "hang", "malformed"])
    def test_a_stale_answer_serves_when_no_answer_comes(self, shop, fake, fault):
        route = fake.on("GET", "/a").respond(200, json={"n": 1}, headers={"Cache-Control": self.CONTROL})
        getattr(route, fault)()
        shop.do("get", "/a")
        shop.wait(61)
        answer = shop.do("get", "/a")
        assert (n(answer), answer.from_cache) == (1, True)
        shop.wait(600)
        with pytest.raises(Exception, match=r".") as caught:
            shop.do("get", "/a")
        assert not isinstance(caught.value, AssertionError)

    @pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
    def test_and_when_it_fails(self, shop, fake, status):
        fake.on("GET", "/a").respond(200, json={"n": 1}, headers={"Cache-Control": self.CONTROL}).respond(status)
        shop.do("get", "/a")
        shop.wait(61)
        assert n(shop.do("get", "/a")) == 1
        assert shop.did[-1][0] == "stale"

    def test_also_for_who_takes_any_status_but_only_where_no_answer_comes(self, shop, fake):
        fake.on("GET", "/a").respond(200, json={"n": 1}, headers={"Cache-Control": self.CONTROL}).drop()
        fake.on("GET", "/b").respond(200, json={"n": 1}, headers={"Cache-Control": self.CONTROL}).respond(503)
        shop.do("get", "/a"), shop.do("get", "/b")
        shop.wait(61)
        assert n(shop.do("get", "/a", raise_for_status=False)) == 1
        assert shop.do("get", "/b", raise_for_status=False).status_code == 503

    def test_not_where_the_answer_is_an_answer(self, shop, fake):
        fake.on("GET", "/a").respond(200, json={"n": 1}, headers={"Cache-Control": self.CONTROL}).respond(404)
        shop.do("get", "/a")
        shop.wait(61)
        with pytest.raises(NotFound):
            shop.do("get", "/a")

    def test_nor_where_the_answer_forbids_it(self, shop, fake):
        control = f"{self.CONTROL}, must-revalidate"
        fake.on("GET", "/a").respond(200, json={"n": 1}, headers={"Cache-Control": control}).drop()
        shop.do("get", "/a")
        shop.wait(61)
        with pytest.raises(NoAnswer):
            shop.do("get", "/a")

    def test_an_open_breaker_and_a_passed_deadline(self, new_shop, fake):
        shop = new_shop("retry: off\n    breaker: {samples: 2, window: 1ms}")
        fake.on("GET", "/users/1").respond(200, json={}).hang()
        fake.on("GET", "/b").respond(503, delay=0.1)
        shop.do("call", "user", id=1)
        shop.wait(301)
        assert shop.do("call_with_response", "user", id=1, timeout=1.0).from_cache
        for _ in range(3):
            with pytest.raises(Exception, match=r"."):
                shop.do("get", "/b")
        sent = shop.sent("/users/1")
        assert shop.do("call_with_response", "user", id=1).from_cache
        assert shop.sent("/users/1") == sent
        assert ("stale", "in place of BreakerOpen") in shop.did

    def test_a_limit_that_is_reached(self, new_shop, fake):
        shop = new_shop("rate_limit: {rates: 1/h, when_full: fail}")
        fake.on("GET", "/users/1").respond(200, json={}).nothing_more()
        shop.do("call", "user", id=1)
        shop.wait(301)
        assert shop.do("call_with_response", "user", id=1).from_cache
        assert ("stale", "in place of LimitReached") in shop.did


class TestWhileAnotherIsFetched:
    def test_the_stale_answer_comes_at_once_and_a_call_in_the_background_fetches_another(self, shop, numbered):
        numbered("/a", Cache_Control="max-age=60, stale-while-revalidate=600")
        shop.do("get", "/a")
        shop.wait(61)
        answer = shop.do("get", "/a")
        assert (n(answer), answer.from_cache, answer.attempts) == (1, True, 0)
        shop.settle(lambda: [did for did, _ in shop.did].count("stored") == 2)
        assert n(shop.do("get", "/a")) == 2
        assert shop.sent("/a") == 2

    def test_it_is_a_real_call_under_all_policies(self, new_shop, fake):
        shop = new_shop("auth: {bearer: secret-of-ours}")
        headers = {"Cache-Control": "max-age=60, stale-while-revalidate=600"}
        fake.on("GET", "/a").respond(200, json={"n": 1}, headers=headers).respond(503).respond(
            200, json={"n": 2}, headers=headers
        )
        shop.do("get", "/a")
        shop.wait(61)
        shop.do("get", "/a")
        shop.settle(lambda: [did for did, _ in shop.did].count("stored") == 2)
        assert shop.sent("/a") == 3
        assert all(call.headers["Authorization"] == "Bearer secret-of-ours" for call in fake.calls)

    def test_one_at_a_time_and_a_failure_ends_it(self, shop, fake):
        headers = {"Cache-Control": "max-age=60, stale-while-revalidate=600"}
        fake.on("GET", "/a").respond(200, json={"n": 1}, headers=headers).respond(404, delay=1.0).respond(404)
        shop.do("get", "/a")
        shop.wait(61)
        answers = shop.together(*[("get", "/a", {})] * 5)
        assert [n(answer) for answer in answers] == [1] * 5
        shop.settle(lambda: shop.sent("/a") == 2 and not state_of(shop).refreshing)
        shop.do("get", "/a")
        shop.settle(lambda: shop.sent("/a") == 3)


def state_of(shop):
    return shop.client._cache_states()["shop"]


class TestWhatIsLeftAlone:
    def test_streams(self, shop, fake):
        fake.on("GET", "/export").respond(200, text="x", headers={"Cache-Control": "max-age=60"})
        for _ in range(2):
            shop.end(shop.do("call", "export"))
        assert shop.sent("/export") == 2
        assert not shop.do("get", "/export").from_cache

    def test_a_redirect_that_is_followed_is_not_stored_but_where_it_leads_is(self, new_shop, fake, numbered):
        shop = new_shop("redirects: same-origin")
        fake.on("GET", "/old").respond(301, headers={"Location": "/v1/new", "Cache-Control": "max-age=60"})
        numbered("/new", Cache_Control="max-age=60")
        assert [n(shop.do("get", "/old")) for _ in range(2)] == [1, 1]
        assert (shop.sent("/old"), shop.sent("/new")) == (2, 1)

    def test_a_body_in_a_coding_that_cannot_be_undone(self, shop, fake):
        fake.on("GET", "/a").respond(
            200, content=b"\x00", headers={"Content-Encoding": "zzz", "Cache-Control": "max-age=60"}
        )
        shop.do("get", "/a"), shop.do("get", "/a")
        assert shop.sent("/a") == 2

    def test_codings_are_undone_before_it_is_stored(self, shop, fake):
        import gzip

        packed = gzip.compress(b'{"n": 1}')
        headers = (("Content-Encoding", "gzip"), ("Cache-Control", "max-age=60"))
        fake.on("GET", "/a").call(lambda sent: Reply(200, packed, headers))
        assert [n(shop.do("get", "/a")) for _ in range(2)] == [1, 1]
        assert shop.sent("/a") == 1
