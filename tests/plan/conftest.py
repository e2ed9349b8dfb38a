from contextlib import contextmanager

import pytest

from callsheet import Client, Sheet
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
