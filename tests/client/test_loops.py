"""An AsyncClient where no loop of asyncio runs, as under trio: a UsageError that says so, and nothing is done."""

import inspect

import pytest

from callsheet import AsyncASGITransport, AsyncClient, Sheet, UsageError
from callsheet.practice import create_app
from callsheet.testing import FakeTransport

SAYS = "AsyncClient needs asyncio, on its own loop or uvloop's, and no such loop runs here; under trio use Client"
ARGUMENTS = {"call": ("get",), "call_with_response": ("get",), "request": ("GET", "/x")}
METHODS = [
    name
    for name, _ in inspect.getmembers(AsyncClient, inspect.iscoroutinefunction)
    if name[0] != "_" and name != "aclose"
]


def step(steps):
    """The result of a coroutine that never waits, as another library's loop would run it."""
    try:
        steps.send(None)
    except StopIteration as end:
        return end.value
    finally:
        steps.close()
    raise AssertionError("it waits")


@pytest.fixture
def fake():
    fake = FakeTransport()
    fake.otherwise().respond(json={})
    return fake


@pytest.fixture
def told():
    return []


@pytest.fixture
def client(fake, told):
    services = {"shop": {"base_url": "https://shop.test", "operations": {"get": {"get": "/x"}}}}
    return AsyncClient(Sheet(services=services), transport=fake, listeners=(told.append,))


def refused(steps):
    with pytest.raises(UsageError) as caught:
        step(steps)
    assert str(caught.value).startswith(SAYS)


def test_every_method_is_here():
    assert {"call", "call_with_response", "request", "get", "post", "download"} < set(METHODS)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_refused_before_it_does_anything(client, fake, told, method, tmp_path):
    arguments = ("/x", tmp_path / "file") if method == "download" else ARGUMENTS.get(method, ("/x",))
    for calls in (client, client.service("shop")):
        refused(getattr(calls, method)(*arguments))
    assert (fake.calls, told, list(tmp_path.iterdir())) == ([], [], [])


def test_so_are_streams_and_many_calls(client, fake, told):
    refused(client.stream("GET", "/x").__aenter__())
    outcomes = client.map("get", [{}])
    refused(anext(outcomes))
    step(outcomes.aclose())
    assert (fake.calls, told) == ([], [])


@pytest.mark.parametrize(
    "transport", [FakeTransport, lambda: AsyncASGITransport(create_app()), lambda: None], ids=["fake", "asgi", "real"]
)
def test_closing_works_all_the_same(transport):
    async def main():
        async with AsyncClient(base_url="http://127.0.0.1:9", transport=transport()) as client:
            with pytest.raises(UsageError):
                await client.get("/")
        await client.aclose()
        return client

    assert "closed" in repr(step(main()))
