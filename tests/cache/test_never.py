"""What a cache must never do: serve what is another's or out of date, send what may not be sent, store what is secret."""

from dataclasses import replace

import pytest

from callsheet import ArgumentError, ServerError
from callsheet.http.body import Content
from callsheet.http.caching.keys import argument_text, body_text
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.secret import Secret
from callsheet.stores.base import Keep
from callsheet.testing import Reply

ETAG = '"a"'
LENGTH = ("Content-Length", "8")
TOKEN = "t0ken-of-the-sheet"


def kept(shop):
    store = shop.client._cache_store()
    memory = getattr(store, "_store", store)
    return [entry for variants in memory._kept.values() for entry in variants.values()]


class TestAtOneMoment:
    """A frozen clock, or two answers within one tick of it."""

    def test_a_refreshed_answer_is_served_with_its_own_fields(self, shop, fake):
        fake.on("GET", "/a").respond(headers={"Cache-Control": "max-age=60", "X-N": "1"}).respond(
            headers={"Cache-Control": "max-age=9", "X-N": "2"}
        )
        shop.do("get", "/a"), shop.do("get", "/a"), shop.do("get", "/a", cache="refresh")
        again = shop.do("get", "/a")
        assert (again.headers["X-N"], again.cache_status) == ("2", "callsheet; hit; ttl=9")

    def test_a_304_that_ends_the_lifetime_ends_it(self, shop, fake):
        fake.on("GET", "/a").respond(headers={"Cache-Control": "max-age=60", "ETag": ETAG}).respond(
            304, headers={"Cache-Control": "no-cache", "ETag": ETAG}
        )
        shop.do("get", "/a")
        for _ in range(2):
            shop.do("get", "/a", headers={"Cache-Control": "no-cache"})
        shop.do("get", "/a")
        assert shop.sent("/a") == 4


@pytest.mark.parametrize(("ahead", "served"), [(59, 1), (61, 2), (10**9, 2)])
def test_an_answer_of_a_clock_that_was_wrong_does_not_serve_for_years(shop, numbered, ahead, served):
    numbered("/a", Cache_Control="max-age=60")
    shop.do("get", "/a")
    (entry,) = kept(shop)
    store = shop.client._cache_store()
    late = {name: getattr(entry, name) + ahead for name in ("asked", "answered", "fresh_until", "keep_until")}
    getattr(store, "_store", store).ask(Keep(replace(entry, **late)), 1.0)
    assert shop.do("get", "/a").json()["n"] == served


class TestOnlyWhatIsStored:
    @pytest.mark.parametrize("how", [{"cache": "only"}, {"headers": {"Cache-Control": "only-if-cached"}}])
    def test_sends_nothing_where_the_store_is_not_even_asked(self, new_shop, fake, numbered, how):
        numbered("/a", Cache_Control="max-age=60")
        fake.on("GET", "/login").respond(headers={"Set-Cookie": "session=1"})
        shop = new_shop("cookies: true")
        shop.do("get", "/login")
        with pytest.raises(ServerError, match="504"):
            shop.do("get", "/a", **how)
        assert shop.sent("/a") == 0

    @pytest.mark.parametrize("how", [{"cache": "only"}, {"headers": {"Cache-Control": "only-if-cached"}}])
    def test_nor_for_a_part(self, shop, numbered, how):
        numbered("/a", Cache_Control="max-age=60")
        with pytest.raises(ServerError, match="504"):
            shop.do("get", "/a", **{**how, "headers": {"Range": "bytes=0-1", **how.get("headers", {})}})
        assert shop.sent("/a") == 0

    def test_nor_where_the_store_is_in_trouble(self, new_shop, numbered, tmp_path):
        numbered("/a", Cache_Control="max-age=60")
        shop = new_shop(sheet=f"stores: {{{{cache: 'sqlite:{tmp_path}/cache.db'}}}}\n{PLAIN}")
        (tmp_path / "cache.db").mkdir()
        with pytest.raises(ServerError, match="504"):
            shop.do("get", "/a", cache="only")
        assert shop.sent("/a") == 0

    def test_nor_to_another_origin_whose_answers_are_not_stored(self, new_shop, fake):
        fake.on("GET", "https://other.test/a").respond(200)
        shop = new_shop("allow_origins: ['https://other.test']", sheet=PLAIN)
        with pytest.raises(ArgumentError, match="none is stored here"):
            shop.do("get", "https://other.test/a", cache="only")
        assert fake.calls == []

    def test_nor_what_changes_something(self, shop, fake):
        fake.on("PUT", "/a").respond(204)
        with pytest.raises(ServerError, match="504"):
            shop.do("put", "/a", cache="only")
        with pytest.raises(ArgumentError, match="none is stored here"):
            shop.do("call", "rename", id=1, json={}, cache="only")
        assert fake.calls == []


