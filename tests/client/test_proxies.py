"""Calls through a proxy, in both colours."""

import pytest

from callsheet import NotSent, Sheet
from tests.auth.conftest import world
from tests.servers import Certificates, HttpProxy, ScriptedServer, Socks5Proxy

__all__ = ["world"]


def refusal(world, certificates, proxy, server):
    """The error of a POST through a proxy that does not know the user; another failure to connect is tried three times."""
    service = {"base_url": server.url, "proxy": proxy, "tls": {"ca": str(certificates.ca_file)}}
    with pytest.raises(NotSent) as caught:
        world(Sheet(services={"shop": service})).do("post", "/", json={})
    return caught.value


def test_wrong_credentials_are_tried_once(world, certificates: Certificates):
    """Proxies lock the accounts of those who come again and again with a wrong password."""
    with (
        HttpProxy("ada:right") as proxy,
        Socks5Proxy("ada:right") as socks,
        ScriptedServer(tls=certificates.good()) as server,
    ):
        urls = proxy.url.replace("//", "//ada:wrong@"), f"socks5h://ada:wrong@127.0.0.1:{socks.port}"
        errors = [refusal(world, certificates, url, server) for url in urls]
    assert [(error.attempts, error.was_sent) for error in errors] == [(1, False)] * 2
    assert (len(proxy.requests), socks.known) == (1, ["ada:wrong"])


def test_a_407_is_an_answer_that_is_not_tried_again(world):
    with HttpProxy("ada:right") as proxy, ScriptedServer() as server:
        service = {"base_url": server.url, "proxy": proxy.url.replace("//", "//ada:wrong@")}
        answered = world(Sheet(services={"shop": service})).do("get", "/", raise_for_status=False)
    assert (answered.status_code, len(proxy.requests)) == (407, 1)
