"""`addresses: public`: however a host is spelled and whatever its name means, no connection to an address that is not."""

import socket
from contextlib import suppress

import pytest

from callsheet import NotSent, OriginRefused, Sheet, SheetError
from callsheet.http.headers import Headers
from callsheet.http.public import is_public
from callsheet.http.request import Request
from callsheet.transports.connection_settings import ConnectionSettings
from callsheet.transports.curl.blocking import CurlTransport
from callsheet.transports.curl.guard import Guard
from callsheet.transports.curl.names import HostNames, Lookup
from tests.contract.worlds import AsyncioWorld, BlockingWorld
from tests.loops import COLOURS
from tests.servers import EchoServer

SPELLINGS = [
    "127.0.0.1", "localhost", "LocalHost", "localhost.", "127.1", "127.0.1", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001",
    "2130706433", "017700000001", "0", "0.0.0.0", "127.0.0.1.", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::]",
]  # fmt: skip
PUBLIC = ConnectionSettings(addresses="public")


def by_name(found: str) -> bool:
    """What stands for public in a test: the loopback address of the servers."""
    return found == "127.0.0.1"


def nobody(found: str) -> bool:
    return False


def everybody(found: str) -> bool:
    return True


@pytest.fixture(params=COLOURS)
def transport(request):
    """A world of one colour for a wiring and a classification."""
    worlds = []

    def made(classify=None, wiring=PUBLIC):
        given = {} if classify is None else {"classify": classify}
        world = (
            BlockingWorld(transport=CurlTransport(wiring, **given))
            if request.param == "blocking"
            else AsyncioWorld(wiring, loop=request.param, **given)
        )
        worlds.append(world)
        return world

    yield made
    for world in worlds:
        world.end()


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_loopback_is_connected_to(transport, echo_server, host):
    """Where a resolver does not know a spelling the error may be that; a connection there is never."""
    error = transport().failure(f"http://{host}:{echo_server.port}/")
    assert isinstance(error, OriginRefused) or (isinstance(error, NotSent) and "not resolved" in str(error))
    assert not error.was_sent
    assert echo_server.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "127.1", "0x7f000001", "[::ffff:127.0.0.1]"])
def test_the_error_names_the_host_and_the_address(transport, echo_server, host):
    error = transport().failure(f"http://{host}:{echo_server.port}/")
    assert type(error) is OriginRefused
    assert host.strip("[]") in str(error)
    assert "127.0.0.1" in str(error) or "::1" in str(error)
    assert "addresses: public" in str(error)
    assert error.stopped_by == "addresses"


def test_a_public_address_is_connected_to(transport, echo_server):
    world = transport(by_name)
    assert [world.get(f"http://127.0.0.1:{echo_server.port}/").status_code for _ in range(3)] == [200] * 3
    assert world.get(f"http://localhost:{echo_server.port}/").status_code == 200
    reading = world.open(f"http://127.0.0.1:{echo_server.port}/")
    assert reading.response.status_code == 200
    reading.stream.close()
    assert world.post(f"http://127.0.0.1:{echo_server.port}/", b"{}").status_code == 200


def test_any_address_is_the_default(transport, echo_server):
    assert transport(nobody, ConnectionSettings()).get(echo_server.url).status_code == 200


class Looks:
    """Allows as many looks as it is told to: a name, say, that means another address when it is connected to."""

    def __init__(self, left: int = 0) -> None:
        self.left = left

    def __call__(self, found: str) -> bool:
        self.left -= 1
        return self.left >= 0


def test_what_counts_is_the_address_of_the_socket(transport, echo_server):
    """The look at the literal passes; libcurl's callback refuses."""
    error = transport(Looks(1)).failure(f"http://127.0.0.1:{echo_server.port}/")
    assert type(error) is OriginRefused
    assert "127.0.0.1 is not a public address" in str(error)
    assert echo_server.connections == 0


def test_a_host_with_a_point_at_its_end_is_looked_at_when_connecting(transport, echo_server):
    world = transport(everybody)
    with suppress(OriginRefused, NotSent):
        world.get(f"http://localhost.:{echo_server.port}/")
    assert isinstance(transport().failure(f"http://localhost.:{echo_server.port}/"), OriginRefused | NotSent)


class Resolver:
    """Stands in for the system's, whose names a test cannot give several addresses."""

    def __init__(self, *found: str) -> None:
        self.found = found

    def __call__(self, host, port, **_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in self.found]


def looked_up(names: HostNames) -> Lookup:
    lookup = names.ready("a.test", 80)
    assert isinstance(lookup, Lookup)
    assert lookup.done.wait(5.0)
    return lookup


