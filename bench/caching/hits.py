"""`python -m bench cache`: CPU per answer that comes from a cache, callsheet's stores and other clients in one run."""

# ruff: noqa: PLC0415 what is not asked for need not be installed

import argparse
import asyncio
import json
import statistics
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from bench import report
from bench.machine import machine

CALLS, ROUNDS = 2000, 7
BODY = json.dumps({"id": 7, "name": "Ann", "tags": ["a", "b"] * 20}).encode()
BEGIN, END = "<!-- cache: written by `python -m bench cache` with --page -->", "<!-- end of cache -->"


class Upstream(BaseHTTPRequestHandler):
    """Answers that may be stored for an hour."""

    protocol_version = "HTTP/1.1"
    served = 0

    def do_GET(self):
        Upstream.served += 1
        self.send_response(200)
        for name, value in (("Content-Type", "application/json"), ("Cache-Control", "max-age=3600"), ("ETag", '"a"')):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *told):
        pass


@contextmanager
def upstream():
    with HTTPServer(("127.0.0.1", 0), Upstream) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _sheet(url, store):
    from callsheet import Sheet

    operation = {"get": "/users/{id}", "path": {"id": "integer"}}
    return Sheet(services={"s": {"base_url": url, "cache": "http", "operations": {"get": operation}}}, stores=store)


@contextmanager
def _blocking(url, store):
    from callsheet import Client

    with Client(_sheet(url, store)) as client:
        service = client.service("s")
        yield lambda: service.call("get", id=7)


@contextmanager
def _asyncio(url, store):
    from callsheet import AsyncClient

    with asyncio.Runner() as runner:
        client = AsyncClient(_sheet(url, store))
        service = client.service("s")

        async def many(count):
            for _ in range(count):
                await service.call("get", id=7)

        yield lambda count=1: runner.run(many(count))
        runner.run(client.aclose())


@contextmanager
def _hishel(url, folder):
    import httpx2
    from hishel import CacheOptions, SqliteStorage
    from hishel.httpx2 import CacheTransport

    storage = SqliteStorage(database_path=str(folder / "hishel.db"))
    transport = CacheTransport(httpx2.HTTPTransport(), storage, rfc=CacheOptions(shared=False))
    with httpx2.Client(transport=transport) as client:
        yield lambda: client.get(f"{url}/users/7").json()


@contextmanager
def _requests_cache(url, place, backend):
    import requests_cache

    with requests_cache.CachedSession(place, backend=backend, cache_control=True) as session:
        yield lambda: session.get(f"{url}/users/7").json()


def rows(url, folder, valkey):
    """Name and context of each caller."""
    stores = {"memory": {}, "SQLite": {"cache": f"sqlite:{folder / 'callsheet.db'}"}}
    if valkey:
        stores["Valkey"] = {"cache": valkey}
    for name, store in stores.items():
        yield f"callsheet, {name}", _blocking(url, store)
        yield f"callsheet, {name}, asyncio", _asyncio(url, store)
    if find_spec("hishel"):
        yield "hishel, SQLite", _hishel(url, folder)
    if find_spec("requests_cache"):
        yield "requests-cache, memory", _requests_cache(url, "bench", "memory")
        yield "requests-cache, SQLite", _requests_cache(url, str(folder / "requests.db"), "sqlite")


def measured(call, *, in_one):
    """Microseconds of CPU, and of time, per hit: medians of the rounds."""
    call()
    time.sleep(0.2)  # until it is written
    before = Upstream.served
    cpu, wall = [], []
    for _ in range(ROUNDS):
        began, clock = time.process_time(), time.perf_counter()
        if in_one:
            call(CALLS)
        else:
            for _ in range(CALLS):
                call()
        cpu.append((time.process_time() - began) / CALLS * 1e6)
        wall.append((time.perf_counter() - clock) / CALLS * 1e6)
    if Upstream.served != before:
        raise SystemExit(f"{Upstream.served - before} calls were no hits")
    return statistics.median(cpu), statistics.median(wall)


def options(arguments):
    parser = argparse.ArgumentParser(prog="python -m bench cache", description=__doc__)
    parser.add_argument("--valkey", default="", help="the URL of a Valkey to ask, too")
    parser.add_argument("--json", type=Path, default=Path("bench/results.json"), help="where the results are written")
    parser.add_argument("--page", type=Path, help="a page whose marked part is replaced by the table")
    return parser.parse_args(arguments)


def main(arguments):
    chosen = options(arguments)
    found = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "versions": _versions()}
    results = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cache-")))
        url = stack.enter_context(upstream())
        for name, opened in rows(url, folder, chosen.valkey):
            with opened as call:
                results[name] = measured(call, in_one=name.endswith("asyncio"))
    lines = [f"| {name} | {cpu:.1f} | {wall:.1f} |" for name, (cpu, wall) in results.items()]
    table = "\n".join(("| a hit of | µs of CPU | µs |", "| --- | --- | --- |", *lines))
    text = f"{report.conditions(found, f'medians of {ROUNDS} rounds of {CALLS} hits')}\n\n{table}"
    print(text)
    known = json.loads(chosen.json.read_text()) if chosen.json.exists() else {}
    chosen.json.write_text(json.dumps({**known, "cache": {**found, "results": results}}, indent=2) + "\n")
    if chosen.page is not None:
        chosen.page.write_text(report.between(chosen.page.read_text(), text, BEGIN, END))


def _versions():
    told = {}
    for name in ("callsheet", "hishel", "requests-cache"):
        try:
            told[name] = version(name)
        except PackageNotFoundError:
            continue
    return told
