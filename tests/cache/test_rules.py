"""The rules of HTTP caching as tables, each with the section that it is from."""

import math

import pytest

from callsheet.http.caching import cache_status
from callsheet.http.caching.dates import http_date
from callsheet.http.caching.fields import directives, freshened, normalized, storable_fields, vary_names
from callsheet.http.caching.freshness import LONGEST_GUESS, facts_of
from callsheet.http.caching.reuse import (
    Windows,
    Wishes,
    is_met,
    may_serve_error,
    use_of,
    why_not_stored,
    wishes_of,
)

NOON = 784_111_777.0
"""Sun, 06 Nov 1994 08:49:37 GMT, the moment of the examples in RFC 9110 5.6.7."""
DATE = ("Date", "Sun, 06 Nov 1994 08:49:37 GMT")


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "SUN, 06 NOV 1994 08:49:37 gmt",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 8:49:37 GMT",
        "Sun 06 Nov 1994 08:49:37 GMT",
        "06 Nov 1994 08:49:37 GMT",
        "Sun, 06  Nov  1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        " Sun, 06 Nov 1994 08:49:37 GMT ",
    ],
)
def test_a_date_is_read_in_every_form_that_says_which_moment_is_meant(text):
    assert http_date(text) == NOON


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-1",
        "",
        "never",
        "Sun, 06 Nov 1994 08:49:37 AEST",
        "Sun, 06 Nov 1994 08:49:37 +0100",
        "Sun, 06 Nov 1994 08.49.37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nvm 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994",
        "1994-11-06T08:49:37Z",
        "784111777",
    ],
)
def test_what_is_no_date_is_none(text):
    assert http_date(text) is None


def test_far_dates_and_short_years_are_read():
    assert http_date("Sun, 21 Nov 2286 04:46:39 GMT") == 10000039599.0
    assert http_date("Fri, 31 Dec 9999 23:59:59 GMT") == 253402300799.0
    assert http_date("Thursday, 18-Aug-50 02:01:18 GMT") == http_date("Thu, 18 Aug 2050 02:01:18 GMT")


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["max-age=60, no-cache"], {"max-age": "60", "no-cache": None}),
        (["MAX-AGE=60"], {"max-age": "60"}),
        (['max-age="60"'], {"max-age": "60"}),
        (["max-age='60'"], {"max-age": "'60'"}),
        (['extension="max-age=3600, x", max-age=1'], {"extension": "max-age=3600, x", "max-age": "1"}),
        (['max-age=1, extension="max-age=3600"'], {"max-age": "1", "extension": "max-age=3600"}),
        (["max-age =60"], {}),
        (["max-age= 60"], {"max-age": " 60"}),
        (["max-age=60", "max-age=30"], {"max-age": "30"}),
        (["max-age=30, max-age=60"], {"max-age": "30"}),
        (['no-cache="a", no-cache'], {"no-cache": None}),
        (["max-stale, max-stale=5"], {"max-stale": "5"}),
        ([",, no-store ,"], {"no-store": None}),
        (['no-cache="a, b"'], {"no-cache": "a, b"}),
        (['private="a\\"b"'], {"private": 'a"b'}),
        ([], {}),
    ],
)
def test_directives(lines, found):
    assert directives(lines) == found


