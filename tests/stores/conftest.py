import pytest

from callsheet.stores.valkey import AsyncValkeyStore, ValkeyStore
from tests.loops import colours, new_runner
from tests.servers.valkey import ValkeyServer


@pytest.fixture(scope="session")
def valkey():
    """One Valkey for the run; each test has a prefix of its own."""
    with ValkeyServer() as server:
        yield server


@pytest.fixture
def own_valkey():
    """A Valkey that the test may kill."""
    with ValkeyServer() as server:
        yield server


class Blocking:
    def __init__(self, url, prefix="callsheet", **options):
        self.store = ValkeyStore(url, prefix, **options)

    def ask(self, question):
        return self.store.ask(question, 5.0)

    def close(self):
        self.store.close()


class Asynchronous:
    loop = "asyncio"

    def __init__(self, url, prefix="callsheet", **options):
        self.runner = new_runner(self.loop)
        self.store = AsyncValkeyStore(url, prefix, **options)

    def ask(self, question):
        return self.runner.run(self.store.ask(question, 5.0))

    def close(self):
        self.runner.run(self.store.aclose())
        self.runner.close()


@pytest.fixture(params=colours(Blocking, Asynchronous))
def open_store(request):
    opened = []

    def make(url, **options):
        opened.append(request.param(url, **options))
        return opened[-1]

    yield make
    for store in opened:
        store.close()
