"""One shop, two colours: every fact about the cache is written once, and shown by a Client and an AsyncClient."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from callsheet import AsyncClient, CacheUsed, Client, Sheet
from callsheet.testing import FakeTransport, Reply
from tests.loops import colours, new_runner
from tests.servers.fixtures import *  # noqa: F403

SHEET = """callsheet: 1
services:
  shop:
    base_url: https://shop.test/v1
    cache: http
    {settings}
    operations:
      user: {{get: "/users/{{id}}", cache: {{ttl: 5m, stale_if_error: 1h}}}}
      rename: {{put: "/users/{{id}}", json: object}}
      search: {{post: /search, json: object, safe: true, cache: 5m}}
      export: {{get: /export, stream: true}}
"""


class AnyShop:
    def __init__(self, fake, settings="", sheet=SHEET):
        self.fake = fake
        self.events = []
        self.settings, self.sheet = settings, sheet
        self.client = self.kind(
            Sheet.parse(sheet.format(settings=settings), clock=fake.clock.now),
            transport=fake,
            listeners=(self.events.append,),
        )

    @property
    def did(self):
        return [(event.did, event.why) for event in self.events if isinstance(event, CacheUsed)]

    def wait(self, seconds):
        self.fake.clock.advance(seconds)

    def sent(self, path, method="GET"):
        return len(self.fake.calls_to(method, path))


class BlockingShop(AnyShop):
    kind = Client

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()

    def do(self, name, *arguments, **options):
        return getattr(self.client, name)(*arguments, **options)

    def end(self, stream):
        stream.close()

    def clear(self, **names):
        return self.client.cache.clear(**names)

    def together(self, *calls):
        with ThreadPoolExecutor(len(calls)) as pool:
            futures = [pool.submit(self.do, *arguments, **options) for *arguments, options in calls]
            return [outcome(future.result) for future in futures]

    def settle(self, fact):
        """Wait until what goes on in the background has come to pass."""
        for _ in range(500):
            if fact():
                return
            self.fake.clock.sleep(0.01)
        raise AssertionError("it never came to pass")


class TaskShop(AnyShop):
    kind = AsyncClient
    loop = "asyncio"

    def __enter__(self):
        self.runner = new_runner(self.loop)
        self.runner.__enter__()
        return self

    def __exit__(self, *_):
        self.runner.run(self.client.aclose())
        self.runner.close()

    def do(self, name, *arguments, **options):
        return self.runner.run(getattr(self.client, name)(*arguments, **options))

    def end(self, stream):
        self.runner.run(stream.aclose())

    def clear(self, **names):
        return self.runner.run(self.client.cache.clear(**names))

    def together(self, *calls):
        async def all_of_them():
            tasks = [
                asyncio.ensure_future(getattr(self.client, name)(*rest, **options)) for name, *rest, options in calls
            ]
            return await asyncio.gather(*tasks, return_exceptions=True)

        return self.runner.run(all_of_them())

    def settle(self, fact):
        async def turns():
            async with asyncio.timeout(5):
                while not fact():  # noqa: ASYNC110 the facts are plain ones that no event tells
                    await asyncio.sleep(0)

        self.runner.run(turns())


def outcome(work):
    try:
        return work()
    except Exception as error:  # as `gather` gives it
        return error


@pytest.fixture
def fake():
    return FakeTransport()


@pytest.fixture(params=colours(BlockingShop, TaskShop))
def new_shop(request, fake):
    """Makes a shop with these settings of its service; any number of them, all closed at the end."""
    made = []

    def make(settings="", **options):
        shop = request.param(options.pop("fake", fake), settings, **options)
        made.append(shop.__enter__())
        return shop

    yield make
    for shop in made:
        shop.__exit__(None, None, None)


@pytest.fixture
def shop(new_shop):
    return new_shop()


@pytest.fixture
def numbered(fake):
    """Scripts a path whose answers are numbered, with these header fields."""

    def script(path, method="GET", status=200, **fields):
        count = iter(range(1, 1000))
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        fake.on(method, path).call(partial(answered, count, status, headers))

    return script


def answered(count, status, headers, sent):
    if "If-None-Match" in sent.headers and sent.headers["If-None-Match"] == headers.get("ETag"):
        return Reply(304, headers=tuple(headers.items()))
    content = json.dumps({"n": next(count)}).encode()
    return Reply(status, content, (("Content-Type", "application/json"), *headers.items()))