@pytest.mark.parametrize(
    ("control", "more", "seconds"),
    [
        ("max-age=60", [], 60),
        ("max-age=003600", [], 3600),
        ("max-age=0", [("Expires", "Sun, 06 Nov 1994 09:49:37 GMT")], 0),
        ("max-age=60", [("Expires", "Sun, 06 Nov 1994 07:49:37 GMT")], 60),
        ("max-age=60", [("Expires", "0")], 60),
        ("max-age=-1", [], 0),
        ("max-age=a60", [], 0),
        ("max-age=60.0", [], 0),
        ("max-age=99999999999", [], 2**31),
        ("s-maxage=60", [], 0),
        ("s-maxage=60, max-age=1", [], 1),
        ("", [("Expires", "Sun, 06 Nov 1994 08:50:37 GMT")], 60),
        ("", [("Expires", "Sunday, 06-Nov-94 08:50:37 GMT")], 60),
        ("", [("Expires", "Sun, 06 Nov 1994 08:49:37 GMT")], 0),
        ("", [("Expires", "0")], 0),
        ("", [("Expires", "0"), ("Last-Modified", "Sat, 05 Nov 1994 08:49:37 GMT")], 0),
        ("", [("Last-Modified", "Sat, 05 Nov 1994 08:49:37 GMT")], 8640),
        ("", [("Last-Modified", "Sat, 05 Nov 1904 08:49:37 GMT")], LONGEST_GUESS),
        ("", [("Last-Modified", "Mon, 07 Nov 1994 08:49:37 GMT")], 0),
        ("", [], 0),
    ],
)
def test_the_lifetime_of_an_answer(control, more, seconds):
    fields = [DATE, *([("Cache-Control", control)] if control else []), *more]
    assert facts_of(200, fields, NOON, NOON).lifetime == seconds


@pytest.mark.parametrize(
    ("status", "guessed"), [(200, True), (404, True), (410, True), (201, False), (403, False), (503, False)]
)
def test_a_lifetime_is_guessed_for_some_statuses_only(status, guessed):
    fields = [DATE, ("Last-Modified", "Sat, 05 Nov 1994 08:49:37 GMT")]
    assert (facts_of(status, fields, NOON, NOON).lifetime > 0) is guessed
    assert facts_of(status, [*fields, ("Cache-Control", "public")], NOON, NOON).lifetime > 0


@pytest.mark.parametrize(
    ("ages", "asked", "answered", "old"),
    [
        ([], 0, 0, 0),
        (["30"], 0, 0, 30),
        (["30"], -5, 0, 35),
        ([], 0, 20, 20),
        (["30"], 18, 20, 32),
        (["5"], 20, 20, 20),
        ([], -20, -20, 0),
    ],
)
def test_the_age_of_an_answer_that_comes(ages, asked, answered, old):
    fields = [DATE, *(("Age", age) for age in ages)]
    assert facts_of(200, fields, NOON + asked, NOON + answered).age == old


@pytest.mark.parametrize(
    "ages", [["abc"], ["-7200"], ["7200.0"], ["7200,0"], ["0, 0"], ["0", "7200"], ["7200;foo=bar"]]
)
def test_an_age_that_is_no_single_number_makes_the_answer_stale(ages):
    fields = [DATE, ("Cache-Control", "max-age=3600"), *(("Age", age) for age in ages)]
    facts = facts_of(200, fields, NOON, NOON)
    assert use_of(facts, Wishes(), Windows(), facts.age).how == "ask"


def facts(control, *more, status=200):
    return facts_of(status, [DATE, ("Cache-Control", control), *more], NOON, NOON)


@pytest.mark.parametrize(
    ("control", "request_says", "age", "how"),
    [
        ("max-age=60", "", 59, "fresh"),
        ("max-age=60", "", 60, "ask"),
        ("max-age=60", "no-cache", 1, "ask"),
        ("max-age=60", "max-age=10", 10, "fresh"),
        ("max-age=60", "max-age=10", 11, "ask"),
        ("max-age=60", "max-age=0", 1, "ask"),
        ("max-age=60, immutable", "max-age=0", 1, "fresh"),
        ("max-age=60, immutable", "no-cache", 1, "ask"),
        ("max-age=60, immutable", "", 61, "ask"),
        ("max-age=60", "min-fresh=10", 50, "fresh"),
        ("max-age=60", "min-fresh=10", 51, "ask"),
        ("max-age=60", "max-stale", 10_000, "stale"),
        ("max-age=60", "max-stale=10", 70, "stale"),
        ("max-age=60", "max-stale=10", 71, "ask"),
        ("max-age=60, must-revalidate", "max-stale", 61, "ask"),
        ("max-age=60, no-cache", "", 1, "ask"),
        ('max-age=60, no-cache="x-secret"', "", 1, "fresh"),
        ("max-age=60, private", "", 1, "fresh"),
        ("max-age=60, proxy-revalidate", "max-stale", 61, "stale"),
        ("max-age=60, stale-while-revalidate=30", "", 60, "revalidate"),
        ("max-age=60, stale-while-revalidate=30", "", 89, "revalidate"),
        ("max-age=60, stale-while-revalidate=30", "", 90, "ask"),
        ("max-age=60, stale-while-revalidate=30, must-revalidate", "", 61, "ask"),
        ("max-age=60, stale-while-revalidate=30", "no-cache", 61, "ask"),
        ("max-age=60, stale-while-revalidate=30", "min-fresh=1", 61, "ask"),
    ],
)
def test_whether_a_stored_answer_serves(control, request_says, age, how):
    wishes = wishes_of([("Cache-Control", request_says)] if request_says else [])
    assert use_of(facts(control), wishes, Windows(), age).how == how


