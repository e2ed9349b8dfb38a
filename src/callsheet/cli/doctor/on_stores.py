"""Checks the store that processes share. One on another machine is asked with `--online` only."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from callsheet.cli.doctor.examined import Examined
from callsheet.cli.doctor.found import Found, ok, problem, skipped
from callsheet.errors import UsageError
from callsheet.secret import Secret
from callsheet.sheet.words.addresses import is_loopback

FALLEN = {"local": "each process counts by itself meanwhile", "refuse": "no request is sent meanwhile"}
OLDEST_REDIS = 5
"""The first Redis whose scripts may read the time and then write. Every Valkey's may."""


def check_stores(examined: Examined, *, online: bool) -> Iterator[Found]:
    """Whether the stores of `stores.limits` and `stores.cache` answer, and how quickly."""
    if examined.sheet is None:
        return
    limits, cache = examined.sheet.stores.limits, examined.sheet.stores.cache
    if limits is None and not cache.is_server and examined.errors and "stores:" in (examined.text or ""):
        yield skipped("it can be told when the sheet can be read whole")
        return
    if limits is None:
        yield ok("limits are counted in the memory of each process")
    else:
        yield _checked("limits", limits.url, FALLEN[limits.on_failure], online=online)
    if isinstance(cache.place, str | Secret) and cache.is_server:
        yield _checked("cache", cache.place, "the services are asked meanwhile", online=online)


def _checked(name: str, url: str | Secret, fallen: str, *, online: bool) -> Found:
    try:
        where, is_here = place_of(url.reveal() if isinstance(url, Secret) else url)
    except (OSError, ValueError):
        return problem(f"the URL of `stores.{name}` cannot be read", "see the variables above")
    if not online and not is_here:
        return skipped(f"{where} is on another machine: it is asked with --online")
    return _asked(url, where, fallen)


def _asked(url: str | Secret, where: str, fallen: str) -> Found:
    from callsheet.stores.base import StoreUnavailableError
    from callsheet.stores.valkey import ValkeyStore

    try:
        store = ValkeyStore(url)
    except UsageError as error:
        return problem(str(error))
    began = time.perf_counter()
    try:
        told = store.greet()
    except StoreUnavailableError as error:
        return problem(f"{where}: {error}", f"start it, or mend the URL; {fallen}")
    finally:
        store.close()
    elapsed = round((time.perf_counter() - began) * 1000, 1)
    if is_too_old(told):
        return problem(f"{where}: {told}", f"Redis {OLDEST_REDIS} or any Valkey is needed")
    return ok(f"{where} answers in {elapsed} ms" + (f": {told}" if told else ""), milliseconds=elapsed)


def is_too_old(told: str) -> bool:
    """Whether the server, by its name and version, cannot run our script."""
    name, _, version = told.partition(" ")
    major = version.partition(".")[0]
    return name == "Redis" and major.isdigit() and int(major) < OLDEST_REDIS


def place_of(url: str) -> tuple[str, bool]:
    """The URL of a store without its password, and whether it is on this machine. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"unix://{parts.path}", True
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}", is_loopback(host)