PLAIN = "callsheet: 1\nservices: {{shop: {{base_url: https://shop.test/v1, cache: http, {settings}}}}}"


class TestA304:
    def first(self, fake):
        return fake.on("GET", "/a").respond(json={"n": 1}, headers={"Cache-Control": "no-cache", "ETag": ETAG})

    def test_gives_its_cookie_to_the_caller_and_the_jar_and_not_to_the_store(self, new_shop, fake):
        self.first(fake).respond(304, headers={"ETag": ETAG, "Set-Cookie": "session=1"}).respond(json={"n": 2})
        shop = new_shop("cookies: true")
        shop.do("get", "/a")
        assert shop.do("get", "/a").headers["Set-Cookie"] == "session=1"
        assert "session" not in repr(kept(shop))
        shop.do("get", "/a")
        assert fake.calls[2].headers["Cookie"] == "session=1"

    def test_that_repeats_a_secret_renews_nothing(self, new_shop, fake):
        self.first(fake).respond(304, headers={"ETag": ETAG, "X-Seen": TOKEN})
        shop = new_shop(f"auth: {{bearer: {TOKEN}}}", sheet=PLAIN)
        shop.do("get", "/a")
        answer = shop.do("get", "/a")
        assert (answer.json(), answer.from_cache) == ({"n": 1}, True)
        assert "it repeats a secret of the request" in answer.cache_status
        assert TOKEN not in repr(kept(shop))

    @pytest.mark.parametrize("how", [{"cache": "no-store"}, {"headers": {"Cache-Control": "no-store"}}])
    def test_renews_nothing_for_a_call_that_wants_nothing_stored(self, shop, fake, how):
        self.first(fake).respond(304, headers={"ETag": ETAG, "Cache-Control": "max-age=60"})
        shop.do("get", "/a")
        assert shop.do("get", "/a", **how).json() == {"n": 1}
        shop.do("get", "/a")
        assert shop.sent("/a") == 3


class TestAHead:
    def test_without_a_validator_renews_no_body(self, new_shop, fake, numbered):
        numbered("/a")
        fake.on("HEAD", "/a").call(lambda sent: Reply(headers=(("Cache-Control", "max-age=60"), LENGTH)))
        shop = new_shop(sheet=PLAIN.replace("cache: http", "cache: {{ttl: 5m, stale_if_error: 1h}}"))
        shop.do("get", "/a")
        shop.wait(301)
        shop.do("head", "/a")
        assert shop.do("get", "/a").json()["n"] == 2

    def test_that_repeats_a_secret_renews_nothing(self, new_shop, fake, numbered):
        numbered("/a", ETag=ETAG, Cache_Control="max-age=60")
        fields = (("Cache-Control", "max-age=60"), ("ETag", ETAG), ("X-Seen", TOKEN), LENGTH)
        fake.on("HEAD", "/a").call(lambda sent: Reply(headers=fields))
        shop = new_shop(f"auth: {{bearer: {TOKEN}}}", sheet=PLAIN)
        shop.do("get", "/a")
        shop.wait(61)
        shop.do("head", "/a")
        assert TOKEN not in repr(kept(shop))


def test_a_credential_in_the_query_is_not_shown_by_the_store(shop, fake):
    fake.on("GET", "/a").respond(headers={"Cache-Control": "max-age=60"})
    shop.do("get", "/a", params={"api_key": "given-by-the-call", "page": 2})
    assert [entry.url for entry in kept(shop)] == ["https://shop.test/v1/a?api_key=***&page=2"]


