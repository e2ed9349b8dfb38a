"""What a program can do with a walk."""

import asyncio
import base64
import json
import threading

import pytest
from pydantic import BaseModel

from callsheet import UNSET, AsyncClient, Client, Sheet
from callsheet.errors import (
    ArgumentError,
    DeadlinePassed,
    OriginRefused,
    PageLoop,
    RateLimited,
    ServerError,
    SheetError,
    UsageError,
    ValidationError,
)
from callsheet.testing import FakeTransport
from tests.pages.cases import SEVEN, by_offset, linked, number, numbered, tokens, urls
from tests.pages.worlds import asked_through


def bearer(request):
    return request.plus("Authorization", "Bearer t0ken-from-a-function")


class Thing(BaseModel):
    id: int


PAGED = "get: /items, paginate: {page: page, items: results, total: total}"
CURSORS = "get: /items, paginate: {cursor: cursor, from: next, items: results}"
THREE = tokens(first=([1, 2], "a"), a=([3, 4], "b"), b=([5], None))


def ids(items):
    return [item["id"] for item in items]


def failing_at(serve, *numbers):
    """The service, whose requests of these numbers fail with 500."""
    count = iter(range(1000))

    def served(asked):
        return (b"", {}, 500) if next(count) in numbers else serve(asked)

    return served


# Lazily


def test_nothing_is_sent_before_the_first_item_is_asked_for(shop):
    world = shop(numbered(), PAGED)
    world.client.items("list")
    assert world.asked == []


def test_a_page_is_asked_for_when_the_one_before_was_used_up(shop):
    world = shop(numbered(total=7), PAGED)
    if world.colour == "blocking":
        items = world.client.items("list")
        assert ids(items.all(limit=3)) == [1, 2, 3]
        assert len(world.asked) == 1
        assert items.first() == {"id": 4}
        assert ids(items) == [5, 6, 7]
        assert items.first() is None
        assert list(items) == []
        return

    async def steps():
        items = world.client.items("list")
        assert ids(await items.all(limit=3)) == [1, 2, 3]
        assert len(world.asked) == 1
        assert await items.first() == {"id": 4}
        assert ids([item async for item in items]) == [5, 6, 7]
        assert await items.first() is None
        assert await items.all() == []

    world.run(steps())


def test_a_loop_that_is_left_goes_on_where_it_stood(colour):
    with asked_through("fake", "blocking", numbered(total=7), PAGED) as world:
        items = world.client.items("list")
        for item in items:
            if item["id"] == 4:
                break
        assert next(items) == {"id": 5}
        assert ids(items) == [6, 7]


def test_pages_have_what_the_answer_tells(shop):
    world = shop(numbered(total=7), PAGED)
    first, second, third = world.pages()
    assert [ids(page.items) for page in (first, second, third)] == [[1, 2, 3], [4, 5, 6], [7]]
    assert [page.number for page in (first, second, third)] == [1, 2, 3]
    assert [page.total for page in (first, second, third)] == [7, 7, 7]
    assert first.response.json()["total"] == 7
    assert (first.next_position, third.next_position) == (second.position, None)


@pytest.mark.parametrize("limit", [-1, 1.5, True, "3"])
def test_a_limit_is_a_whole_number(limit):
    with asked_through("fake", "blocking", numbered(), PAGED) as world, pytest.raises(ArgumentError, match="limit"):
        world.client.items("list").all(limit=limit)


# Positions


@pytest.mark.parametrize("operation", [PAGED, CURSORS, "get: /items, paginate: {next: next, items: results}"])
def test_a_walk_goes_on_at_any_position(shop, operation):
    serve = {
        PAGED: numbered(total=7),
        CURSORS: THREE,
        "get: /items, paginate: {next: next, items: results}": urls(
            items=([1, 2], "/two?x=y"), two=([3], "/three"), three=([4], None)
        ),
    }[operation]
    world = shop(serve, operation)
    pages = world.pages()
    everything = [item for page in pages for item in page.items]
    seen = 0
    for page in pages:
        assert world.items(from_position=page.position) == everything[seen:]
        assert world.pages(from_position=page.position)[0].number == page.number
        seen += len(page.items)


