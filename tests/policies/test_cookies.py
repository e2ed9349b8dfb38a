"""Cookies: what is kept, what is returned where, and for how long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.cookiejar import Cookie

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.call import Attempt, Call
from callsheet.errors import NotSent
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.policies.cookies import LONGEST_COOKIE, MOST_COOKIES, Cookies, Jar
from callsheet.secret import Secret
from callsheet.settings.timeout import Timeout
from callsheet.verdicts import Change

NOON = 1_700_000_000.0
DAY = 86400
URL = "https://api.example.com/v1/orders"


def never():
    raise AssertionError("cookies wait for nothing")


class Clock:
    now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cookies(clock: Clock) -> Cookies:
    return Cookies(clock)


def attempt_at(url: str, *given: tuple[str, str | Secret]) -> Attempt:
    return Attempt(Call(Request("GET", url, Headers(given)), Timeout(), 0.0, never), 1)


def answered(cookies: Cookies, *fields: str, url: str = URL, status: int = 200) -> None:
    attempt = attempt_at(url)
    lines = [f"Set-Cookie: {field}\r\n".encode("latin-1") for field in fields]
    attempt.outcome = Response(status, request=attempt.request, lines=lines)
    cookies.after(attempt, 0.0)


def sent(cookies: Cookies, url: str = URL, *given: tuple[str, str | Secret]) -> str | None:
    """The Cookie field of a request, None if there is none."""
    attempt = attempt_at(url, *given)
    verdict = cookies.before(attempt, 0.0)
    request = verdict.request if isinstance(verdict, Change) else attempt.request
    values = [value for name, value in request.headers.fields if name.lower() == "cookie"]
    assert len(values) < 2
    return None if not values else values[0].reveal() if isinstance(values[0], Secret) else values[0]


def test_an_empty_jar_changes_nothing(cookies: Cookies) -> None:
    assert cookies.before(attempt_at(URL), 0.0) is None
    attempt = attempt_at(URL)
    attempt.outcome = NotSent("refused")
    assert cookies.after(attempt, 0.0) is None


@pytest.mark.parametrize("status", [200, 204, 302, 401, 404, 500])
def test_a_cookie_is_kept_whatever_the_status(cookies: Cookies, status: int) -> None:
    answered(cookies, "sid=1", status=status)
    assert sent(cookies) == "sid=1"


@pytest.mark.parametrize(
    ("field", "pair"),
    [
        ("a=b", "a=b"),
        ("a=", "a="),
        (" a = b ; Path=/", "a=b"),
        ('a="b c"', 'a="b c"'),
        ("a=b=c==", "a=b=c=="),
        ("a=b,c", "a=b,c"),
        ("a=\xc3\xa9", "a=\xc3\xa9"),
        ("a=b; Unknown; x=y; HttpOnly; SameSite=Strict; Priority=High", "a=b"),
        ('a=b; Version=1; Port="99"; Comment=c', "a=b"),
        ("$a=b", "$a=b"),
        ("a=b;;;", "a=b"),
        ("", None),
        ("=b", None),
        ("a", None),
        (";a=b", None),
        ("a=b\x01c", None),
        ("a=\x7f", None),
    ],
)
def test_name_and_value(cookies: Cookies, field: str, pair: str | None) -> None:
    answered(cookies, field)
    assert sent(cookies) == pair


@pytest.mark.parametrize(
    ("domain", "host", "is_sent"),
    [
        # without Domain: the host alone
        (None, "api.example.com", True),
        (None, "API.example.com", True),
        (None, "example.com", False),
        (None, "www.api.example.com", False),
        # with it: the domain and what is below
        ("example.com", "api.example.com", True),
        ("example.com", "example.com", True),
        ("example.com", "a.b.example.com", True),
        (".example.com", "api.example.com", True),
        ("EXAMPLE.com", "api.example.com", True),
        ("example.com", "badexample.com", False),
        ("example.com", "example.com.evil.example", False),
        ("api.example.com", "www.api.example.com", True),
        ("api.example.com", "example.com", False),
        ("", "api.example.com", True),
        ("", "www.api.example.com", False),
        # a domain that the host is not within: not kept
        ("other.example", "other.example", False),
        ("other.example", "api.example.com", False),
        ("www.api.example.com", "www.api.example.com", False),
        ("ample.com", "api.example.com", False),
        ("com", "api.example.com", False),
        (".com", "api.example.com", False),
    ],
)
def test_domain(cookies: Cookies, domain: str | None, host: str, is_sent: bool) -> None:
    answered(cookies, "a=b; Path=/" + ("" if domain is None else f"; Domain={domain}"))
    assert sent(cookies, f"https://{host}/x") == ("a=b" if is_sent else None)


@pytest.mark.parametrize(
    ("host", "domain", "is_kept"),
    [
        ("127.0.0.1:8080", None, True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "0.0.1", False),
        ("127.0.0.1", ".1", False),
        ("[::1]:8080", None, True),
        ("[::1]", "1]", False),
        ("localhost:8080", None, True),
        ("localhost", "localhost", True),
        ("localhost", "host", False),
    ],
)
def test_addresses_and_short_names(cookies: Cookies, host: str, domain: str | None, is_kept: bool) -> None:
    url = f"http://{host}/x"
    answered(cookies, "a=b" + ("" if domain is None else f"; Domain={domain}"), url=url)
    assert sent(cookies, url) == ("a=b" if is_kept else None)


@pytest.mark.parametrize(
    ("path", "asked", "is_sent"),
    [
        ("/", "/", True),
        ("/", "/anything", True),
        ("/v1", "/v1", True),
        ("/v1", "/v1/x", True),
        ("/v1", "/v1?a=/v2", True),
        ("/v1", "/v10", False),
        ("/v1", "/", False),
        ("/v1/", "/v1", False),
        ("/v1/", "/v1/x", True),
        ("/V1", "/v1", False),
        # the default: the folder of the request that was answered, /v1/orders
        (None, "/v1", True),
        (None, "/v1/", True),
        (None, "/v1/other", True),
        (None, "/v2", False),
        ("relative", "/v1/x", True),
        ("", "/v1/x", True),
    ],
)
def test_path(cookies: Cookies, path: str | None, asked: str, is_sent: bool) -> None:
    answered(cookies, "a=b" + ("" if path is None else f"; Path={path}"))
    assert sent(cookies, f"https://api.example.com{asked}") == ("a=b" if is_sent else None)


def test_the_default_path_of_a_path_without_folder_is_the_root(cookies: Cookies) -> None:
    answered(cookies, "a=b", url="https://api.example.com/login")
    assert sent(cookies) == "a=b"


@pytest.mark.parametrize(
    ("field", "is_kept", "scheme", "is_sent"),
    [
        ("a=b; Secure", "https", "https", True),
        ("a=b; Secure", "https", "http", False),
        ("a=b; Secure", "http", "https", False),
        ("a=b; SECURE=anything", "https", "http", False),
        ("a=b", "https", "http", True),
        ("__Secure-a=b; Secure", "https", "https", True),
        ("__Secure-a=b", "https", "https", False),
        ("__Host-a=b; Secure; Path=/", "https", "https", True),
        ("__host-a=b; Path=/", "https", "https", False),
        ("__Host-a=b; Secure", "https", "https", False),
        ("__Host-a=b; Secure; Path=/v1", "https", "https", False),
        ("__Host-a=b; Secure; Path=/; Domain=example.com", "https", "https", False),
        ("__Host-a=b; Secure; Path=/", "http", "https", False),
    ],
)
def test_secure_and_prefixes(cookies: Cookies, field: str, is_kept: str, scheme: str, is_sent: bool) -> None:
    answered(cookies, field, url=f"{is_kept}://api.example.com/v1/x")
    assert (sent(cookies, f"{scheme}://api.example.com/v1/x") is not None) == is_sent


@pytest.mark.parametrize(
    ("attributes", "days", "is_sent"),
    [
        ("", 10_000, True),
        ("Max-Age=86400", 0.9, True),
        ("Max-Age=86400", 1.1, False),
        ("Max-Age=0", 0, False),
        ("Max-Age=-1", 0, False),
        ("Max-Age=one", 10_000, True),
        ("Max-Age", 10_000, True),
        ("Max-Age=" + "9" * 5000, 399, True),
        ("Max-Age=" + "9" * 5000, 401, False),
        ("Expires=Thu, 16 Nov 2023 00:00:00 GMT", 1, True),
        ("Expires=Thu, 16 Nov 2023 00:00:00 GMT", 2, False),
        ("Expires=Thu, 16-Nov-2023 00:00:00 GMT", 2, False),
        ("Expires=Thursday, 16-Nov-23 00:00:00 GMT", 2, False),
        ("Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0, False),
        ("Expires=Fri, 31 Dec 9999 23:59:59 GMT", 399, True),
        ("Expires=Fri, 31 Dec 9999 23:59:59 GMT", 401, False),
        ("Expires=never", 10_000, True),
        ("Expires=", 10_000, True),
        ("Expires=Thu, 99 Foo 99999999999 99:99:99 GMT", 0, True),
        ("Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=86400", 0.5, True),
        ("Max-Age=0; Expires=Fri, 31 Dec 9999 23:59:59 GMT", 0, False),
        ("Max-Age=0; Max-Age=86400", 0.5, True),
    ],
)
def test_expiry(cookies: Cookies, clock: Clock, attributes: str, days: float, is_sent: bool) -> None:
    answered(cookies, f"a=b; {attributes}")
    clock.now = NOON + days * DAY
    assert sent(cookies) == ("a=b" if is_sent else None)


def test_a_cookie_is_replaced_and_deleted_by_its_name_domain_and_path(cookies: Cookies) -> None:
    answered(cookies, "a=1; Path=/", "b=1; Path=/")
    answered(cookies, "a=2; Path=/")
    assert sent(cookies) == "a=2; b=1"
    answered(cookies, "a=; Path=/; Max-Age=0", "b=; Path=/other; Max-Age=0")
    assert sent(cookies) == "b=1"


def test_longer_paths_come_first(cookies: Cookies) -> None:
    answered(cookies, "a=root; Path=/", "b=deep; Path=/v1/orders", "c=mid; Path=/v1")
    assert sent(cookies) == "b=deep; c=mid; a=root"


def test_the_caller_s_cookies_stay_and_go_first(cookies: Cookies) -> None:
    answered(cookies, "a=jar; Path=/", "b=jar; Path=/")
    assert sent(cookies, URL, ("Cookie", "b=own; c=own")) == "b=own; c=own; a=jar"
    assert sent(cookies, URL, ("cookie", Secret("b=", Secret("own"))), ("Cookie", "d=own")) == "b=own; d=own; a=jar"
    assert cookies.before(attempt_at(URL, ("Cookie", "a=1;b=2")), 0.0) is None


def test_a_second_pass_adds_nothing_twice(cookies: Cookies) -> None:
    answered(cookies, "a=b")
    attempt = attempt_at(URL)
    first = cookies.before(attempt, 0.0)
    assert isinstance(first, Change)
    attempt.request = first.request
    assert cookies.before(attempt, 0.0) is None


def test_a_session_is_nowhere_to_be_seen(cookies: Cookies) -> None:
    answered(cookies, "sid=canary-8471")
    verdict = cookies.before(attempt_at(URL), 0.0)
    assert isinstance(verdict, Change)
    assert "canary" not in f"{verdict!r} {verdict.request.headers!r} {verdict.request.redacted().headers!r}"
    assert verdict.request.headers["Cookie"] == "***"


def test_the_number_of_cookies_is_bounded_and_the_oldest_go(cookies: Cookies) -> None:
    for number in range(MOST_COOKIES + 5):
        answered(cookies, f"c{number}=x")
    names = [pair.partition("=")[0] for pair in (sent(cookies) or "").split("; ")]
    assert names == [f"c{number}" for number in range(5, MOST_COOKIES + 5)]


def test_the_size_of_a_cookie_is_bounded(cookies: Cookies) -> None:
    answered(cookies, "a=" + "x" * (LONGEST_COOKIE - 1))
    assert sent(cookies) is not None
    answered(cookies, "b=" + "x" * LONGEST_COOKIE)
    assert "b=" not in (sent(cookies) or "")


def test_two_services_share_nothing(clock: Clock) -> None:
    one, other = Cookies(clock), Cookies(clock)
    answered(one, "a=b; Domain=example.com; Path=/")
    assert (sent(one), sent(other)) == ("a=b", None)


def test_a_forked_child_begins_anew(cookies: Cookies) -> None:
    answered(cookies, "a=b")
    cookies.lock.acquire()
    cookies.forget()
    assert sent(cookies) is None


def test_threads_may_use_one_jar(cookies: Cookies) -> None:
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(200):
                answered(cookies, f"{name}{number % 7}={number}; Max-Age={number % 3}")
                sent(cookies)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@given(st.lists(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60)))
def test_whatever_a_server_sets_comes_back_as_pairs_or_not_at_all(fields: list[str]) -> None:
    cookies = Cookies(Clock())
    answered(cookies, *fields, *(f"a=b; {field}" for field in fields))
    field = sent(cookies)
    assert field is None or all("=" in pair for pair in field.split("; ") if pair)


ATTRIBUTES = st.sampled_from(
    ["Path", "Path=/v1", "Domain", "Domain=.", "Domain=..", "Domain=[", "Domain=\xe9.com", "Expires=0", "Expires=1 2 3 4", "Max-Age=-", "Secure", "Port", "Version=x", "Expires=Thu, 01 Jan 0000 00:00:00 +9999"]
)  # fmt: skip


@given(
    st.lists(ATTRIBUTES),
    st.sampled_from(["https://api.example.com/v1/x", "http://127.0.0.1/v1/x", "http://[::1]:1/", "http://localhost"]),
)
def test_no_attributes_break_it(attributes: list[str], url: str) -> None:
    cookies = Cookies(Clock())
    answered(cookies, "; ".join(["a=b", *attributes]), url=url)
    assert sent(cookies, url) in (None, "a=b")


class CountedJar(Jar):
    walks = 0

    def __iter__(self) -> Iterator[Cookie]:
        self.walks += 1
        return super().__iter__()


def test_the_jar_is_walked_through_once_however_many_cookies_an_answer_sets(cookies: Cookies) -> None:
    cookies.jar = jar = CountedJar()
    answered(cookies, "c=1")
    for_one, jar.walks = jar.walks, 0
    answered(cookies, *[f"c{number}=1" for number in range(190)])
    assert jar.walks == for_one
    assert len(jar) == MOST_COOKIES
    assert sent(cookies) == "; ".join(f"c{number}=1" for number in range(140, 190))
