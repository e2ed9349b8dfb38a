from contextlib import contextmanager

import pytest

from callsheet import AsyncClient, Client, Sheet
from tests.loops import COLOURS, new_runner
from tests.servers import ScriptedServer, answer_json


class Shop:
    """A service with the operations that a test declares, on a real socket; `sent` is the last request."""

    def __init__(self, service, server):
        self.service = service
        self.server = server

    def __getattr__(self, name):
        return getattr(self.service, name)

    @property
    def sent(self):
        return self.server.requests[-1]

    @property
    def count(self):
        return len(self.server.requests)

    def read(self, answer):
        """The whole of a stream."""
        return answer.read()


@pytest.fixture
def shop():
    """`with shop({"get_user": {"get": "/users/{id}"}}) as service:`"""

    @contextmanager
    def open_shop(operations=(), *, script=None, prefix="", **settings):
        with ScriptedServer(answer_json({}) if script is None else script) as server:
            service = {"base_url": server.url + prefix, "operations": dict(operations), **settings}
            with Client(Sheet(services={"shop": service})) as client:
                yield Shop(client.service("shop"), server)

    return open_shop


class AsyncShop(Shop):
    """The same of an AsyncClient, each call run to its end."""

    def __init__(self, service, server, run):
        super().__init__(service, server)
        self._run = run

    def __getattr__(self, name):
        begin = getattr(self.service, name)
        return lambda *arguments, **named: self._run(begin(*arguments, **named))

    def read(self, answer):
        """The whole of a stream."""
        return self._run(answer.read())


@pytest.fixture(params=COLOURS)
def any_shop(request, shop):
    """`shop` in both colours: what it calls is a Client's service, or an AsyncClient's."""

    @contextmanager
    def open_shop(operations=(), *, script=None, **settings):
        with (
            ScriptedServer(answer_json({}) if script is None else script) as server,
            new_runner(request.param) as runner,
        ):
            service = {"base_url": server.url, "operations": dict(operations), **settings}
            client = AsyncClient(Sheet(services={"shop": service}))
            try:
                yield AsyncShop(client.service("shop"), server, runner.run)
            finally:
                runner.run(client.aclose())

    return shop if request.param == "blocking" else open_shop