class TestAChange:
    CHANGED = "another call has changed it meanwhile"

    @pytest.fixture
    def overtaken(self, shop, fake):
        """Has something happen while the first answer to GET /a is on its way."""

        def during(act):
            count = iter(range(1, 99))

            async def answered_late(sent):
                number = next(count)
                if number == 1:
                    await act()
                return Reply(200, b'{"n": %d}' % number, (("Cache-Control", "max-age=60"),))

            def answered(sent):
                number = next(count)
                if number == 1:
                    act()
                return Reply(200, b'{"n": %d}' % number, (("Cache-Control", "max-age=60"),))

            fake.on("GET", "/a").call(answered_late if hasattr(shop, "runner") else answered)

        return during

    def test_keeps_out_what_was_on_its_way_meanwhile(self, shop, fake, overtaken):
        fake.on("PUT", "/a").respond(204)
        overtaken(lambda: shop.client.put("/a"))
        first = shop.do("get", "/a")
        assert (first.json(), self.CHANGED in first.cache_status) == ({"n": 1}, True)
        assert [shop.do("get", "/a").json() for _ in range(2)] == [{"n": 2}] * 2

    def test_so_does_clearing(self, shop, overtaken):
        overtaken(shop.client.cache.clear)
        assert [shop.do("get", "/a").json()["n"] for _ in range(3)] == [1, 2, 2]

    def test_of_another_url_keeps_nothing_out(self, shop, fake, overtaken):
        fake.on("PUT", "/b").respond(204)
        overtaken(lambda: shop.client.put("/b"))
        assert [shop.do("get", "/a").json()["n"] for _ in range(2)] == [1, 1]

    @pytest.mark.parametrize("named", ["HTTPS://SHOP.test:443/v1/a", "x/../a", "a#top", "/v1/a"])
    def test_drops_what_the_answer_names_however_it_is_spelt(self, shop, fake, numbered, named):
        numbered("/a", Cache_Control="max-age=60")
        fake.on("POST", "/b").respond(201, headers={"Location": named})
        shop.do("get", "/a")
        shop.do("post", "/b", json={})
        assert shop.do("get", "/a").json() == {"n": 2}

    @pytest.mark.parametrize("named", ["http://[bad", "https://shop.test:99999/v1/a", "//", "http://[::1", "\\\\", "?"])
    @pytest.mark.parametrize("field", ["Location", "Content-Location"])
    def test_that_succeeded_does_not_fail_by_what_its_answer_names(self, shop, fake, numbered, field, named):
        numbered("/b", Cache_Control="max-age=60")
        fake.on("POST", "/b").respond(201, headers={field: named})
        shop.do("get", "/b")
        assert shop.do("post", "/b", json={}).status_code == 201
        assert shop.do("get", "/b").json() == {"n": 2}


class TestABodyInTheKey:
    def asked(self, content, kind="application/json"):
        return body_text(Request("POST", "https://shop.test/v1/a", Headers(()), Content(content, kind)))

    @pytest.mark.parametrize(
        ("one", "two"),
        [
            (b'{"a": 1, "b": [1, {"c": 2, "d": 3}]}', b'{"b":[1,{"d":3,"c":2}],"a":1}'),
            ('{"a": "é"}'.encode(), b'{"a": "\\u00e9"}'),
        ],
    )
    def test_the_order_of_names_and_the_spelling_do_not_matter(self, one, two):
        assert self.asked(one) == self.asked(two)

    @pytest.mark.parametrize(
        ("one", "two"),
        [
            (b'{"a": 1, "a": 2}', b'{"a": 3, "a": 2}'),
            (b'{"a": 1e400}', b'{"a": 1e500}'),
            (b'{"id": 0.12345678901234567891}', b'{"id": 0.12345678901234567892}'),
            (b'{"a": 1.5}', b'{"a": "1.5"}'),
            (b'{"a": 1.5}', b'{"a": {"": "1.5"}}'),
            (b'{"a": 1}', b'{"a": true}'),
            (b'{"a": []}', b'{"a": {}}'),
            (b'[["a", 1]]', b'{"a": 1}'),
            (b"[" * 100_000, b"[" * 100_001),
            (b"{", b"["),
        ],
    )
    def test_other_bodies_are_others(self, one, two):
        assert self.asked(one) != self.asked(two)

    def test_the_same_bytes_of_another_media_type_are_another_body(self):
        assert self.asked(b"a=1", "text/plain") != self.asked(b"a=1", "application/x-www-form-urlencoded")


def test_arguments_that_no_json_holds_are_told_apart_too():
    assert argument_text({"a": Secret("one")}, "a") != argument_text({"a": Secret("two")}, "a")
    assert argument_text({"a": [Secret("one")]}, "a") != argument_text({"a": [Secret("two")]}, "a")
    assert argument_text({"a": {1: 2, "b": 3}}, "a") != argument_text({"a": {1: 3, "b": 3}}, "a")
