"""Cookies and redirects of a service, as a server sees them."""

import pytest

from callsheet import Client, Sheet
from callsheet.errors import Redirected, ServerError, Unauthorized
from callsheet.plan.service import ServicePlans
from tests.kept import kept
from tests.servers import ScriptedServer, answer, answer_json, answer_with

SET = answer(200, {"Set-Cookie": "session=canary-7; Path=/"})
TWO = {"login": {"post": "/login"}, "me": {"get": "/me"}}


def moved(location, status=302, **fields):
    return answer(status, {"Location": location, **{name.replace("_", "-"): value for name, value in fields.items()}})


def cookies(service):
    return [request.header("cookie") for request in service.server.requests]


def test_cookies_are_off_by_default(any_shop):
    with any_shop(TWO, script=[SET]) as service:
        service.call("login")
        service.call("me")
        assert cookies(service) == [None, None]


def test_a_jar_serves_every_operation_and_undeclared_requests(any_shop):
    with any_shop(TWO, script=[SET], cookies=True) as service:
        service.call("login")
        service.call("me")
        service.get("/x", headers={"Cookie": "a=b"})
        service.get("/x", headers={"Cookie": "session=mine"})
        assert cookies(service) == [None, "session=canary-7", "a=b; session=canary-7", "session=mine"]


def test_a_cookie_counts_from_the_next_attempt_on(any_shop):
    first = answer(503, {"Set-Cookie": "route=b; Path=/", "Retry-After": "0"})
    with any_shop(TWO, script=[first], cookies=True) as service:
        service.call("me")
        assert cookies(service) == [None, "route=b"]


def test_the_jar_is_the_services_whatever_its_settings():
    with ScriptedServer([SET]) as server:
        services = {name: {"base_url": server.url, "cookies": True, "operations": TWO} for name in ("shop", "other")}
        with Client(Sheet(services=services)) as client:
            client.service("shop", timeout=5).call("login")
            client.service("shop").call("me")
            client.service("shop", retry="off").call("me")
            client.service("shop", cookies=False).call("me")
            client.service("other").call("me")
        session = "session=canary-7"
        assert [request.header("cookie") for request in server.requests] == [None, session, session, None, None]


def test_a_cookie_is_never_shown(any_shop):
    refused = answer(401, {"Content-Type": "application/json"}, b"{}")
    with any_shop(TWO, script=[SET, refused], cookies=True) as service:
        service.call("login")
        with pytest.raises(Unauthorized) as caught:
            service.call("me")
        assert cookies(service)[1] == "session=canary-7"
        assert "canary" not in f"{caught.value!r} {caught.value.request.headers!r}"


def test_a_forked_child_has_a_jar_of_its_own():
    sheet = Sheet(services={"shop": {"base_url": "http://shop.test", "cookies": True}})
    plans = ServicePlans(sheet.services["shop"], {}, ())
    cookies = next(policy for policy in plans.undeclared("GET").policies if policy.name == "cookies")
    before = cookies.jar
    plans.forget()
    assert cookies.jar is not before
    assert cookies is kept(plans.scope, "cookies")


def test_redirects_are_off_by_default(any_shop):
    with any_shop(TWO | {"typed": {"get": "/me", "returns": "object"}}, script=lambda turn: moved("/there")) as service:
        assert service.get("/x").status_code == 302
        with pytest.raises(Redirected):
            service.call("typed")
        assert service.count == 2


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [(301, "GET", b""), (302, "GET", b""), (303, "GET", b""), (307, "POST", b'{"a":1}'), (308, "POST", b'{"a":1}')],
)
def test_a_redirect_to_the_same_origin_is_followed(any_shop, status, method, body):
    settings = {"redirects": "same-origin", "auth": {"bearer": "canary"}}
    with any_shop(script=[moved("/there?b=1", status), answer_json({"ok": True})], **settings) as service:
        answered = service.post("/here", json={"a": 1})
        assert answered.json() == {"ok": True}
        assert (service.sent.method, service.sent.target, service.sent.body) == (method, "/there?b=1", body)
        assert service.sent.header("authorization") == "Bearer canary"
        assert service.sent.header("content-type") == ("application/json" if body else None)


def test_another_origin_is_never_followed(any_shop):
    with ScriptedServer() as other:
        script = answer_with(lambda request: moved(f"{other.url}/steal"))
        with any_shop(script=script, redirects="same-origin", auth={"bearer": "canary"}) as service:
            answered = service.get("/here")
            assert (answered.status_code, service.count) == (302, 1)
        assert other.requests == []


@pytest.mark.parametrize(("settings", "hops"), [("same-origin", 5), ({"max": 2}, 2)])
def test_so_many_are_followed_and_no_more(any_shop, settings, hops):
    with any_shop(script=lambda turn: moved(f"/{turn + 1}"), redirects=settings) as service:
        answered = service.get("/0")
        assert (answered.status_code, service.count) == (302, 1 + hops)
        assert [request.target for request in service.server.requests] == [f"/{n}" for n in range(hops + 1)]


def test_an_operation_may_follow_where_its_service_does_not(any_shop):
    operations = {"op": {"get": "/here", "redirects": "same-origin", "returns": "object"}}
    with any_shop(operations, script=[moved("/there"), answer_json({"a": 1}), moved("/there")]) as service:
        assert service.call("op") == {"a": 1}
        assert service.get("/here").status_code == 302


def test_a_hop_takes_the_cookie_that_it_came_with(any_shop):
    script = [moved("/in", 303, Set_Cookie="session=1; Path=/"), answer()]
    with any_shop(script=script, redirects="same-origin", cookies=True) as service:
        service.post("/login", data={"user": "a"})
        assert cookies(service) == [None, "session=1"]


def test_a_hop_is_not_charged_to_retry(any_shop):
    failing = answer(503, {"Retry-After": "0"})
    script = [moved("/1"), failing, moved("/2"), failing, failing]
    with any_shop(script=script, redirects="same-origin", retry={"attempts": 3}) as service:
        with pytest.raises(ServerError):
            service.get("/0")
        assert [request.target for request in service.server.requests] == ["/0", "/1", "/1", "/2", "/2"]