def test_of_several_addresses_the_public_ones_are_used(monkeypatch):
    monkeypatch.setattr("socket.getaddrinfo", Resolver("10.0.0.1", "8.8.8.8", "127.0.0.1", "1.1.1.1"))
    assert looked_up(HostNames(allows=is_public)).addresses("a.test").pin == ["a.test:80:8.8.8.8,1.1.1.1"]


def test_a_name_without_a_public_address_is_looked_up_again_next_time(monkeypatch):
    monkeypatch.setattr("socket.getaddrinfo", Resolver("10.0.0.1", "192.168.0.1"))
    names = HostNames(allows=is_public)
    with pytest.raises(OriginRefused, match=r"`a\.test` means 10\.0\.0\.1, which is not a public address"):
        looked_up(names).addresses("a.test")
    monkeypatch.setattr("socket.getaddrinfo", Resolver("8.8.8.8"))
    assert looked_up(names).addresses("a.test").pin == ["a.test:80:8.8.8.8"]


def test_a_unix_socket_is_no_public_address():
    guard = Guard(everybody)
    guard.open(0, (socket.AF_UNIX, socket.SOCK_STREAM, 0, b"/run/docker.sock"))
    assert (guard.refused, guard.opened) == ("/run/docker.sock", False)


def test_what_cannot_be_classified_is_refused():
    guard = Guard(by_name)
    guard.open(0, (socket.AF_INET6, socket.SOCK_STREAM, 6, ("fe80::1%lo", 80, 0, 1)))
    assert guard.refused == "fe80::1%lo"


def test_a_refused_connection_of_a_public_address_is_one_of_the_way(transport, refused_port):
    error = transport(by_name).failure(f"http://127.0.0.1:{refused_port.port}/")
    assert type(error) is NotSent


def shop_at(url, **more):
    return Sheet(services={"shop": {"base_url": url, **more}})


def test_a_service_of_public_addresses_calls_no_other(world):
    with EchoServer() as server:
        shop = world(shop_at(server.url, addresses="public"))
        with pytest.raises(OriginRefused) as caught:
            shop.do("get", "/")
        assert server.connections == 0
    error = caught.value
    assert (error.was_sent, error.attempts, error.service) == (False, 1, "shop")
    assert "127.0.0.1 is not a public address (addresses: public)" in str(error)


def test_it_is_no_failure_of_the_service(world):
    """Neither tried again nor counted by the breaker."""
    with EchoServer() as server:
        shop = world(shop_at(server.url, addresses="public", breaker={"samples": 2, "ratio": "10%"}))
        for _ in range(5):
            with pytest.raises(OriginRefused) as caught:
                shop.do("get", "/")
            assert caught.value.attempts == 1


def test_services_share_no_connection_across_the_border(world):
    """A kept connection is not asked about again, so that each policy has its own."""
    with EchoServer() as server:
        shop = world(shop_at(server.url))
        assert shop.do("get", "/").status_code == 200
        strict = shop.client.service("shop", addresses="public")
        shop.service = strict
        with pytest.raises(OriginRefused):
            shop.do("get", "/")
        assert len(server.requests) == 1


@pytest.mark.parametrize("way", [{"proxy": "http://proxy.example:3128"}, {"trust_env": True}])
def test_a_promise_that_a_proxy_would_have_to_keep_is_refused(way):
    with pytest.raises(SheetError, match=r"`public` cannot be kept with `(proxy|trust_env)`"):
        shop_at("https://api.example.com", addresses="public", **way)


def read_as_it_goes():
    yield b"data"


@pytest.mark.parametrize("name", ["get", "post", "upload", "download"])
def test_every_kind_of_transfer_is_guarded(world, tmp_path, name):
    """On a handle that has made another transfer before, too."""
    ways = {
        "get": ("get", {}),
        "post": ("post", {"json": {}}),
        "upload": ("put", {"content": read_as_it_goes()}),
        "download": ("download", {"to": tmp_path / "file"}),
    }
    method, given = ways[name]
    with EchoServer() as server:
        shop = world(shop_at(server.url, addresses="public"))
        with pytest.raises(OriginRefused):
            shop.do(method, "/x", **given)
        assert server.connections == 0


@pytest.mark.parametrize("is_stream", [False, True])
def test_the_guard_of_a_kept_handle_begins_anew(transport, echo_server, is_stream):
    """A socket that it opened for the transfer before is none of this one's."""
    looks = Looks()
    world = transport(looks)
    looks.left = 2  # at the literal, and when the socket is opened
    assert world.get(f"http://127.0.0.1:{echo_server.port}/").status_code == 200
    with EchoServer() as second:
        looks.left = 1
        wanted = Request("GET", f"http://127.0.0.1:{second.port}/", Headers(), is_stream=is_stream)
        assert type(world.failure(wanted)) is OriginRefused
        assert second.connections == 0
