"""Checks the store that processes share. One on another machine is asked with `--online` only."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from callsheet.cli.doctor.examined import Examined
from callsheet.cli.doctor.found import Found, ok, problem, skipped
from callsheet.errors import UsageError
from callsheet.http.public import is_localhost
from callsheet.secret import Secret
from callsheet.settings import StoreSettings

OLDEST_REDIS = 5
"""The first Redis whose scripts may read the time and then write. Every Valkey's may."""


def check_stores(examined: Examined, *, online: bool) -> Iterator[Found]:
    """Whether the store of `stores.limits` answers, and how quickly."""
    if examined.sheet is None:
        return
    limits = examined.sheet.stores.limits
    if limits is None and examined.errors and "stores:" in (examined.text or ""):
        yield skipped("it can be told when the sheet can be read whole")
        return
    if limits is None:
        yield ok("limits are counted in the memory of each process")
        return
    try:
        url = limits.url.reveal() if isinstance(limits.url, Secret) else limits.url
        where, is_here = place_of(url)
    except (OSError, ValueError):
        yield problem("the URL of `stores.limits` cannot be read", "see the variables above")
        return
    if not online and not is_here:
        yield skipped(f"{where} is on another machine: it is asked with --online")
        return
    yield _asked(limits, where)


def _asked(limits: StoreSettings, where: str) -> Found:
    from callsheet.stores.base import StoreUnavailableError
    from callsheet.stores.valkey import ValkeyStore

    fallen = {"local": "each process counts by itself meanwhile", "refuse": "no request is sent meanwhile"}
    try:
        store = ValkeyStore(limits.url, limits.prefix)
    except UsageError as error:
        return problem(str(error))
    began = time.perf_counter()
    try:
        told = store.greet()
    except StoreUnavailableError as error:
        return problem(f"{where}: {error}", f"start it, or mend the URL; {fallen[limits.on_failure]}")
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
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}", _is_here(host)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return is_localhost(host)
