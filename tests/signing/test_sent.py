"""What of a request stands on the wire: what signatures say of it is what a server gets."""

import json
from dataclasses import replace

import pytest

from callsheet.auth.components import fields_of, target_of
from callsheet.errors import APIError
from callsheet.http.body import Content
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.plan.plan import Given
from tests.auth.keys import pair
from tests.kept import kept
from tests.servers import ScriptedServer, answer
from tests.signing.sheets import SECRET, sheet_of

TARGETS = [
    ("https://h", ("https", "h", "/", None)),
    ("https://h:443/a", ("https", "h", "/a", None)),
    ("http://h:443/a?", ("http", "h:443", "/a", "")),
    ("http://h:80?x=1", ("http", "h", "/", "x=1")),
    ("http://[fe80::1%25eth0]/a", ("http", "[fe80::1]", "/a", None)),
    ("http://[::1]:8000/a//b?c=/d?e#f", ("http", "[::1]:8000", "/a//b", "c=/d?e")),
]


@pytest.mark.parametrize(("url", "target"), TARGETS)
def test_the_target_of_a_url(url, target):
    assert target_of(Request("GET", url, Headers())) == target


def test_a_host_that_is_written_is_the_authority():
    assert target_of(Request("GET", "https://10.0.0.1/a", Headers({"Host": "shop.test"}))).url == "https://shop.test/a"


PATHS = ["", "/", "/a?", "/a?b", "/a%2fb/%7E?x=%20+&y", "/a//b/", "/a;b=c,d@e:f!g$h'(i)*j", "/[a]?b=[c]"]


@pytest.mark.parametrize("path", PATHS)
def test_a_server_gets_the_target_and_the_fields_that_are_signed(world, path):
    seen = []

    def look(attempt, now):
        target = target_of(attempt.request)
        seen.append((target, fields_of(attempt.request, target)))
        return attempt.request

    with ScriptedServer() as server:
        client = world(sheet_of("off", server.url + "/v1"))
        plans = client.service._maker.plans
        for method, options in (
            ("get", {}),
            ("post", {}),
            ("patch", {"content": b"abc"}),
            ("put", {"files": {"f": b"x"}}),
        ):
            plan = plans.undeclared(method.upper())
            plans.plans[f" {method.upper()}"] = replace(plan, attach=(*plan.attach, look))
            client.do(method, path or "/", **options)
        got = server.requests
    for (target, fields), request in zip(seen, got, strict=True):
        assert request.target == target.in_origin_form
        for name, value in fields:
            assert request.header(name) == value
        assert (request.header("Content-Length") is not None) == any(name == "Content-Length" for name, _ in fields)


def test_a_key_that_a_service_tells_is_masked(world):
    told = json.dumps({"title": f"the key {SECRET} is not ours"}).encode()
    refusal = answer(403, {"Content-Type": "application/problem+json"}, told)
    with ScriptedServer(refusal) as server, pytest.raises(APIError) as caught:
        world(sheet_of({"hmac": {"key": "${KEY}"}}, server.url)).do("get", "/x")
    assert SECRET not in str(caught.value)
    assert "***" in str(caught.value)


def test_a_private_key_is_not_looked_for_in_every_text(shop):
    sign = {"http_signature": {"key": "${KEY}", "key_id": "k", "algorithm": "ed25519"}}
    client = shop(sign, variables={"KEY": pair("EdDSA")[0]})
    client.do("get", "/x")
    request = client.service._maker.plans.undeclared_request("GET", "/x", Given())
    assert request.secrets == ()


def test_what_is_under_way_is_forgotten_in_a_forked_child(shop):
    client = shop({"aws": {"service": "s3", "region": "x"}})
    plans = client.service._maker.plans
    chain = kept(plans.scope, "sign").credentials
    chain._work = object()
    plans.forget()
    assert chain._work is None


def test_the_empty_body_has_no_length_where_none_is_sent():
    assert dict(
        fields_of(Request("GET", "https://h/", Headers()), target_of(Request("GET", "https://h/", Headers())))
    ) == {"Host": "h"}
    request = Request("GET", "https://h/", Headers(), Content(b"abc"))
    assert dict(fields_of(request, target_of(request)))["Content-Length"] == "3"
