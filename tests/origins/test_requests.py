"""Requests to another origin in both colours: what is sent, and that they are calls of the service like others."""

from pathlib import Path

import pytest

from callsheet import BreakerOpen, OriginRefused, ServerError, Sheet
from callsheet.transports.connection_settings import ConnectionSettings
from callsheet.transports.curl.blocking import CurlTransport
from tests.contract.worlds import LIMITS, BlockingWorld
from tests.origins.test_public_addresses import by_name
from tests.servers import ScriptedServer, answer, answer_json
from tests.servers.echo import EchoServer

OPEN = Path("/proc/self/fd")


@pytest.fixture
def other():
    with EchoServer() as server:
        yield server


@pytest.fixture
def shop(world, other):
    """The service, whose own server counts; with further settings."""
    servers = []

    def made(*, script=(), **settings):
        server = ScriptedServer(script)
        servers.append(server)
        service = {"base_url": server.url, "allow_origins": [other.url], **settings}
        shop = world(Sheet(services={"shop": service}))
        shop.home = server
        return shop

    yield made
    for server in servers:
        server.close()


def test_a_body_goes_to_an_origin_that_the_caller_names(shop, other):
    answered = shop(headers={"X-Tenant": "7"}).do("post", f"{other.url}/up", json={"a": 1}, params={"part": 2})
    echoed = answered.json()
    assert (echoed["method"], echoed["target"], echoed["json"]) == ("POST", "/up?part=2", {"a": 1})
    assert {name.lower() for name in echoed["headers"]} == {
        "accept", "accept-encoding", "content-length", "content-type", "host", "user-agent",
    }  # fmt: skip


def test_no_key_is_made_for_it_and_none_is_demanded(shop, other):
    for source in ("auto", "argument"):
        echoed = shop(idempotency_key={"from": source}).do("post", f"{other.url}/x", json={}).json()
        assert "Idempotency-Key" not in echoed["headers"]
    given = shop(idempotency_key=True).do("post", f"{other.url}/x", json={}, idempotency_key="k1").json()
    assert given["headers"]["Idempotency-Key"] == "k1"


def test_a_redirect_elsewhere_is_the_answer_where_redirects_are_off(shop, other):
    service = shop(script=answer(302, {"Location": f"{other.url}/x"}))
    assert service.do("get", "/").status_code == 302
    assert other.connections == 0


def test_a_post_is_redirected_elsewhere_as_a_get_or_not_at_all(shop, other):
    for status, method in ((301, "GET"), (302, "GET"), (303, "GET"), (307, None), (308, None)):
        service = shop(script=answer(status, {"Location": f"{other.url}/x"}), redirects="same-origin")
        answered = service.do("post", "/", json={"card": "canary"})
        if method is None:
            assert answered.status_code == status
        else:
            assert answered.json()["method"] == method
            assert answered.json()["text"] == ""
    assert len(other.requests) == 3


def test_it_leads_nowhere_else_from_there(shop, world):
    """Not back with our credential, and not to where nobody allowed it."""
    with ScriptedServer(lambda n: answer(302, {"Location": [home.url, "http://127.0.0.1:9"][n]})) as hop:
        service = shop(auth={"bearer": "canary-7f3a9c51"}, redirects="same-origin", allow_origins=[hop.url])
        home = service.home
        for _ in range(2):
            assert service.do("get", f"{hop.url}/x").status_code == 302
        assert home.connections == 0


def test_calls_elsewhere_count_for_the_service(shop):
    with ScriptedServer(answer(503)) as failing:
        service = shop(allow_origins=[failing.url], retry="off", breaker={"samples": 2, "ratio": "50%"})
        for _ in range(2):
            with pytest.raises(ServerError):
                service.do("get", f"{failing.url}/x")
        with pytest.raises(BreakerOpen):
            service.do("get", "/")


def test_they_are_tried_again_as_others_are(shop):
    with ScriptedServer([answer(429, {"Retry-After": "0"}), answer_json({"ok": True})]) as limited:
        service = shop(allow_origins=[limited.url], auth={"bearer": "canary-7f3a9c51"}, rate_limit={"learn": False})
        assert service.do("get", f"{limited.url}/x").json() == {"ok": True}
        assert not any(request.header("Authorization") for request in limited.requests)


@pytest.mark.parametrize("name", ["get", "download"])
def test_any_other_origin_is_refused_before_anything_is_sent(shop, other, tmp_path, name):
    service = shop(allow_origins=[])
    with pytest.raises(OriginRefused) as caught:
        service.do(name, f"{other.url}/x", **({"to": tmp_path / "file"} if name == "download" else {}))
    assert f"write `allow_origins: [{other.url}]`" in str(caught.value)
    assert (caught.value.was_sent, caught.value.attempts) == (False, 0)
    assert other.connections == service.home.connections == 0


@pytest.mark.skipif(not OPEN.is_dir(), reason="descriptors are counted in /proc")
def test_guarded_sockets_leave_no_descriptor_behind(other):
    world = BlockingWorld(transport=CurlTransport(ConnectionSettings(addresses="public"), classify=by_name))
    fresh = LIMITS._replace(fresh=True)
    world.get(other.url, fresh)
    before = len(list(OPEN.iterdir()))
    for _ in range(20):
        assert world.get(other.url, fresh).status_code == 200
    assert len(list(OPEN.iterdir())) <= before + 1
    world.end()


def test_a_service_at_a_long_ipv6_address_is_at_its_short_one_too(world):
    """Links and redirects to the service's own origin stay on it, however they spell its address."""
    actions = []
    with ScriptedServer(lambda _: actions.pop(0)) as server:
        short, long = f"http://[::ffff:7f00:1]:{server.port}", f"http://[0:0:0:0:0:FFFF:127.0.0.1]:{server.port}"
        actions += [answer(302, [("Location", f"{short}/b")]), answer(), answer()]
        shop = world(
            Sheet(services={"shop": {"base_url": long, "auth": {"bearer": "canary"}, "redirects": "same-origin"}})
        )
        assert shop.do("get", "/a").status_code == 200
        assert shop.do("get", f"{short}/c").status_code == 200
    assert [each.header("Authorization") for each in server.requests] == ["Bearer canary"] * 3
    assert {each.header("Host") for each in server.requests} == {f"[::ffff:127.0.0.1]:{server.port}"}
