"""A client that is closed wakes who pauses before a retry."""

import asyncio
import threading

import pytest

from callsheet import AsyncClient, Client, UsageError
from tests.servers import ScriptedServer, answer

BUSY = answer(503, [("Retry-After", "20")])


def test_closing_ends_a_pause_of_a_thread():
    with ScriptedServer(BUSY) as server:
        client = Client(base_url=server.url)
        outcome = []

        def call() -> None:
            try:
                client.get("/x")
            except UsageError as error:
                outcome.append(error)

        thread = threading.Thread(target=call)
        thread.start()
        assert server.wait_requests(1)
        client.close()
        thread.join(5)
        assert not thread.is_alive()
        assert "closed" in str(outcome[0])


def test_closing_ends_a_pause_of_a_task():
    async def main(url: str) -> None:
        client = AsyncClient(base_url=url)
        call = asyncio.create_task(client.get("/x"))
        await asyncio.to_thread(server.wait_requests, 1)
        await client.aclose()
        with pytest.raises(UsageError, match="closed"):
            await asyncio.wait_for(call, 5)

    with ScriptedServer(BUSY) as server:
        asyncio.run(main(server.url))
