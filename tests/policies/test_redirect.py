"""Redirects: what is followed, with which method and body, and what stays."""

from __future__ import annotations

import pytest

from callsheet.call import Attempt, Call
from callsheet.http.body import Content
from callsheet.http.headers import Headers
from callsheet.http.request import Origin, Request
from callsheet.http.response import Response
from callsheet.http.streamed_body import body_from
from callsheet.policies.redirect import Redirect, without_dots
from callsheet.secret import Secret
from callsheet.settings.redirects import Redirects
from callsheet.settings.timeout import Timeout
from callsheet.verdicts import GiveUp, Resend

URL = "https://api.example.com/v1/orders"
FOLLOWED = (301, 302, 303, 307, 308)


def never():
    raise AssertionError("a redirect waits for nothing")


def request(method: str = "GET", url: str = URL, body=None, headers=(), **rest) -> Request:
    return Request(method, url, Headers(headers), body, **rest)


def call_of(sent: Request) -> Call:
    return Call(sent, Timeout(), 0.0, never)


def told(policy: Redirect, call: Call, status: int, location: str | None):
    """The verdict on an answer to the call's request; a followed one becomes the call's, as the engine does it."""
    attempt = Attempt(call, 1)
    lines = [] if location is None else [f"Location: {location}\r\n".encode("latin-1")]
    attempt.outcome = Response(status, request=attempt.request, lines=lines)
    verdict = policy.after(attempt, 0.0)
    if isinstance(verdict, Resend):
        call.request = verdict.request
    return verdict


def verdict_on(sent: Request, status: int, location: str | None):
    return told(Redirect(Redirects()), call_of(sent), status, location)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/v1/orders/7", "https://api.example.com/v1/orders/7"),
        ("orders/7", "https://api.example.com/v1/orders/7"),
        ("../v2/x", "https://api.example.com/v2/x"),
        ("./x/./y/../z", "https://api.example.com/v1/x/z"),
        ("/a/../../b", "https://api.example.com/b"),
        ("?page=2", "https://api.example.com/v1/orders?page=2"),
        ("/x#part", "https://api.example.com/x"),
        ("/x?a=1#part", "https://api.example.com/x?a=1"),
        ("https://api.example.com/x", "https://api.example.com/x"),
        ("https://api.example.com", "https://api.example.com/"),
        ("https://API.Example.com:443/x", "https://api.example.com/x"),
        ("HTTPS://api.example.com/a/../b/.", "https://api.example.com/b/"),
        ("https://api.example.com//evil.example/x", "https://api.example.com//evil.example/x"),
        ("//api.example.com/x", "https://api.example.com/x"),
        ("/a b", "https://api.example.com/a%20b"),
        ("/caf\xc3\xa9", "https://api.example.com/caf%C3%A9"),
        ("/%2e%2e/%41", "https://api.example.com/%2e%2e/%41"),
        ("\\\\evil.example\\x", "https://api.example.com/v1/%5C%5Cevil.example%5Cx"),
        ("/a\x01b", "https://api.example.com/a%01b"),
        ("/x?next=https://evil.example", "https://api.example.com/x?next=https://evil.example"),
    ],
)
def test_a_location_on_the_same_origin_is_resolved(location: str, url: str) -> None:
    verdict = verdict_on(request(), 302, location)
    assert isinstance(verdict, Resend)
    assert (verdict.request.wire_url, verdict.request.url) == (url, url)
    assert verdict.request.origin == request().origin


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/x",
        "//evil.example/x",
        "http://api.example.com/x",
        "https://api.example.com:8443/x",
        "https://api.example.com:0/x",
        "https://api.example.com:99999/x",
        "https://api.example.com.evil.example/",
        "https://sub.api.example.com/",
        "https://example.com/",
        "https://api.example.com./x",
        "https://user:pass@api.example.com/x",
        "https://user@api.example.com/x",
        "//@api.example.com/x",
        "https://api.example.com@evil.example/",
        "https://api.example.com\\@evil.example/",
        "https://evil.example\\.api.example.com/",
        "https://[::1/x",
        "ftp://api.example.com/x",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
        # an empty host, or none (RFC 9110 4.2.1)
        "https:///x",
        "https://",
        "https://:443/x",
        "https://?q",
        "https://#f",
        "https:/x",
        "https:x",
        "https:",
        "HTTPS:///x",
        "//",
        "///x",
        "////x",
        "//:443/x",
        "//?q",
        "//#f",
    ],
)
@pytest.mark.parametrize("status", FOLLOWED)
def test_a_location_anywhere_else_is_left_to_the_caller(location: str, status: int) -> None:
    assert verdict_on(request(), status, location) == GiveUp("origin")