def test_the_position_is_told_when_a_page_was_used_up(shop):
    told = []
    world = shop(THREE, CURSORS)
    pages = world.pages()
    assert ids(world.items(on_page=told.append)) == [1, 2, 3, 4, 5]
    assert told == [pages[1].position, pages[2].position, None]


def test_the_position_of_a_page_that_was_not_used_up_is_not_told():
    told = []
    with asked_through("fake", "blocking", THREE, CURSORS) as world:
        items = world.client.items("list", on_page=told.append)
        assert ids(items.all(limit=2)) == [1, 2]
        assert told == []
        next(items)
        assert len(told) == 1


def test_on_page_may_be_a_coroutine_function():
    told = []

    async def keep(position):
        told.append(position)

    with asked_through("fake", "asyncio", THREE, CURSORS) as world:
        world.items(on_page=keep)
    assert (len(told), told[-1]) == (3, None)


def test_an_error_carries_the_position_of_the_page_that_failed(shop):
    world = shop(failing_at(THREE, 1), CURSORS)
    kept = []
    with pytest.raises(ServerError, match=r"shop\.list: GET /items: 500.* \(page 2\)") as failed:
        world.items(kept=kept)
    assert ids(kept) == [1, 2]
    assert ids(world.items(from_position=failed.value.position)) == [3, 4, 5]


def test_a_walk_that_failed_can_go_on_itself():
    with asked_through("fake", "blocking", failing_at(numbered(total=7), 1, 2), PAGED) as world:
        items = world.client.items("list")
        kept, failures = [], 0
        while failures < 3:
            try:
                kept += items
                break
            except ServerError:
                failures += 1
        assert ids([*kept, *items]) == [*range(1, 8)] or ids(kept) == [*range(1, 8)]
        assert failures == 2


@pytest.mark.parametrize(
    ("position", "told"),
    [
        ("nonsense", "expected a text that `on_page`, a page or an error gave, found another text"),
        ("", "found another text"),
        ("é", "found another text"),
        (5, "found int"),
        (b"x", "found bytes"),
        ({"of": "shop.other", "v": 1, "kind": "page", "at": 1}, "it is a position of `shop.other`, not of `shop.list`"),
        ({"of": "shop.list", "v": 1, "kind": "cursor", "at": "x"}, "it is of pages by `cursor`, and the sheet says `page` now"),
        ({"of": "shop.list", "v": 2, "kind": "page"}, "version '2' is not known here"),
        ({"of": "shop.list", "v": 1, "kind": "page", "at": "x"}, "it was changed"),
        ({"of": "shop.list", "v": 1, "kind": "page", "at": -1}, "it was changed"),
        ({"of": "shop.list", "v": 1, "kind": "page", "at": 1, "number": 0}, "it was changed"),
        ({"of": "shop.list", "v": 1, "kind": "page", "at": 1, "number": 1, "seen": "2"}, "it was changed"),
        ([1], "found another text"),
    ],
)  # fmt: skip
def test_what_is_no_position_of_this_operation_is_refused_at_once(position, told):
    if isinstance(position, dict | list):
        position = base64.urlsafe_b64encode(json.dumps(position).encode()).decode()
    with asked_through("fake", "blocking", numbered(), PAGED) as world, pytest.raises(ArgumentError) as refused:
        world.client.items("list", from_position=position)
    assert told in str(refused.value)


