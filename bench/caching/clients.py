"""The clients: each gives a coroutine function `fetch(method, path, fields, body)`, whose cache lasts as long as the block."""

# ruff: noqa: PLC0415 what is not asked for need not be installed

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from bench.caching.judge import Answer, joined


@asynccontextmanager
async def _with_callsheet(url, folder, **settings):
    from callsheet import AsyncClient, Sheet

    stores = settings.pop("stores", {})
    service = {"base_url": url, "retry": "off", "breaker": "off", "timeout": 60, **settings}
    async with AsyncClient(Sheet(services={"suite": service}, stores=stores)) as client:
        suite = client.service("suite")

        async def fetch(method, path, fields, body):
            headers = joined(fields)
            given = {} if body is None else {"content": body.encode()}
            answer = await suite.request(method, path, headers=headers, raise_for_status=False, **given)
            return Answer(answer.status_code, joined(answer.headers.multi_items()), answer.text)

        yield fetch


def with_callsheet(url, folder):
    """Answers in memory."""
    return _with_callsheet(url, folder, cache="http")


def with_callsheet_sqlite(url, folder):
    """Answers in a file."""
    return _with_callsheet(url, folder, cache="http", stores={"cache": f"sqlite:{folder / 'callsheet.db'}"})


def without_cache(url, folder):
    """No cache: what passes without one."""
    return _with_callsheet(url, folder)


@asynccontextmanager
async def with_hishel(url, folder):
    import httpx2
    from hishel import AsyncSqliteStorage, CacheOptions
    from hishel.httpx2 import AsyncCacheTransport

    storage = AsyncSqliteStorage(database_path=str(folder / "hishel.db"))
    transport = AsyncCacheTransport(httpx2.AsyncHTTPTransport(), storage, rfc=CacheOptions(shared=False))
    async with httpx2.AsyncClient(transport=transport, base_url=url, timeout=60) as client:

        async def fetch(method, path, fields, body):
            answer = await client.request(method, path, headers=fields, content=body)
            return Answer(answer.status_code, joined(answer.headers.multi_items()), answer.text)

        yield fetch


@asynccontextmanager
async def with_requests_cache(url, folder):
    import requests_cache

    session = requests_cache.CachedSession(
        backend="memory",
        cache_control=True,
        expire_after=0,
        allowable_codes=range(200, 600),
        allowable_methods=["GET", "HEAD"],
    )
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(100) as threads, session:

        def called(method, path, fields, body):
            answer = session.request(
                method, url + path, headers=joined(fields), data=body, allow_redirects=False, timeout=60
            )
            return Answer(answer.status_code, joined(answer.headers.items()), answer.text)

        async def fetch(*asked):
            return await loop.run_in_executor(threads, called, *asked)

        yield fetch


CLIENTS = {
    "callsheet": with_callsheet,
    "callsheet, SQLite": with_callsheet_sqlite,
    "hishel": with_hishel,
    "requests-cache": with_requests_cache,
    "no cache": without_cache,
}