def test_http_to_https_is_another_origin_too() -> None:
    sent = request(url="http://api.example.com/x")
    assert verdict_on(sent, 308, "https://api.example.com/x") == GiveUp("origin")
    assert isinstance(verdict_on(sent, 308, "http://api.example.com:80/y"), Resend)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "[::1]:8080", "localhost:8080"])
def test_addresses_and_ports_are_origins_like_others(host: str) -> None:
    verdict = verdict_on(request(url=f"http://{host}/x"), 302, f"http://{host}/y")
    assert isinstance(verdict, Resend)
    assert verdict.request.wire_url == f"http://{host}/y"


@pytest.mark.parametrize(
    ("status", "method", "followed_by", "keeps_body"),
    [
        (301, "GET", "GET", True), (301, "HEAD", "HEAD", True), (301, "POST", "GET", False),
        (301, "PUT", "PUT", True), (301, "PATCH", "PATCH", True), (301, "DELETE", "DELETE", True),
        (302, "GET", "GET", True), (302, "HEAD", "HEAD", True), (302, "POST", "GET", False), (302, "PUT", "PUT", True),
        (303, "GET", "GET", True), (303, "HEAD", "HEAD", True), (303, "POST", "GET", False),
        (303, "PUT", "GET", False), (303, "PATCH", "GET", False), (303, "DELETE", "GET", False),
        (307, "POST", "POST", True), (307, "PUT", "PUT", True), (307, "HEAD", "HEAD", True), (307, "GET", "GET", True),
        (308, "POST", "POST", True), (308, "PATCH", "PATCH", True), (308, "DELETE", "DELETE", True),
    ],
)  # fmt: skip
def test_method_and_body_of_the_next_request(status: int, method: str, followed_by: str, keeps_body: bool) -> None:
    body = Content(b"{}", "application/json")
    headers = [
        ("Authorization", Secret("Bearer t")),
        ("Content-Type", "application/json"),
        ("Content-Digest", "x"),
        ("A", "b"),
    ]
    verdict = verdict_on(request(method, body=body, headers=headers), status, "/next")
    assert isinstance(verdict, Resend)
    assert verdict.request.method == followed_by
    assert verdict.request.body is (body if keeps_body else None)
    names = [name for name, _ in verdict.request.headers.fields]
    assert names == (["Authorization", "Content-Type", "Content-Digest", "A"] if keeps_body else ["Authorization", "A"])


@pytest.mark.parametrize("status", [200, 201, 300, 304, 305, 306, 309, 400, 404, 500])
def test_other_statuses_are_none_of_its_business(status: int) -> None:
    assert verdict_on(request(), status, "/next") is None


def test_a_3xx_without_a_location_and_an_error_are_none_of_its_business() -> None:
    assert verdict_on(request(), 302, None) is None
    attempt = Attempt(call_of(request()), 1)
    assert Redirect(Redirects()).after(attempt, 0.0) is None


@pytest.mark.parametrize("status", [307, 308])
def test_a_body_that_cannot_be_sent_again_is_not_followed(status: int) -> None:
    body = body_from(iter([b"abc"]))
    body.open().read(1)
    assert verdict_on(request("POST", body=body), status, "/next") == GiveUp("body")


