"""One synchronous face for clients of both colours, so that every test is written once."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from callsheet import AsyncClient, Client, Sheet
from callsheet.errors import UsageError
from tests.loops import new_runner


def sheet_of(base_url: str, operations: dict[str, Any] | None = None, **settings: Any) -> Sheet:
    settings = {"retry": "off", **settings}
    return Sheet(services={"shop": {"base_url": base_url, "operations": operations or {}, **settings}})


class Caller:
    """Makes clients, and ends them. `Open` answers give their parts as lists."""

    def __enter__(self):
        self.stack = ExitStack()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def parts(self, client, path, kind, **options):
        """The parts of a streamed body, what ended it (None: its end), and the id of the last event."""
        raise NotImplementedError


class BlockingCaller(Caller):
    def client(self, base_url, operations=None, transport=None, **settings):
        client = Client(sheet_of(base_url, operations, **settings), transport=transport)
        return self.stack.enter_context(client)

    def do(self, client, method, *arguments, **options):
        """What a method of the client gives."""
        return getattr(client, method)(*arguments, **options)

    def parts(self, client, path, kind, **options):
        found: list[Any] = []
        answer = client.stream("GET", path, **options)
        try:
            with answer:
                for part in getattr(answer, kind)():
                    found.append(part)  # noqa: PERF402 what came before an error is a fact, too
        except Exception as error:
            return found, error, answer.last_event_id
        return found, None, answer.last_event_id

    def all_of(self, client, operation):
        """What iterating over the answer of a declared operation gives."""
        with client.call(operation) as answer:
            return list(answer)

    def read_in_turn(self, client, path, ways):
        found: list[Any] = []
        with client.stream("GET", path) as answer:
            for way in ways:
                try:
                    if way.startswith("first_"):
                        found.append([next(getattr(answer, way.removeprefix("first_"))())])
                        continue
                    found.append(answer.read() if way == "read" else list(getattr(answer, way)()))
                except UsageError as error:
                    found.append(error)
        return found

    def reading(self, client, path, work):
        """What `work(next piece)` gives of an open answer."""
        with client.stream("GET", path) as answer:
            pieces = answer.iter_bytes()
            return work(lambda: next(pieces, b""))


class AsyncioCaller(Caller):
    loop = "asyncio"

    def __enter__(self):
        super().__enter__()
        self.runner = self.stack.enter_context(new_runner(self.loop))
        return self

    def client(self, base_url, operations=None, transport=None, **settings):
        client = AsyncClient(sheet_of(base_url, operations, **settings), transport=transport)
        self.stack.callback(lambda: self.runner.run(client.aclose()))
        return client

    def do(self, client, method, *arguments, **options):
        return self.runner.run(getattr(client, method)(*arguments, **options))

    def parts(self, client, path, kind, **options):
        return self.runner.run(self._parts(client, path, kind, options))

    async def _parts(self, client, path, kind, options):
        found: list[Any] = []
        answer = None
        try:
            async with client.stream("GET", path, **options) as answer:
                async for part in getattr(answer, kind)():
                    found.append(part)  # noqa: PERF401 what came before an error is a fact, too
        except Exception as error:
            return found, error, answer.last_event_id if answer else ""
        return found, None, answer.last_event_id

    def all_of(self, client, operation):
        async def found():
            async with await client.call(operation) as answer:
                return [part async for part in answer]

        return self.runner.run(found())

    def read_in_turn(self, client, path, ways):
        return self.runner.run(self._read_in_turn(client, path, ways))

    async def _read_in_turn(self, client, path, ways):
        found: list[Any] = []
        async with client.stream("GET", path) as answer:
            for way in ways:
                try:
                    if way.startswith("first_"):
                        found.append([await anext(getattr(answer, way.removeprefix("first_"))())])
                        continue
                    parts = await answer.read() if way == "read" else [part async for part in getattr(answer, way)()]
                    found.append(parts)
                except UsageError as error:
                    found.append(error)
        return found

    def reading(self, client, path, work):
        opening = client.stream("GET", path)
        answer = self.runner.run(opening.__aenter__())
        pieces = answer.iter_bytes()

        async def following():
            return await anext(pieces, b"")

        try:
            return work(lambda: self.runner.run(following()))
        finally:
            self.runner.run(opening.__aexit__(None, None, None))
