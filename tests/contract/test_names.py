"""Names are looked up outside libcurl, once a minute at most, by threads that nobody waits for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from callsheet.errors import NotSent
from callsheet.transports.curl.names import FRESH, USABLE, Addresses, HostNames, Lookup


class Resolver:
    """Stands in for the system's, which a test cannot make slow, broken or changing."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: Callable[[], list[str]] = lambda: ["192.0.2.1"]

    def __call__(self, host: str, port: int, **_: object) -> list[tuple]:
        self.asked += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in self.answer()]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    resolver = Resolver()
    monkeypatch.setattr("socket.getaddrinfo", resolver)
    return resolver


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def settled(names: HostNames) -> Addresses:
    """What is known of the name once no lookup runs."""
    known = names.ready("a.test", 80)
    for lookup in list(names._running.values()):
        assert lookup.done.wait(5.0)
    if isinstance(known, Lookup):
        assert known.done.wait(5.0)
        return known.addresses("a.test")
    assert known is not None
    return known


def fail() -> list[str]:
    raise OSError("no such name")


def test_an_address_needs_no_lookup(resolver: Resolver) -> None:
    assert HostNames().ready("127.0.0.1", 80) is None
    assert HostNames().ready("::1", 80) is None
    assert resolver.asked == 0


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("shop.localhost", "localhost"),
        ("a.b.LOCALHOST.", "localhost"),
        ("localhost.test", "localhost.test"),
        ("mylocalhost", "mylocalhost"),
    ],
)
def test_subdomains_of_localhost_are_this_machine(monkeypatch: pytest.MonkeyPatch, host: str, asked: str) -> None:
    """RFC 6761 6.3: no resolver is asked for them; most know none."""
    told = []
    monkeypatch.setattr("socket.getaddrinfo", lambda name, *_, **__: told.append(name) or [])
    lookup = HostNames().ready(host, 80)
    assert isinstance(lookup, Lookup)
    assert lookup.done.wait(5.0)
    assert told == [asked]


def test_a_name_is_looked_up_once_while_it_is_fresh(resolver: Resolver) -> None:
    names = HostNames(clock := Clock())
    first = settled(names)
    clock.now += FRESH
    assert settled(names) is first
    assert resolver.asked == 1
    assert first.pin == ["a.test:80:192.0.2.1"]


def test_an_old_address_serves_while_a_new_one_is_looked_up(resolver: Resolver) -> None:
    names = HostNames(clock := Clock())
    settled(names)
    clock.now += FRESH + 1
    resolver.answer = lambda: ["192.0.2.2", "::1", "192.0.2.2"]
    assert settled(names).pin == ["a.test:80:192.0.2.1"]
    assert settled(names).pin == ["a.test:80:192.0.2.2,[::1]"]
    assert resolver.asked == 2


def test_an_old_address_serves_while_lookups_fail_but_not_for_ever(resolver: Resolver) -> None:
    names = HostNames(clock := Clock())
    settled(names)
    resolver.answer = fail
    clock.now += USABLE
    assert settled(names).pin == ["a.test:80:192.0.2.1"]
    clock.now += 1
    with pytest.raises(NotSent, match=r"name not resolved: a\.test"):
        settled(names)


def test_a_failed_lookup_is_made_again_next_time(resolver: Resolver) -> None:
    names = HostNames(Clock())
    resolver.answer = fail
    for _ in range(2):
        with pytest.raises(NotSent):
            settled(names)
    assert resolver.asked == 2


def test_forgetting_looks_up_anew(resolver: Resolver) -> None:
    names = HostNames(Clock())
    first = settled(names)
    names.forget("a.test", 80)
    assert settled(names) is not first


def test_one_lookup_serves_all_that_wait(resolver: Resolver) -> None:
    go_on = threading.Event()
    resolver.answer = lambda: ["192.0.2.1"] if go_on.wait(5.0) else []
    names = HostNames(Clock())
    lookup = names.ready("a.test", 80)
    assert names.ready("a.test", 80) is lookup
    assert names.ready("b.test", 80) is not lookup
    told: list[int] = []
    assert isinstance(lookup, Lookup)
    lookup.when_done(lambda: told.append(1))
    go_on.set()
    assert lookup.done.wait(5.0)
    lookup.when_done(lambda: told.append(2))
    settled(names)
    assert 2 in told


def test_closing_ends_the_waiting_not_the_lookup(resolver: Resolver) -> None:
    go_on = threading.Event()
    resolver.answer = lambda: ["192.0.2.1"] if go_on.wait(5.0) else []
    names = HostNames(Clock())
    lookup = names.ready("a.test", 80)
    assert isinstance(lookup, Lookup)
    names.close()
    assert lookup.done.is_open
    with pytest.raises(NotSent, match="closed"):
        lookup.addresses("a.test")
    go_on.set()


def test_without_another_thread_the_lookup_is_made_here(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert settled(HostNames(Clock())).pin == ["a.test:80:192.0.2.1"]


@pytest.mark.parametrize("error", [UnicodeError("label too long"), ValueError("embedded null byte"), OSError(-2, "x")])
def test_whatever_the_resolver_raises_is_a_name_not_resolved(resolver: Resolver, error: Exception) -> None:
    def raise_it() -> list[str]:
        raise error

    resolver.answer = raise_it
    with pytest.raises(NotSent, match="name not resolved"):
        settled(HostNames(Clock()))