def test_the_settings_replace_the_windows_of_the_answer():
    said = facts("max-age=60, stale-while-revalidate=30, stale-if-error=30")
    assert use_of(said, Wishes(), Windows(revalidate=0.0), 61).how == "ask"
    assert use_of(said, Wishes(), Windows(revalidate=100.0), 150).how == "revalidate"
    assert not may_serve_error(said, Windows(error=0.0), 61)
    assert may_serve_error(said, Windows(error=100.0), 150)


@pytest.mark.parametrize(
    ("control", "age", "serves"),
    [
        ("max-age=60, stale-if-error=30", 59, True),
        ("max-age=60, stale-if-error=30", 89, True),
        ("max-age=60, stale-if-error=30", 90, False),
        ("max-age=60", 61, False),
        ("max-age=60, stale-if-error=30, must-revalidate", 61, False),
        ("no-cache, stale-if-error=30", 1, False),
    ],
)
def test_whether_a_stored_answer_serves_in_place_of_an_error(control, age, serves):
    assert may_serve_error(facts(control), Windows(), age) is serves


@pytest.mark.parametrize(
    ("fields", "wishes"),
    [
        ([], Wishes()),
        ([("Pragma", "no-cache")], Wishes(no_cache=True)),
        ([("Pragma", "no-cache"), ("Cache-Control", "max-age=5")], Wishes(max_age=5)),
        ([("Pragma", "unknown")], Wishes()),
        ([("Cache-Control", "no-store, only-if-cached")], Wishes(no_store=True, only_if_cached=True)),
        ([("Cache-Control", "max-stale")], Wishes(max_stale=math.inf)),
        ([("Cache-Control", "max-stale=x, min-fresh=3")], Wishes(max_stale=0.0, min_fresh=3)),
    ],
)
def test_what_a_request_says(fields, wishes):
    assert wishes_of(fields) == wishes


@pytest.mark.parametrize(
    ("status", "fields", "why"),
    [
        (200, {"Cache-Control": "max-age=60"}, ""),
        (200, {"Cache-Control": "no-store, max-age=60"}, "no-store"),
        (200, {"Cache-Control": "nO-StOrE"}, "no-store"),
        (200, {"Cache-Control": "max-age=60, must-understand, no-store"}, ""),
        (599, {"Cache-Control": "max-age=60, must-understand"}, "must-understand"),
        (599, {"Cache-Control": "max-age=60"}, ""),
        (206, {"Cache-Control": "max-age=60"}, "status 206"),
        (304, {"Cache-Control": "max-age=60"}, "status 304"),
        (200, {"Cache-Control": "max-age=60", "Vary": "*"}, "Vary: *"),
        (200, {"Cache-Control": "max-age=60", "Vary": "Accept, *"}, "Vary: *"),
        (200, {"Cache-Control": "no-cache", "ETag": '"a"'}, ""),
        (200, {"ETag": '"a"'}, ""),
        (503, {"ETag": '"a"'}, "status 503"),
        (200, {}, "nothing says"),
        (200, {"Cache-Control": "max-age=0"}, "it is stale at once"),
        (200, {"Expires": "0"}, "it is stale at once"),
        (200, {"Cache-Control": "max-age=0, stale-while-revalidate=5"}, ""),
        (404, {"Cache-Control": "max-age=60"}, ""),
        (301, {"Cache-Control": "max-age=60"}, ""),
    ],
)
def test_whether_an_answer_is_stored(status, fields, why):
    found = why_not_stored("GET", status, facts_of(status, [DATE, *fields.items()], NOON, NOON), Wishes(), Windows())
    assert found.startswith(why) if why else found == ""