def test_a_position_holds_no_secret(monkeypatch):
    monkeypatch.setenv("KEY", "s3cr3t-key")

    def serve(asked):
        assert asked.query["api_key"] == "s3cr3t-key"
        following = f"/items?page=2&api_key={asked.query['api_key']}"
        return {"results": [{"id": 1}], "next": following} if "page" not in asked.query else {"results": [{"id": 2}]}

    service = 'auth: {api_key: {query: api_key, value: "${KEY}"}}'
    with asked_through(
        "fake", "blocking", serve, "get: /items, paginate: {next: next, items: results}", service
    ) as world:
        _, second = world.pages()
        assert "s3cr3t" not in base64.urlsafe_b64decode(f"{second.position}==").decode()
        assert "s3cr3t" not in second.response.url
        assert ids(world.items(from_position=second.position)) == [2]


def test_a_service_that_asks_for_a_pause_is_waited_for(shop):
    count = iter(range(100))

    def serve(asked):
        return (b"", {"Retry-After": "7"}, 429) if next(count) in (1, 3) else numbered(total=7)(asked)

    world = shop(serve, f"{PAGED}, retry: {{attempts: 2}}")
    assert ids(world.items()) == [*range(1, 8)]
    assert len(world.asked) == 5


def test_a_service_that_refuses_more_is_told_and_not_taken_for_the_end(shop):
    def serve(asked):
        return (b"", {"Retry-After": "7"}, 429) if asked.query["page"] == "2" else numbered(total=7)(asked)

    with pytest.raises(RateLimited) as told:
        shop(serve, PAGED).items()
    assert told.value.retry_after == 7


def test_a_loop_of_links_is_found_although_they_carry_a_key(monkeypatch):
    monkeypatch.setenv("KEY", "s3cr3t-key")

    def serve(asked):
        return {"results": [], "next": f"/items?api_key={asked.query['api_key']}"}

    service = 'auth: {api_key: {query: api_key, value: "${KEY}"}}'
    operation = "get: /items, paginate: {next: next, items: results}"
    with asked_through("sockets", "blocking", serve, operation, service) as world:
        with pytest.raises(PageLoop):
            world.items()
        assert len(world.asked) == 1


# Ahead


@pytest.mark.parametrize("operation", [PAGED, CURSORS])
@pytest.mark.parametrize("options", [{"prefetch": 1}, {"prefetch": 50}])
def test_pages_fetched_ahead_come_in_order(shop, operation, options):
    world = shop(numbered(1, total=7) if operation is PAGED else THREE, operation)
    told = []
    assert ids(world.items(on_page=told.append, **options)) == (
        [*range(1, 8)] if operation is PAGED else [1, 2, 3, 4, 5]
    )
    assert len(world.asked) == (7 if operation is PAGED else 3)
    assert told[-1] is None


@pytest.mark.parametrize(
    "serve", [numbered(1, total=7), numbered(2, total=7), numbered(1, total=9), numbered(7, total=7)]
)
@pytest.mark.parametrize("concurrency", [2, 5, 30])
def test_numbers_may_be_fetched_at_once(shop, serve, concurrency):
    assert ids(shop(serve, PAGED).items(concurrency=concurrency)) == [*range(1, 8)]


def test_offsets_may_be_fetched_at_once(shop):
    world = shop(by_offset(total=7), "get: /items, paginate: {offset: offset, items: results, total: total}")
    assert ids(world.items(concurrency=3)) == [*range(1, 8)]
    assert len(world.asked) == 3


def test_pages_that_are_not_where_the_first_one_said_are_found_one_by_one(shop):
    """The service gives fewer items from the second page on."""

    def serve(asked):
        at = number(asked, "offset", 0)
        return {"results": SEVEN[at : at + (3 if at == 0 else 2)], "total": 7}

    world = shop(serve, "get: /items, paginate: {offset: offset, items: results, total: total}")
    assert ids(world.items(concurrency=3)) == [*range(1, 8)]


def test_what_was_begun_behind_an_early_end_is_given_up(shop):
    world = shop(numbered(1, total=lambda n: 7 if n < 3 else 3), PAGED)
    assert ids(world.items(concurrency=4)) == [1, 2, 3]


