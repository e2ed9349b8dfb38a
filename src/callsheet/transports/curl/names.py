"""Looks names up outside libcurl.

libcurl's resolver threads cannot be abandoned: closing a handle, and leaving the interpreter, waits for them. Here a
daemon thread looks a name up, one thread at a time per name. Its result serves every connection for a minute, and
longer while the next lookup runs.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from callsheet.errors import LocalFault, NotSent
from callsheet.http.public import is_localhost
from callsheet.new_thread import new_thread
from callsheet.process.gate import Gate
from callsheet.transports.curl.guard import Allows, refusal
from callsheet.transports.curl.lacking import lacking
from callsheet.transports.curl.options import NO_MEANS

FRESH = 60.0
"""Seconds for which a result is used without another lookup, as in libcurl."""
USABLE = 600.0
"""Seconds for which a result is used while further lookups fail or have not ended."""


class Addresses:
    """The addresses of a name, and when they were looked up."""

    __slots__ = ("at", "host", "pin")

    def __init__(self, host: str, port: int, found: list[str], at: float) -> None:
        self.host = host
        listed = ",".join(f"[{address}]" if ":" in address else address for address in found)
        self.pin = [f"{host}:{port}:{listed}"]
        self.at = at


def joined(*found: Addresses | None) -> Addresses | None:
    """The addresses of several hosts in one `Addresses`. None in `found` is a host that is an address itself."""
    known = [addresses for addresses in found if addresses is not None]
    return _joined(*known) if len(known) > 1 else next(iter(known), None)


@lru_cache(64)
def _joined(*found: Addresses) -> Addresses:
    whole = Addresses(" ".join(addresses.host for addresses in found), 0, [], min(each.at for each in found))
    whole.pin = [pin for addresses in found for pin in addresses.pin]
    return whole


class Refusal(NamedTuple):
    """The result for a name that has only addresses that are not allowed; `found` is the first."""

    found: str


class Lookup:
    """One running lookup. `result` is set before `done`; a text says what this machine lacks."""

    __slots__ = ("done", "listeners", "lock", "result")

    def __init__(self) -> None:
        self.done = Gate()
        self.lock = threading.Lock()
        self.listeners: list[Callable[[], None]] = []
        self.result: Addresses | OSError | Refusal | str | None = None

    def when_done(self, tell: Callable[[], None]) -> None:
        """Have `tell` called by the lookup's thread at its end; call it here and now if it has ended."""
        with self.lock:
            if not self.done.is_open:
                self.listeners.append(tell)
                return
        tell()

    def end(self, result: Addresses | OSError | Refusal | str) -> None:
        """Set the result and call the listeners; only the first call counts."""
        with self.lock:
            if self.done.is_open:
                return
            self.result = result
            self.done.open()
        for tell in self.listeners:
            tell()

    def addresses(self, host: str) -> Addresses:
        """The addresses found. Raises NotSent if there are none, OriginRefused if none is allowed, LocalFault."""
        if isinstance(self.result, Addresses):
            return self.result
        if isinstance(self.result, Refusal):
            raise refusal(host, self.result.found)
        if isinstance(self.result, str):
            raise LocalFault(NO_MEANS.format(error=self.result))
        raise NotSent(f"name not resolved: {host} ({self.result})", was_sent=False)


class HostNames:
    """The names that a transport has looked up, with the addresses that `allows` accepts."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, allows: Allows | None = None) -> None:
        self._clock = clock
        self._allows = allows
        self._known: dict[tuple[str, int], Addresses] = {}
        self._running: dict[tuple[str, int], Lookup] = {}
        self._lock = threading.Lock()

    def ready(self, host: str, port: int) -> Addresses | Lookup | None:
        """The addresses if they are known, else a lookup to wait for; None for a host that is an address itself.

        Raises OriginRefused for such a host if its address is not allowed.
        """
        known = self._known.get((host, port))
        if known is None:
            if not _is_address(host):
                return self._lookup(host, port)
            if self._allows is not None and not self._allows(host):
                raise refusal(host, host)
            return None
        age = self._clock() - known.at
        if age > FRESH:
            lookup = self._lookup(host, port)
            if age > USABLE:
                return lookup
        return known

    def forget(self, host: str, port: int) -> None:
        """Look the name up anew next time, because no connection to its addresses could be made."""
        self._known.pop((host, port), None)

    def close(self) -> None:
        """End every wait for a lookup. The threads that look up cannot be stopped."""
        with self._lock:
            running = list(self._running.values())
        for lookup in running:
            lookup.end(OSError("the client was closed meanwhile"))

    def _lookup(self, host: str, port: int) -> Lookup:
        with self._lock:
            running = self._running.get((host, port))
            if running is not None:
                return running
            lookup = self._running[host, port] = Lookup()
        try:
            new_thread(f"lookup-{host}", self._look_up, host, port, lookup)
        except LocalFault:  # no more threads, or the interpreter is ending
            self._look_up(host, port, lookup)
        return lookup

    def _look_up(self, host: str, port: int, lookup: Lookup) -> None:
        result: Addresses | OSError | Refusal | str
        try:
            name = "localhost" if is_localhost(host) else host  # resolvers do not know its subdomains
            found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
            result = self._allowed(host, port, list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except OSError as error:
            result = lacking() or error
        except ValueError:  # UnicodeError: a label too long; or a NUL
            result = OSError("not a host name")
        with self._lock:
            self._running.pop((host, port), None)
        lookup.end(result)

    def _allowed(self, host: str, port: int, found: list[str]) -> Addresses | Refusal:
        """The allowed addresses, which are remembered. A Refusal if none is allowed."""
        kept = found if self._allows is None else [address for address in found if self._allows(address)]
        if not kept and found:
            self._known.pop((host, port), None)
            return Refusal(found[0])
        addresses = self._known[host, port] = Addresses(host, port, kept, self._clock())
        return addresses


@lru_cache(1024)
def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
