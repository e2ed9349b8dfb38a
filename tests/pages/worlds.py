"""A service whose pages a function makes, asked in each colour through a fake transport or through sockets."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from callsheet import AsyncClient, Client, Sheet
from callsheet.testing import FakeTransport, Reply
from tests.loops import new_runner
from tests.servers.wsgi import WsgiServer


@dataclass
class Asked:
    """One request, as the service saw it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    content: bytes = b""
    url: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.content.decode(), keep_blank_values=True))


Serve = Callable[[Asked], Any]
"""Gives the document, or a tuple of it, header fields and a status."""


@dataclass
class Service:
    """What a test asks: `items` and `pages` are lists in every colour."""

    serve: Serve
    asked: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> tuple[int, list[tuple[str, str]], bytes]:
        self.asked.append(asked)
        found = self.serve(asked)
        document, headers, status = (
            (*found, *({}, 200)[len(found) - 1 :]) if isinstance(found, tuple) else (found, {}, 200)
        )
        fields = [("Content-Type", "application/json"), *headers.items()]
        return status, fields, document if isinstance(document, bytes) else json.dumps(document).encode()

    def wsgi(self, environ, start_response):
        url = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
        names = {
            name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")
        }
        content = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status, fields, body = self.answer(asked_of(environ["REQUEST_METHOD"], url, names, content))
        start_response(f"{status} X", [*fields, ("Content-Length", str(len(body)))])
        return [body]

    def fake(self, sent):
        headers = {name.lower(): value for name, value in sent.headers.items()}
        status, fields, body = self.answer(asked_of(sent.method, sent.url, headers, sent.content))
        return Reply(status, body, tuple(fields))


def asked_of(method: str, url: str, headers: dict[str, str], content: bytes) -> Asked:
    parts = urlsplit(url)
    return Asked(method, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), headers, content, url)


SHEET = """
callsheet: 1
services:
  shop:
    base_url: {url}
    retry: off
{service}
    operations:
      list: {{{operation}}}
"""


class World:
    """A client in one colour. What it walks over comes as a list, and the error that ended the walk is raised."""

    def __init__(self, colour: str, sheet: Sheet, transport: Any, service: Service) -> None:
        self.colour = colour
        self.service = service
        self.fake = transport
        self._options = {"transport": transport} if transport is not None else {}
        if colour == "blocking":
            self.client: Any = Client(sheet, **self._options)
        else:
            self._runner = new_runner(colour)
            self.client = self.run(self._made(sheet))

    async def _made(self, sheet: Sheet) -> AsyncClient:
        return AsyncClient(sheet, **self._options)

    def run(self, steps: Any) -> Any:
        return self._runner.run(steps)

    @property
    def asked(self) -> list[Asked]:
        return self.service.asked

    def close(self) -> None:
        if self.colour == "blocking":
            self.client.close()
        else:
            self.run(self.client.aclose())
            self._runner.close()

    def call(self, *arguments: Any, **options: Any) -> Any:
        found = self.client.call(*arguments, **options)
        return found if self.colour == "blocking" else self.run(found)

    def walk(self, method: str, *arguments: Any, kept: list | None = None, **options: Any) -> list[Any]:
        """Everything that a walk gives; `kept` has it even where the walk fails."""
        kept = [] if kept is None else kept
        begun = getattr(self.client, method)
        if self.colour == "blocking":
            for each in begun(*arguments, **options):
                kept.append(each)
            return kept

        async def steps() -> None:
            async for each in begun(*arguments, **options):
                kept.append(each)

        self.run(steps())
        return kept

    def items(self, **options: Any) -> list[Any]:
        return self.walk("items", "list", **options)

    def pages(self, **options: Any) -> list[Any]:
        return self.walk("pages", "list", **options)


class Switch:
    """One server for many tests: it answers as the service that asked for it last."""

    def __init__(self) -> None:
        self.service: Any = None
        self._server: WsgiServer | None = None

    def url_of(self, service: Service) -> str:
        self.service = service
        if self._server is None:
            self._server = WsgiServer(self._answer)
        return self._server.url

    def _answer(self, environ, start_response):
        return self.service.wsgi(environ, start_response)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


SWITCH = Switch()


@contextmanager
def asked_through(way: str, colour: str, serve: Serve, operation: str, service: str = ""):
    """A world in which the operation `list` is declared like this; `way` is `fake` or `sockets`."""
    made = Service(serve)
    if way == "fake":
        fake = FakeTransport()
        fake.otherwise().call(made.fake)
        yield from _world(colour, made, "https://api.example.com/v1", fake, operation, service)
        return
    yield from _world(colour, made, SWITCH.url_of(made), None, operation, service)


def _world(colour, made, url, transport, operation, service):
    lines = "\n".join(f"    {line}" for line in service.splitlines())
    sheet = Sheet.parse(SHEET.format(url=url, operation=operation, service=lines))
    world = World(colour, sheet, transport, made)
    try:
        yield world
    finally:
        world.close()