def test_an_error_among_pages_fetched_at_once_has_its_position(shop):
    def serve(asked):
        return (b"", {}, 500) if asked.query["page"] == "3" else numbered(1, total=7)(asked)

    kept = []
    world = shop(serve, PAGED)
    with pytest.raises(ServerError) as failed:
        world.items(concurrency=4, kept=kept)
    assert ids(kept) == [1, 2]
    assert json.loads(base64.urlsafe_b64decode(f"{failed.value.position}=="))["at"] == 3


@pytest.mark.parametrize(
    ("operation", "options", "told"),
    [
        (CURSORS, {"concurrency": 2}, "pages by `cursor` are known one after the other; use `prefetch`"),
        ("get: /items, paginate: {page: page}", {"concurrency": 2}, "write `total` into `paginate`"),
        (PAGED, {"concurrency": 0}, "`concurrency` must be a whole number, 1 or more; found 0"),
        (PAGED, {"prefetch": -1}, "`prefetch` must be a whole number, 0 or more; found -1"),
        (PAGED, {"prefetch": "2"}, "`prefetch` must be a whole number"),
        (PAGED, {"on_page": "x"}, "`on_page` must be a function"),
        (PAGED, {"timeout_total": 0}, "timeout_total: expected a number of seconds"),
        (PAGED, {"timeout_total": "soon"}, "timeout_total: expected a number of seconds"),
        (PAGED, {"idempotency_key": "x"}, "belongs to one call"),
        (PAGED, {"raise_for_status": False}, "belongs to one call"),
        (PAGED, {"page": "x"}, "`page`: expected a whole number, 0 or more, found 'x'"),
        (PAGED, {"page": -1}, "`page`: expected a whole number"),
        (PAGED, {"nope": 1}, "`nope`: unknown"),
        ("get: /items, paginate: {page: page, direction: previous}", {}, "begins at one: give its number"),
        ("get: /items, paginate: {offset: o, step: 3, direction: previous}", {"o": 7}, "7 is no multiple of 3"),
    ],
)  # fmt: skip
def test_options_that_cannot_be_are_told_at_once(shop, operation, options, told):
    world = shop(numbered(), operation)
    with pytest.raises(ArgumentError) as refused:
        world.client.items("list", **options)
    assert told in str(refused.value)
    assert world.asked == []


def test_a_walk_that_is_left_early_leaves_no_thread():
    with asked_through("fake", "blocking", numbered(1, total=7), PAGED) as world:
        for options in ({"prefetch": 3}, {"concurrency": 3}):
            with world.client.items("list", **options) as items:
                assert next(items) == {"id": 1}
                assert next(items) == {"id": 2}
            assert [thread.name for thread in threading.enumerate() if thread.name == "callsheet-map"] == []


@pytest.mark.parametrize("options", [{}, {"prefetch": 3}, {"concurrency": 3}])
def test_a_walk_that_is_cancelled_leaves_no_task_and_can_go_on(options, in_loop):
    begun, gate = asyncio.Event(), asyncio.Event()
    fake = FakeTransport()

    async def serve(sent):
        if ("page", "2") in sent.query and not gate.is_set():
            begun.set()
            await gate.wait()
        page = int(dict(sent.query)["page"])
        return {"results": SEVEN[page - 1 : page], "total": 7}

    fake.otherwise().call(serve)
    declared = {"get": "/items", "paginate": {"page": "page", "items": "results", "total": "total"}}
    sheet = Sheet(services={"shop": {"base_url": "https://x.example", "operations": {"list": declared}}})

    async def steps():
        async with AsyncClient(sheet, transport=fake) as client:
            items, got = client.items("list", **options), []

            async def read():
                async for item in items:
                    got.append(item)  # noqa: PERF401 what came before a cancellation is kept

            reading = asyncio.create_task(read())
            await begun.wait()
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            assert asyncio.all_tasks() == {asyncio.current_task()}
            gate.set()
            await read()
            assert ids(got) == [*range(1, 8)]
            assert asyncio.all_tasks() == {asyncio.current_task()}

    in_loop(steps())


