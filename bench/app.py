"""The service that is called, in granian's own interface (RSGI), which costs it least."""

from bench.exchange import ANSWER

HEADERS = [("content-type", "application/json")]


async def app(_scope, protocol):
    await protocol()
    protocol.response_bytes(201, HEADERS, ANSWER)
