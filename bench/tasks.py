"""Asyncio clients: each opens what its library would keep open, and gives a coroutine function that makes one call.

Each parses its answer with what it brings.
"""

# ruff: noqa: PLC0415 each client runs in a process of its own, which loads that client's library alone

import json
import os
from contextlib import asynccontextmanager

from bench.blocking import SHEET
from bench.exchange import BODY, PATH


@asynccontextmanager
async def with_httpx2(url):
    import httpx2

    target = url + PATH
    async with httpx2.AsyncClient(limits=httpx2.Limits(max_keepalive_connections=100)) as client:

        async def call():
            return (await client.post(target, json=BODY)).json()

        yield call


@asynccontextmanager
async def with_aiohttp(url):
    import aiohttp

    target = url + PATH
    async with aiohttp.ClientSession() as session:

        async def call():
            async with session.post(target, json=BODY) as answer:
                return await answer.json()

        yield call


@asynccontextmanager
async def with_pycurl(url):
    import pycurl

    target = url + PATH
    headers = ["Content-Type: application/json", "Accept: application/json", "Expect:"]
    idle = []

    def opened():
        handle = pycurl.Curl()
        handle.setopt(pycurl.URL, target)
        handle.setopt(pycurl.HTTPHEADER, headers)
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, 5000)
        handle.setopt(pycurl.TIMEOUT_MS, 10000)
        return handle

    async with pycurl.AsyncCurlMulti() as multi:

        async def call():
            handle = idle.pop() if idle else opened()
            lines, chunks = [], []
            handle.setopt(pycurl.POSTFIELDS, json.dumps(BODY))
            handle.setopt(pycurl.HEADERFUNCTION, lines.append)
            handle.setopt(pycurl.WRITEFUNCTION, chunks.append)
            await multi.perform(handle)
            if handle.getinfo(pycurl.RESPONSE_CODE) >= 400:
                raise RuntimeError(lines[0])
            idle.append(handle)
            return json.loads(b"".join(chunks))

        yield call


def with_callsheet(name):
    """Our client, calling the service of this name."""

    @asynccontextmanager
    async def opened(url):
        from callsheet import AsyncClient

        os.environ["BENCH_URL"] = url
        async with AsyncClient(SHEET) as client:
            service = client.service(name)

            async def call():
                return await service.call("create_user", **BODY)

            yield call

    return opened


CLIENTS = {
    "httpx2": with_httpx2,
    "aiohttp": with_aiohttp,
    "pycurl": with_pycurl,
    "callsheet": with_callsheet("bench"),
    "callsheet: few": with_callsheet("few"),
    "callsheet: all": with_callsheet("all"),
}