# Time


def test_the_walk_has_a_time_of_its_own(shop):
    def serve(asked):
        world.fake.clock.advance(2.0)
        return numbered(1)(asked)

    world = shop(serve, PAGED)
    kept = []
    with pytest.raises(DeadlinePassed) as passed:
        world.items(timeout_total=5, kept=kept)
    assert 2 <= len(kept) <= 3
    assert passed.value.position is not None


def test_max_time_of_the_sheet_bounds_the_walk(shop):
    def serve(asked):
        world.fake.clock.advance(1.0)
        return numbered(1)(asked)

    world = shop(serve, "get: /items, paginate: {page: page, items: results, max_time: 1s}")
    with pytest.raises(DeadlinePassed, match=r"the walk was not done within 1 s \(paginate\.max_time\) \(page 2\)"):
        world.items()


# Types


TYPED = "get: /items, paginate: {page: page, items: results, total: total}, returns: 'tests.pages.test_python:Thing'"


def test_returns_is_the_type_of_one_item(shop):
    world = shop(numbered(total=7), TYPED)
    assert world.items() == [Thing(id=number) for number in range(1, 8)]


def test_a_call_of_an_operation_that_paginates_gives_the_items_of_one_page(shop):
    assert shop(numbered(total=7), TYPED).call("list") == [Thing(id=1), Thing(id=2), Thing(id=3)]


def test_an_item_that_does_not_fit_is_named(shop):
    world = shop(lambda asked: {"results": [{"id": 1}, {"id": "x"}]}, TYPED)
    with pytest.raises(ValidationError, match=r"results\.1\.id: .* \(page 1\)") as wrong:
        world.items()
    assert wrong.value.errors[0]["loc"] == ("results", 1, "id")


def test_a_type_may_be_declared_by_status(shop):
    operation = TYPED.replace("'tests.pages.test_python:Thing'", "{200: 'tests.pages.test_python:Thing', 404: object}")
    assert shop(numbered(total=7), operation).items()[0] == Thing(id=1)


def test_a_json_schema_checks_each_item(shop):
    operation = TYPED.replace(
        "'tests.pages.test_python:Thing'", "{type: object, properties: {id: {type: integer}}, required: [id]}"
    )
    assert shop(numbered(total=7), operation).items()[0] == {"id": 1}
    with pytest.raises(ValidationError):
        shop(lambda asked: {"results": [{}]}, operation).items()


def test_pages_of_the_service_leave_what_a_call_gives_as_it_is(shop):
    service = "paginate: {link: next}"
    world = shop(linked(items=([1], "</two>; rel=next"), two=([2], None)), "get: /items, returns: object", service)
    with pytest.raises(ValidationError):
        world.call("list")
    world = shop(
        linked(items=([1], "</two>; rel=next"), two=([2], None)),
        "get: /items, returns: 'list[tests.pages.test_python:Thing]'",
        service,
    )
    assert world.call("list") == [Thing(id=1)]
    assert world.items() == [Thing(id=1), Thing(id=2)]


def test_an_operation_may_switch_the_pages_of_its_service_off(shop):
    with pytest.raises(UsageError, match="declares no pages"):
        shop(numbered(), "get: /items, paginate: off", "paginate: {link: next}").items()


def test_the_data_of_an_envelope_may_be_the_list(shop):
    world = shop(
        lambda asked: {"code": 0, "data": SEVEN[(number(asked, "page", 1) - 1) * 4 :][:4]},
        "get: /items, paginate: {page: page}",
        "envelope: {ok: {path: code, equals: 0}, data: data}",
    )
    assert ids(world.items()) == [*range(1, 8)]