def test_a_request_that_says_so_is_not_stored_and_no_other_method_is():
    said = facts("max-age=60")
    assert why_not_stored("GET", 200, said, Wishes(no_store=True), Windows()) == "no-store in the request"
    assert why_not_stored("POST", 200, said, Wishes(), Windows()) == "an answer to POST"


def test_fields_of_the_connection_and_cookies_are_not_stored():
    fields = [
        ("Connection", "close, X-Hop"),
        ("X-Hop", "1"),
        ("Keep-Alive", "timeout=5"),
        ("Transfer-Encoding", "chunked"),
        ("Set-Cookie", "session=1"),
        ("X-Named", "2"),
        ("ETag", '"a"'),
        ("X-Kept", "3"),
    ]
    kept = storable_fields(fields, directives(['no-cache="x-named"']))
    assert kept == (("ETag", '"a"'), ("X-Kept", "3"))


def test_a_304_replaces_fields_but_not_those_of_the_body():
    stored = [("ETag", '"a"'), ("Content-Length", "5"), ("Content-Encoding", "gzip"), ("X", "1"), ("Y", "1")]
    fresh = [
        ("ETag", '"b"'),
        ("Content-Length", "0"),
        ("Content-Encoding", "br"),
        ("x", "2"),
        ("Cache-Control", "max-age=9"),
    ]
    assert freshened(stored, fresh) == (
        ("ETag", '"a"'),
        ("Content-Length", "5"),
        ("Content-Encoding", "gzip"),
        ("Y", "1"),
        ("x", "2"),
        ("Cache-Control", "max-age=9"),
    )


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ([], ()),
        (["Accept, X-B", "accept"], ("accept", "x-b")),
        (["*"], None),
        (["Foo, *"], None),
        ([", *"], None),
        (["", "*"], None),
    ],
)
def test_what_an_answer_varies_on(lines, names):
    assert vary_names([("Vary", line) for line in lines]) == names


def test_fields_are_compared_without_white_space_and_lines():
    assert normalized(["1, 2"]) == normalized(["1", "2"]) == normalized([" 1,2 "])
    assert normalized(["1, 2"]) != normalized(["12"])


@pytest.mark.parametrize(
    ("tags", "since", "etag", "changed", "met"),
    [
        (['"a"'], None, '"a"', None, True),
        (['W/"a"'], None, '"a"', None, True),
        (['"a"'], None, 'W/"a"', None, True),
        (['"x", "a", "y"'], None, '"a"', None, True),
        (["*"], None, '"a"', None, True),
        (['"b"'], None, '"a"', None, False),
        (['"b"'], NOON, '"a"', NOON, False),  # If-None-Match is the one that counts
        (['"a"'], None, None, None, False),
        ([], NOON, None, NOON, True),
        ([], NOON, None, NOON - 1, True),
        ([], NOON, None, NOON + 1, False),
        ([], NOON, None, None, False),
    ],
)
def test_whether_the_callers_own_copy_is_still_good(tags, since, etag, changed, met):
    assert is_met(tags, since, etag, changed) is met


def test_cache_status_in_the_words_of_rfc_9211():
    assert cache_status.hit(59.6) == "callsheet; hit; ttl=60"
    assert cache_status.hit(-5.0) == "callsheet; hit; ttl=-5"
    assert cache_status.forwarded("uri-miss", stored=True) == "callsheet; fwd=uri-miss; stored"
    assert cache_status.forwarded("stale", status=304, stored=True) == "callsheet; fwd=stale; fwd-status=304; stored"
    assert cache_status.forwarded("bypass", detail='a "b"') == 'callsheet; fwd=bypass; detail="a \\"b\\""'
    assert cache_status.forwarded("uri-miss", collapsed=True) == "callsheet; fwd=uri-miss; collapsed"
