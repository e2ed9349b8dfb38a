"""Both colours behind one face: a client in a thread, or on an event loop of its own."""

from __future__ import annotations

from typing import Any

from callsheet import AsyncClient, Client, Sheet
from callsheet.testing import FakeTransport
from tests.loops import new_runner


class Threads:
    """Calls of the blocking client."""

    fake = FakeTransport

    def __init__(self, sheet: Sheet, **options: Any) -> None:
        self.client = Client(sheet, **options)
        self.service = self.client.service("shop")

    def do(self, name: str, *arguments: Any, **given: Any) -> Any:
        """What a method of the service returns."""
        return getattr(self.service, name)(*arguments, **given)

    def close(self) -> None:
        self.client.close()


class Tasks:
    """Calls of the asyncio client."""

    fake = FakeTransport
    loop = "asyncio"

    def __init__(self, sheet: Sheet, **options: Any) -> None:
        self.runner = new_runner(self.loop)
        self.client = self.runner.run(self._made(sheet, options))
        self.service = self.client.service("shop")

    async def _made(self, sheet: Sheet, options: dict[str, Any]) -> AsyncClient:
        return AsyncClient(sheet, **options)

    def do(self, name: str, *arguments: Any, **given: Any) -> Any:
        """What a method of the service returns."""

        async def done() -> Any:
            return await getattr(self.service, name)(*arguments, **given)

        return self.runner.run(done())

    def close(self) -> None:
        self.runner.run(self.client.aclose())
        self.runner.close()