def test_a_body_that_is_dropped_need_not_be_sent_again() -> None:
    body = body_from(iter([b"abc"]))
    body.open().read(1)
    assert isinstance(verdict_on(request("POST", body=body), 303, "/next"), Resend)


def test_at_most_so_many_hops_are_followed() -> None:
    for most in (1, 5):
        policy, call = Redirect(Redirects(max=most)), call_of(request())
        verdicts = [told(policy, call, 302, f"/hop/{number}") for number in range(most + 1)]
        assert all(isinstance(verdict, Resend) for verdict in verdicts[:-1])
        assert verdicts[-1] == GiveUp("redirects")


def test_a_loop_ends_at_once() -> None:
    policy, call = Redirect(Redirects()), call_of(request())
    assert verdict_on(request(), 302, URL) == GiveUp("redirects")
    assert verdict_on(request(), 302, "") == GiveUp("redirects")
    assert isinstance(told(policy, call, 302, "/a"), Resend)
    assert isinstance(told(policy, call, 302, "/b"), Resend)
    assert told(policy, call, 302, "/a") == GiveUp("redirects")


def test_the_same_url_by_another_method_is_no_loop() -> None:
    verdict = verdict_on(request("POST", body=Content(b"x")), 303, URL)
    assert isinstance(verdict, Resend)
    assert (verdict.request.method, verdict.request.wire_url) == ("GET", URL)


def test_two_calls_do_not_count_each_other_s_hops() -> None:
    policy = Redirect(Redirects(max=1))
    assert isinstance(told(policy, call_of(request()), 302, "/a"), Resend)
    assert isinstance(told(policy, call_of(request()), 302, "/a"), Resend)


SECRET = Secret("k1")


def with_key(**rest) -> Request:
    return request(url=f"{URL}?page=1&key=***", wire_url=f"{URL}?page=1&key=k1", secrets=(SECRET,), **rest)


@pytest.mark.parametrize(
    ("location", "wire", "shown"),
    [
        ("/next", "/next", "/next"),
        ("/next?page=2", "/next?page=2", "/next?page=2"),
        ("/next?key=k1&a=b", "/next?key=k1&a=b", "/next?key=***&a=b"),
        ("?page=2", "/v1/orders?page=2", "/v1/orders?page=2"),
        ("", "/v1/orders?page=1", "/v1/orders?page=1"),
        ("#top", "/v1/orders?page=1", "/v1/orders?page=1"),
    ],
)
def test_a_secret_in_the_query_goes_only_where_the_location_has_it(location: str, wire: str, shown: str) -> None:
    verdict = verdict_on(with_key(), 302, location)
    assert isinstance(verdict, Resend)
    assert verdict.request.wire_url == f"https://api.example.com{wire}"
    assert verdict.request.url == f"https://api.example.com{shown}"


def test_a_secret_that_the_location_repeats_is_not_shown() -> None:
    sent = request(secrets=(Secret("s3cret/token"),))
    verdict = verdict_on(sent, 302, "/next/s3cret/token?t=s3cret%2Ftoken")
    assert isinstance(verdict, Resend)
    assert verdict.request.url == "https://api.example.com/next/***?t=***"
    assert verdict.request.wire_url == "https://api.example.com/next/s3cret/token?t=s3cret%2Ftoken"


def test_what_the_request_was_otherwise_it_still_is() -> None:
    verdict = verdict_on(request(secrets=(SECRET,), is_stream=True), 302, "/next")
    assert isinstance(verdict, Resend)
    assert (verdict.request.secrets, verdict.request.is_stream) == ((SECRET,), True)


@pytest.mark.parametrize(
    ("path", "clean"),
    [("/", "/"), ("/a/b/c/./../../g", "/a/g"), ("/..", "/"), ("/.", "/"), ("/a/..", "/"), ("/a/.", "/a/"), ("/a//..//b", "/a//b"), ("/...", "/..."), ("/a/..b", "/a/..b")],
)  # fmt: skip
def test_dot_segments_are_carried_out(path: str, clean: str) -> None:
    assert without_dots(path) == clean