def test_a_failure_that_a_rule_ignores_ends_the_walk(shop):
    world = shop(
        lambda asked: {"results": SEVEN} if number(asked, "page", 1) == 1 else (b"", {}, 404),
        "get: /items, paginate: {page: page, items: results}, errors: [{when: {status: 404}, then: ignore}]",
    )
    assert ids(world.items()) == [*range(1, 8)]


def test_a_fallback_stands_for_no_page(shop):
    world = shop(lambda asked: (b"", {}, 500), TYPED, "fallback: {value: []}")
    with pytest.raises(ServerError):
        world.items()


# Arguments


def test_arguments_go_with_every_page(shop):
    world = shop(
        numbered(total=7),
        "get: '/{kind}', query: {status: {type: string}, page: {type: integer}}, paginate: {page: page, size: {name: size, value: 3}, items: results, total: total}",
    )
    world.items(kind="items", status="active")
    assert [asked.query for asked in world.asked] == [{"status": "active", "page": n, "size": "3"} for n in "123"]
    assert {asked.path.rpartition("/")[2] for asked in world.asked} == {"items"}


@pytest.mark.parametrize("declared", ["", "query: {page: {type: integer, required: true}, size: {type: integer}}, "])
def test_a_caller_may_begin_later_and_ask_for_another_size(shop, declared):
    world = shop(
        numbered(2, total=7),
        f"get: /items, {declared}paginate: {{page: page, size: {{name: size, value: 3}}, items: results, total: total}}",
    )
    assert ids(world.items(page=2, size=2)) == [3, 4, 5, 6, 7]
    assert [asked.query for asked in world.asked] == [{"page": n, "size": "2"} for n in "2345"]


def test_what_is_unset_is_left_out(shop):
    world = shop(numbered(total=7), f"{PAGED}, query: {{status: {{type: string}}}}")
    assert ids(world.items(page=UNSET, status=UNSET, headers=UNSET, timeout=UNSET)) == [*range(1, 8)]
    assert world.asked[0].query == {"page": "1"}


def test_a_caller_may_begin_at_a_cursor(shop):
    assert ids(shop(THREE, CURSORS).items(cursor="a")) == [3, 4, 5]


def test_names_with_brackets_are_encoded(shop):
    world = shop(numbered(name="page[number]"), "get: /items, paginate: {page: 'page[number]', items: results}")
    assert ids(world.items()) == [*range(1, 8)]


def test_a_body_given_whole_takes_the_position(shop):
    def serve(asked):
        return {"results": [{"id": asked.json["page"]}] if asked.json["page"] < 3 else []}

    world = shop(serve, "post: /search, json: object, paginate: {page: page, into: json, items: results}")
    assert ids(world.items(json={"q": "x"})) == [1, 2]
    assert ids(world.items(q="x")) == [1, 2]
    assert ids(world.items(q="x", page=2)) == [2]
    assert world.asked[0].json == {"q": "x", "page": 1}


class Search(BaseModel):
    q: str
    page: int | None = None


def test_a_model_given_as_the_body_takes_the_position(shop):
    def serve(asked):
        return {"results": [{"id": asked.json["page"]}] if asked.json["page"] < 3 else []}

    operation = (
        "post: /search, json: 'tests.pages.test_python:Search', paginate: {page: page, into: json, items: results}"
    )
    world = shop(serve, operation)
    assert ids(world.items(json=Search(q="x"))) == [1, 2]
    assert ids(world.items(q="x")) == [1, 2]
    with pytest.raises(ArgumentError, match="the body there is no object"):
        world.items(json=[1])


def test_a_compressed_body_takes_the_position(shop):
    import gzip

    def serve(asked):
        page = json.loads(gzip.decompress(asked.content))["page"]
        return {"results": [{"id": page}] if page < 3 else []}

    world = shop(
        serve, "post: /search, json: object, paginate: {page: page, into: json, items: results}", "compress: gzip"
    )
    assert ids(world.items(q="x")) == [1, 2]


