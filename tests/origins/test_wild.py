"""The same against servers that nobody here wrote."""

import pytest

from callsheet import Sheet
from tests.servers import EchoServer

CANARY = "canary-7f3a9c51"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_httpbin_redirects_elsewhere(world, httpbin_server, status):
    """It sends the query on, as it was asked to, and sets a cookie first."""
    with EchoServer() as other:
        service = {
            "base_url": httpbin_server.url, "allow_origins": [other.url], "redirects": "same-origin", "cookies": True,
            "auth": {"bearer": CANARY}, "headers": {"X-Tenant": CANARY},
        }  # fmt: skip
        shop = world(Sheet(services={"shop": service}))
        shop.do("get", "/cookies/set", params={"session": CANARY})
        assert shop.do("get", "/cookies").json()["cookies"] == {"session": CANARY}
        target = {"url": f"{other.url}/file", "status_code": status}
        answered = shop.do("get", "/redirect-to", params=target).json()
        assert answered["target"] == "/file"
        assert {name.lower() for name in answered["headers"]} == {"accept", "accept-encoding", "host", "user-agent"}
        assert shop.do("get", "/bearer").json() == {"authenticated": True, "token": CANARY}


def test_httpbin_is_the_other_origin(world, httpbin_server):
    """What it got, as it tells itself."""
    with EchoServer() as home:
        service = {
            "base_url": home.url, "allow_origins": [httpbin_server.url], "auth": {"api_key": {"query": "k", "value": CANARY}},
        }  # fmt: skip
        shop = world(Sheet(services={"shop": service}))
        told = shop.do("post", f"{httpbin_server.url}/anything/up", json={"a": 1}, params={"part": 2}).json()
        assert (told["method"], told["json"], told["args"]) == ("POST", {"a": 1}, {"part": "2"})
        assert CANARY not in str(told)
        assert shop.do("get", "/x").json()["target"] == f"/x?k={CANARY}"
