"""Absolute URLs of undeclared requests: the service's own origin, an allowed one, and any other."""

import pytest

from callsheet import ArgumentError, OriginRefused, Sheet, SheetError
from callsheet.call import Attempt, Call
from callsheet.http.headers import Headers
from callsheet.http.request import Request, origin_of
from callsheet.plan.compile import RequestBase, undeclared_request, url_prefix
from callsheet.plan.order import ORDER, asked_at, attached_at, previewed_at
from callsheet.plan.other_origins import place_of
from callsheet.plan.plan import Given
from callsheet.settings.timeout import Timeout

SHOP = {
    "base_url": "https://api.example.com/v1",
    "allow_origins": ["https://cdn.example.com", "https://[2001:DB8::1]:8443/"],
    "auth": {"api_key": {"query": "key", "value": "canary-7f3a"}},
    "params": {"version": 2},
    "headers": {"Accept": "application/json", "X-Tenant": "7", "X-Token": "${CANARY}"},
}

URLS = ("https://api.example.com/v1/x", "https://cdn.example.com/x")


def base(**more):
    sheet = Sheet(services={"shop": {**SHOP, **more}}, variables={"CANARY": "canary-7f3a"}).services["shop"]
    return RequestBase(sheet.settings(), sheet.secrets())


def asked(target, method="GET", service=None, **given):
    return undeclared_request(base(**(service or {})), method, target, Given(**given))


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://api.example.com/v2/x", "https://api.example.com/v2/x?version=2&key=canary-7f3a"),
        ("HTTPS://API.example.com:443/x?page=2", "https://api.example.com/x?page=2&version=2&key=canary-7f3a"),
        ("https://api.example.com", "https://api.example.com/?version=2&key=canary-7f3a"),
        ("https://api.example.com?page=2", "https://api.example.com/?page=2&version=2&key=canary-7f3a"),
        ("https://api.example.com/x?version=3", "https://api.example.com/x?version=3&key=canary-7f3a"),
        ("https://api.example.com/x?key=canary-7f3a&version=2", "https://api.example.com/x?key=canary-7f3a&version=2"),
        ("https://api.example.com/a b", "https://api.example.com/a%20b?version=2&key=canary-7f3a"),
    ],
)
def test_its_own_origin_is_called_as_ever(url, sent):
    request = asked(url)
    assert request.wire_url == sent
    assert request.url == sent.replace("canary-7f3a", "***")
    assert request.origin == base().origin
    assert "X-Token" in request.headers


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://cdn.example.com/f?size=2", "https://cdn.example.com/f?size=2"),
        ("https://CDN.example.com:443", "https://cdn.example.com/"),
        ("https://[2001:db8::1]:8443/f", "https://[2001:db8::1]:8443/f"),
    ],
)
def test_an_allowed_origin_gets_what_is_harmless(url, sent):
    request = asked(url, headers={"X-Mine": "1", "Accept": "image/png"})
    assert request.wire_url == request.url == sent
    assert sorted(request.headers) == ["accept", "user-agent", "x-mine"]


def test_a_body_and_params_that_are_given_go_there():
    request = asked("https://cdn.example.com/f", "PUT", content=b"data", params={"part": 1}, idempotency_key="k1")
    assert (request.method, request.body.content) == ("PUT", b"data")
    assert request.wire_url == "https://cdn.example.com/f?part=1"
    assert request.headers["Idempotency-Key"] == "k1"


@pytest.mark.parametrize("name", ["Authorization", "authorization", "Cookie", "Proxy-Authorization", "X-Token"])
def test_a_credential_is_not_given_along(name):
    with pytest.raises(ArgumentError, match=f"header `{name}`: a credential goes to the service's own origin alone"):
        asked("https://cdn.example.com/f", headers={name: "x"})


@pytest.mark.parametrize(
    "given",
    [{"headers": {"X-Mine": "a canary-7f3a"}}, {"params": {"key": "canary-7f3a"}}, {"idempotency_key": "canary-7f3a"}],
)
def test_nor_a_secret_of_the_service_under_another_name(given):
    with pytest.raises(ArgumentError, match="holds a secret of the service") as caught:
        asked("https://cdn.example.com/f", **given)
    assert "canary" not in str(caught.value)