def test_each_page_of_a_post_has_a_key_of_its_own(shop):
    def serve(asked):
        return {"results": [{"id": asked.json["page"]}] if asked.json["page"] < 3 else []}

    world = shop(
        serve,
        "post: /search, json: object, paginate: {page: page, into: json, items: results}",
        "idempotency_key: true",
    )
    world.items()
    assert len({asked.headers["idempotency-key"] for asked in world.asked}) == 3


# Origins


def test_a_link_may_lead_to_an_origin_that_is_allowed_and_takes_no_credential_there(shop, monkeypatch):
    monkeypatch.setenv("TOKEN", "t0ken-secret")

    def serve(asked):
        return (
            {"results": [{"id": 1}], "next": "https://cdn.example.com/two"}
            if asked.path.endswith("items")
            else {"results": [{"id": 2}]}
        )

    service = 'auth: {bearer: "${TOKEN}"}\nallow_origins: ["https://cdn.example.com"]'
    world = shop(serve, "get: /items, paginate: {next: next, items: results}", service)
    assert ids(world.items()) == [1, 2]
    assert "authorization" in world.asked[0].headers
    assert "authorization" not in world.asked[1].headers


def test_no_secret_goes_to_another_origin_although_the_service_put_it_into_the_link(shop):
    def serve(asked):
        token = asked.headers["authorization"].removeprefix("Bearer ")
        return {"results": [{"id": 1}], "next": f"https://cdn.example.com/two?token={token}"}

    service = "auth: {python: 'tests.pages.test_python:bearer'}\nallow_origins: ['https://cdn.example.com']"
    world = shop(serve, "get: /items, paginate: {next: next, items: results}", service)
    with pytest.raises(OriginRefused, match="a secret"):
        world.items()
    assert len(world.asked) == 1


def test_no_link_leads_from_https_to_http(shop):
    world = shop(
        urls(items=([1], "http://api.example.com/v1/two")),
        "get: /items, paginate: {next: next, items: results}",
    )
    with pytest.raises(OriginRefused, match="from https no request goes to http"):
        world.items()
    assert len(world.asked) == 1


def test_a_position_cannot_lead_elsewhere(shop):
    data = {"v": 1, "of": "shop.list", "kind": "next", "at": "https://evil.example/x", "number": 2, "seen": 1}
    world = shop(urls(items=([1], None)), "get: /items, paginate: {next: next, items: results}")
    with pytest.raises(OriginRefused):
        world.items(from_position=base64.urlsafe_b64encode(json.dumps(data).encode()).decode())
    assert world.asked == []


def test_a_post_with_a_body_leads_to_no_other_origin(shop):
    world = shop(
        urls(items=([1], "https://cdn.example.com/two")),
        "post: /items, json: object, paginate: {next: next, items: results}",
        'allow_origins: ["https://cdn.example.com"]',
    )
    with pytest.raises(OriginRefused, match="only a GET without a body"):
        world.items(q="x")


def test_constant_parameters_go_with_a_link_that_left_them_out(shop):
    world = shop(
        urls(items=([1], "/two?page=2"), two=([2], None)),
        "get: /items, paginate: {next: next, items: results}",
        "params: {format: json}",
    )
    world.items()
    assert [asked.query for asked in world.asked] == [{"format": "json"}, {"page": "2", "format": "json"}]


# Operations without pages


def test_an_operation_without_pages_says_how_to_declare_them(shop):
    world = shop(lambda asked: {"results": [1], "cursor": "x"}, "get: /items")
    with pytest.raises(UsageError, match=r"`list` declares no pages; write `paginate: \{page: page, items: results\}`"):
        world.client.items("list")
    world.call("list")
    with pytest.raises(UsageError, match="last answer") as told:
        world.client.pages("list")
    assert "`paginate: {cursor: cursor, from: cursor, items: results}`" in str(told.value)


