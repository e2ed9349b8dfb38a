import http.client
import json as codec
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from callsheet.practice import PracticeServer


class Clock:
    """Seconds that pass only when a test says so."""

    now = 1000.0

    def __call__(self):
        return self.now

    def move(self, seconds):
        self.now += seconds


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return codec.loads(self.body)

    @property
    def type(self):
        return self.headers.get_content_type()


class Caller:
    """A client that adds nothing: one connection per request, no redirects, no decoding."""

    def __init__(self, url):
        self.url = url
        self.address = urlsplit(url).netloc

    def __call__(self, method, path, *, json=None, body=None, headers=()):
        sent = dict(headers)
        if json is not None:
            body = codec.dumps(json).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(self.address, timeout=10)
        try:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, **rest):
        return self("GET", path, **rest)

    def post(self, path, **rest):
        return self("POST", path, **rest)


@pytest.fixture(scope="session")
def clock():
    return Clock()


@pytest.fixture(scope="session")
def server(clock):
    with PracticeServer(clock=clock) as running:
        yield running


@pytest.fixture(scope="session")
def call(server):
    return Caller(server.url)


@pytest.fixture
def fresh():
    """A caller of a server of its own, for facts about all of the server's state."""
    with PracticeServer() as running:
        yield Caller(running.url)