def test_nor_one_in_the_url():
    with pytest.raises(ArgumentError, match="holds a secret") as caught:
        asked("https://cdn.example.com/f?key=canary-7f3a")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://evil.example/x", "https://evil.example"),
        ("https://api.example.com.evil.example/x", "https://api.example.com.evil.example"),
        ("https://api.example.com:8443/x", "https://api.example.com:8443"),
        ("https://api.example.com./x", "https://api.example.com."),
        ("https://sub.cdn.example.com/", "https://sub.cdn.example.com"),
        ("https://169.254.169.254/latest", "https://169.254.169.254"),
    ],
)
def test_any_other_is_refused_with_what_to_write(url, origin):
    with pytest.raises(OriginRefused) as caught:
        asked(url)
    assert f"{origin} is not the origin of this service, https://api.example.com" in str(caught.value)
    assert f"write `allow_origins: [{origin}]`" in str(caught.value)


def test_https_never_goes_to_http():
    with pytest.raises(OriginRefused, match="from https no request goes to http"):
        asked("http://api.example.com/x")
    with pytest.raises(SheetError, match=r"from https no request goes to http://cdn\.example\.com"):
        base(allow_origins=["http://cdn.example.com"])
    assert base(base_url="http://127.0.0.1:8000", allow_origins=["http://cdn.example.com"])


@pytest.mark.parametrize(
    "url",
    [
        "https://user@cdn.example.com/", "https://cdn.example.com@evil.example/", "https://cdn.example.com\\@evil.example/",
        "https://cdn%2eexample.com/", "https://cdn.example.com:0/", "https://cdn.example.com:00000/", "https://cdn.example.com:99999/", "https:///x",
        "https://\uff11\uff12\uff17.0.0.1/", "https://café.example/", "https://[::g]/", "https://[::1/", "ftp://cdn.example.com/",
        "https://cdn.example.com/#x", "https://cdn.example.com/../x", "https://cdn.example.com/a\r\nb", "https://a b/",
        " https://cdn.example.com/", "javascript://cdn.example.com/%0a", "https://cdn.example.com\n/", "https://cdn.example.com:/",
    ],
)  # fmt: skip
def test_a_url_that_could_be_read_in_two_ways_is_refused(url):
    with pytest.raises(ArgumentError, match="path "):
        asked(url)


def test_a_refused_url_shows_no_password():
    with pytest.raises(ArgumentError) as caught:
        asked("https://ada:hunter22@cdn.example.com/x?key=hunter22")
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "prefix", "host"),
    [
        ("http://[0:0:0:0:0:0:0:1]", "http://[::1]", "::1"),
        ("http://[2001:0DB8:0000::0001]:8080/v1/", "http://[2001:db8::1]:8080/v1", "2001:db8::1"),
        ("http://[::ffff:7f00:1]", "http://[::ffff:127.0.0.1]", "::ffff:127.0.0.1"),
        ("http://[FE80:0::1%25Eth0]:1", "http://[fe80::1%25Eth0]:1", "fe80::1%25Eth0"),
        ("http://[fe80::1%eth0]", "http://[fe80::1%25eth0]", "fe80::1%25eth0"),
        ("http://[fe80::1%251]", "http://[fe80::1%251]", "fe80::1%251"),
        ("http://[fe80::1%25]", "http://[fe80::1%2525]", "fe80::1%2525"),
    ],
)
def test_an_ipv6_address_has_one_spelling(written, prefix, host):
    shop = {"base_url": written, "allow_origins": [written.removesuffix("/v1/")]}
    settings = Sheet(services={"shop": shop}).services["shop"].settings()
    assert url_prefix(written) == prefix
    assert settings.origin.host == place_of(written).origin.host == host
    assert settings.other_origins == frozenset()


def test_the_place_of_a_url():
    place = place_of("https://[2001:DB8:0::1]/x")
    assert (place.origin, place.path) == (("https", "2001:db8::1", 443), "/x")


def test_policies_that_put_something_into_a_request_are_asked_about_the_services_own_origin_only():
    assert {line.name for line in ORDER if not line.all_origins} == {
        "cache",
        "cache.store",
        "auth.token",
        "sign.ready",
        "cookies",
        "deadline_header",
        "sign",
    }


def test_what_is_asked_at_home_says_nothing_elsewhere():
    home = origin_of("https://api.example.com")
    there, away = (Attempt(Call(Request("GET", url, Headers()), Timeout(), 0.0, None), 1) for url in URLS)
    asked = asked_at(home, lambda attempt, now: "refuse")
    attached = attached_at(home, lambda attempt, now: "with a token")
    previewed = previewed_at(home, lambda request: "with a token")
    assert (asked(there, 0.0), attached(there, 0.0), previewed(there.request)) == (
        "refuse",
        "with a token",
        "with a token",
    )
    assert (asked(away, 0.0), attached(away, 0.0), previewed(away.request)) == (None, away.request, away.request)