@pytest.mark.parametrize(
    ("document", "headers", "guessed"),
    [
        ([1], {"Link": '</x>; rel="next"'}, "{link: next}"),
        ({"results": [1], "next": "https://x/y", "count": 5}, {}, "{next: next, items: results, total: count}"),
        ({"value": [1], "@odata.nextLink": "https://x/y"}, {}, '{next: "@odata.nextLink", items: value}'),
        ({"files": [1], "nextPageToken": "x"}, {}, "{cursor: pageToken, from: nextPageToken, items: files}"),
        ({"data": [1], "has_more": True, "next_cursor": "x"}, {}, "{cursor: cursor, from: next_cursor, items: data, has_more: has_more}"),
        ({"ok": True, "members": [1], "response_metadata": {"next_cursor": "x"}}, {}, "{cursor: cursor, from: response_metadata.next_cursor, items: members}"),
        ({"results": [1], "offset": 0, "limit": 5, "total": 7}, {}, "{offset: offset, items: results, total: total}"),
        ({"results": [1], "page": 1, "total": 7}, {}, "{page: page, items: results, total: total}"),
        ({"meta": {"total": 5}, "data": {"items": [1]}}, {}, "{page: page, items: data.items, total: meta.total}"),
    ],
)  # fmt: skip
def test_the_last_answer_shows_the_kind(document, headers, guessed):
    with asked_through("fake", "blocking", lambda asked: (document, headers), "get: /items") as world:
        world.call("list")
        with pytest.raises(UsageError) as told:
            world.client.items("list")
    assert f"`paginate: {guessed}`" in str(told.value)


def test_a_sketch_is_one_that_the_sheet_reads():
    from callsheet.many.page_guess import guessed

    assert Sheet(services={"shop": {"base_url": "https://x", "paginate": {"page": "page", "items": "results"}}})
    assert guessed(None) == "{page: page, items: results}"


def test_an_unknown_operation_is_told_at_once():
    with Client(
        Sheet(services={"shop": {"base_url": "https://x.example", "operations": {"list": {"get": "/"}}}}),
        transport=FakeTransport(),
    ) as client:
        with pytest.raises(UsageError, match="did you mean `list`"):
            client.items("lists")
        with pytest.raises(ArgumentError, match="expected a mapping"):
            client.items("list", 5)


def test_a_service_whose_pages_need_a_body_says_so_for_an_operation_without_one(shop):
    with pytest.raises(UsageError, match="`json` body, and none is declared"):
        shop(numbered(), "get: /items", "paginate: {page: page, into: json}").client.items("list")


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        ("get: /items, paginate: {page: page, into: json}", "`json` body, and none is declared"),
        ("get: /items, paginate: {page: page, into: form}", "a form, and none is declared"),
        ("post: /items, form: {q: {}}, paginate: {page: page, into: form}", "`page`, which is no field of the form"),
        ("get: /items, stream: true, paginate: {page: page}", "`paginate` beside `stream`"),
    ],
)
def test_pages_that_no_request_could_ask_for_are_told_by_the_sheet(operation, told):
    with pytest.raises(SheetError, match=told), asked_through("fake", "blocking", numbered(), operation):
        pass


def test_a_loop_that_is_asked_again_is_a_loop_again():
    with asked_through("fake", "blocking", tokens(first=([1], "a"), a=([2], "a")), CURSORS) as world:
        items = world.client.items("list")
        assert ids(items.all(limit=2)) == [1, 2]
        for _ in range(2):
            with pytest.raises(PageLoop):
                next(items)
        assert len(world.asked) == 2


def test_a_closed_client_is_told():
    with asked_through("fake", "blocking", numbered(), PAGED) as world:
        items = world.client.items("list")
        world.client.close()
        with pytest.raises(UsageError, match="closed"):
            next(items)