CDN = Origin("https", "cdn.example.com", 443)


def away(sent: Request, status: int, location: str, *allowed: Origin):
    return told(Redirect(Redirects(), frozenset(allowed or [CDN])), call_of(sent), status, location)


@pytest.mark.parametrize("status", FOLLOWED)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_allowed_origin_is_followed_with_what_is_wanted_there(status: int, method: str) -> None:
    fields = [("Accept", "image/png"), ("Range", "bytes=5-"), ("Authorization", "Bearer x"), ("X-Api-Key", "k"),
              ("Cookie", "a=1"), ("User-Agent", Secret("me")), ("Idempotency-Key", "1")]  # fmt: skip
    verdict = away(request(method, headers=fields), status, "https://CDN.example.com:443/a/../f?size=2#x")
    assert isinstance(verdict, Resend)
    sent = verdict.request
    assert (sent.method, sent.wire_url, sent.url, sent.origin, sent.body) == (
        method, "https://cdn.example.com/f?size=2", "https://cdn.example.com/f?size=2", CDN, None,
    )  # fmt: skip
    assert sent.headers.multi_items() == [("Accept", "image/png"), ("Range", "bytes=5-")]


@pytest.mark.parametrize("status", FOLLOWED)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
def test_a_body_goes_nowhere_else_and_only_a_get_does(status: int, method: str) -> None:
    verdict = away(request(method, body=Content(b"secret")), status, "https://cdn.example.com/f")
    becomes_get = method != "GET" and (status == 303 or (status in (301, 302) and method == "POST"))
    if not becomes_get:
        assert verdict == GiveUp("origin")
        return
    assert isinstance(verdict, Resend)
    assert (verdict.request.method, verdict.request.body) == ("GET", None)


@pytest.mark.parametrize(
    "location",
    [
        "http://cdn.example.com/f", "https://cdn.example.com:8443/f", "https://a.cdn.example.com/f",
        "https://cdn.example.com./f", "https://cdn.example.com@evil.example/f", "https://u@cdn.example.com/f",
        "https://cdn.example.com\\@evil.example/f", "https://evil.example/f", "https://cdn%2eexample.com/f",
    ],
)  # fmt: skip
def test_an_origin_that_is_not_the_allowed_one_is_left_to_the_caller(location: str) -> None:
    assert away(request(), 302, location) == GiveUp("origin")


def test_https_goes_on_to_http_nowhere_and_http_to_an_allowed_https() -> None:
    plain = Origin("http", "cdn.example.com", 80)
    assert away(request(), 302, "http://cdn.example.com/f", plain) == GiveUp("origin")
    assert isinstance(away(request(url="http://api.example.com/x"), 302, "https://cdn.example.com/f"), Resend)


def test_from_another_origin_no_redirect_leads_back() -> None:
    """Its word would be sent on with our credential."""
    assert away(request(url="https://cdn.example.com/f"), 302, "https://api.example.com/pay") == GiveUp("origin")


@pytest.mark.parametrize(
    "told_by", ["https://cdn.example.com/f?key=canary-7f3a", "https://cdn.example.com/canary-7f3a/f"]
)
def test_a_location_that_has_a_secret_in_it_is_not_followed(told_by: str) -> None:
    sent = request(url=URL + "?key=***", wire_url=URL + "?key=canary-7f3a", secrets=(Secret("canary-7f3a"),))
    assert away(sent, 302, told_by) == GiveUp("origin")
    assert isinstance(away(sent, 302, "https://cdn.example.com/f?key=another"), Resend)


def test_nor_one_that_has_our_secret_pair_however_short() -> None:
    sent = request(url=URL + "?pin=***", wire_url=URL + "?pin=123", secrets=(Secret("123"),))
    assert away(sent, 302, "https://cdn.example.com/f?a=1&pin=123") == GiveUp("origin")
