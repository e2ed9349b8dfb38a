"""Asyncio clients, each as a careful user sets it up from its documentation.

Each gives a coroutine function `send(method, order)` that reads the whole answer or raises. The page shows these
functions as they stand here.
"""

# ruff: noqa: PLC0415 each client runs in a process of its own, which loads that client's library alone

from contextlib import asynccontextmanager


@asynccontextmanager
async def with_callsheet(url, limits, **settings):
    from callsheet import AsyncClient

    # At the full limits this says what the defaults are; nothing else is set, unless a line of a table names it.
    timeout = {"connect": limits.connect, "read": limits.read, "attempt": limits.read, "total": limits.total}
    async with AsyncClient(base_url=url, timeout=timeout, **settings) as client:

        async def send(method, order):
            if method == "GET":
                return await client.get(f"/orders/{order}")
            return await client.post("/orders", json={"order": order})

        yield send


@asynccontextmanager
async def with_httpx2(url, limits):
    import httpx2
    import stamina

    def worth_another(error):
        if not isinstance(error, httpx2.HTTPStatusError):
            return isinstance(error, httpx2.HTTPError)
        if error.response.status_code not in {429, 500, 502, 503, 504}:
            return False
        asked = error.response.headers.get("Retry-After")
        return float(asked) if asked else True

    timeout = httpx2.Timeout(limits.read, connect=limits.connect)
    async with httpx2.AsyncClient(base_url=url, timeout=timeout) as client:
        # stamina knows no methods: whatever the function does is done again.
        @stamina.retry(on=worth_another, attempts=3, timeout=limits.total)
        async def send(method, order):
            path, body = (f"/orders/{order}", None) if method == "GET" else ("/orders", {"order": order})
            answer = await client.request(method, path, json=body)
            answer.raise_for_status()
            return answer

        yield send


@asynccontextmanager
async def with_aiohttp(url, limits):
    import aiohttp
    from aiohttp_retry import ExponentialRetry, RetryClient

    class HonouringRetryAfter(ExponentialRetry):
        def get_timeout(self, attempt, response=None):
            asked = response.headers.get("Retry-After") if response is not None else None
            return float(asked) if asked else super().get_timeout(attempt, response)

    # `methods` is left alone: POST and PATCH are among them. With no `exceptions` named, none would be tried again.
    retry = HonouringRetryAfter(
        attempts=3,
        statuses={429, 500, 502, 503, 504},
        retry_all_server_errors=False,
        exceptions={aiohttp.ClientError, TimeoutError},
    )
    # aiohttp's `total` is one attempt's: aiohttp-retry begins it anew with each.
    timeout = aiohttp.ClientTimeout(total=limits.read, sock_connect=limits.connect)
    async with aiohttp.ClientSession(base_url=url, timeout=timeout) as session:
        client = RetryClient(client_session=session, retry_options=retry)

        async def send(method, order):
            path, body = (f"/orders/{order}", None) if method == "GET" else ("/orders", {"order": order})
            async with client.request(method, path, json=body) as answer:
                answer.raise_for_status()
                return await answer.read()

        yield send


CLIENTS = {"callsheet": with_callsheet, "httpx2": with_httpx2, "aiohttp": with_aiohttp}
