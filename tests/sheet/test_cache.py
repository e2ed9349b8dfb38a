"""`cache` and `safe` on the sheet: every form, and what is refused."""

import pytest

from callsheet import Client, Sheet, SheetError
from callsheet.settings import Cache
from tests.sheet.sheets import errors, operation, shop


def of(lines):
    return shop(f"cache: {lines}").settings().cache


@pytest.mark.parametrize(
    ("written", "chosen"),
    [
        ("off", None),
        ("false", None),
        ("~", None),
        ("http", Cache("http")),
        ("5m", Cache("ttl", 300.0)),
        ("90", Cache("ttl", 90.0)),
        ("{mode: http}", Cache("http")),
        ("{ttl: 5m}", Cache("ttl", 300.0)),
        ("{mode: ttl, ttl: 5m}", Cache("ttl", 300.0)),
        ("{ttl: 5m, methods: [get, post]}", Cache("ttl", 300.0, ("GET", "POST"))),
        ("{ttl: 5m, vary_on: [X-Tenant, q]}", Cache("ttl", 300.0, vary_on=("X-Tenant", "q"))),
        ("{mode: http, shared: true, max_entry: 5MB}", Cache("http", shared=True, max_entry=5_000_000)),
        (
            "{ttl: 5m, stale_if_error: 1h, stale_while_revalidate: off}",
            Cache("ttl", 300.0, stale_if_error=3600.0, stale_while_revalidate=0.0),
        ),
    ],
)
def test_every_form(written, chosen):
    assert of(written) == chosen


def test_it_replaces_whole():
    text = """callsheet: 1
defaults: {cache: {ttl: 5m, stale_if_error: 1h}}
services:
  shop:
    base_url: https://shop.example
    operations: {a: {get: /a}, b: {get: /b, cache: {ttl: 1m}}, c: {get: /c, cache: off}}
"""
    service = Sheet.parse(text).services["shop"]
    assert [service.settings(name).cache for name in "abc"] == [
        Cache("ttl", 300.0, stale_if_error=3600.0),
        Cache("ttl", 60.0),
        None,
    ]


def test_in_python_it_is_a_setting_as_any_other():
    with Client(base_url="https://shop.example", cache={"ttl": "5m"}) as client:
        assert client.sheet.services["api"].settings().cache == Cache("ttl", 300.0)


@pytest.mark.parametrize(
    ("lines", "message", "hint"),
    [
        ("cache: 0", "`cache` of service `shop`: expected `off`, `http`, a duration", "write `cache: off`"),
        ("cache: 0s", "found `0s`", "write `cache: off`"),
        ("cache: {ttl: 0}", "`cache.ttl` of service `shop`: expected a duration", "write `cache: off`"),
        ("cache: on", "expected `off`, `http`, a duration", ""),
        ("cache: true", "found `true`", "write `cache: http`, or a duration"),
        ("cache: htpp", "found `htpp`", "did you mean `http`?"),
        ("cache: [http]", "expected `off`, `http`, a duration", ""),
        ("cache: {expire_after: 5m}", "unknown key `expire_after` in `cache` of service `shop`", "did you mean `ttl`?"),
        ("cache: {tll: 5m}", "unknown key `tll` in `cache` of service `shop`", "did you mean `ttl`?"),
        ("cache: {stale_if_error: 1h}", "`mode` or `ttl` is missing", "write `mode: http`, or `ttl: 5m`"),
        ("cache: {mode: ttl}", "`mode: ttl` without `ttl`", "`ttl: 5m`"),
        ("cache: {mode: http, ttl: 5m}", "`cache.ttl` of service `shop` beside `mode: http`", "leave it out"),
        (
            "cache: {mode: http, methods: [GET]}",
            "`cache.methods` of service `shop` beside `mode: http`",
            "leave it out",
        ),
        ("cache: {ttl: 5m, methods: [PUT]}", "expected `GET`, `HEAD` or `POST`", ""),
        ("cache: {ttl: 5m, max_entry: big}", "expected a size", ""),
        ("ttl: 5m", "unknown key `ttl` in service `shop`", "did you mean `cache: 5m`?"),
        ("expire_after: 5m", "unknown key `expire_after`", "did you mean `cache: 5m`?"),
        ("safe: true", "unknown key `safe` in service `shop`", ""),
    ],
)
def test_what_a_service_refuses(lines, message, hint):
    text = errors(shop, lines)
    assert text.startswith("s.yaml:")
    assert message in text
    assert hint in text


@pytest.mark.parametrize(
    ("lines", "message", "hint"),
    [
        ("post: /s\ncache: 5m", "`cache` at a POST that is not `safe`", "write `safe: true` beside it"),
        ("post: /s\nsafe: false\ncache: 5m", "`cache` beside `safe: false`", "keep one"),
        ("post: /s\nsafe: true\ncache: http", "`cache: http` at a POST", "`cache: 5m`"),
        ("put: /s\ncache: 5m", "`cache` at a PUT, whose answers are not kept", "leave it out"),
        ("get: /s\nsafe: false\ncache: 5m", "`cache` beside `safe: false`", "keep one"),
        ("get: /s\nstream: true\ncache: 5m", "`cache` beside `stream`", "keep one"),
        ("post: /s\nsafe: true\ncache: {ttl: 1m, methods: [GET]}", "does not name POST", "add POST"),
        ("get: /s\nsafe: perhaps", "`safe` of operation `shop.op`: expected true or false", ""),
        ("get: /s\nreadonly: true", "unknown key `readonly`", "did you mean `safe: true`?"),
        ("get: /s\nread_only: true", "unknown key `read_only`", "did you mean `safe: true`?"),
    ],
)
def test_what_an_operation_refuses(lines, message, hint):
    text = errors(operation, lines)
    assert text.startswith("s.yaml:")
    assert message in text
    assert hint in text


@pytest.mark.parametrize(
    "lines", ["get: /s\ncache: http", "head: /s\ncache: 5m", "post: /s\nsafe: true\ncache: 5m", "put: /s\ncache: off"]
)
def test_what_an_operation_takes(lines):
    operation(lines)


def test_a_ttl_may_come_through_a_variable():
    text = "callsheet: 1\nservices: {a: {base_url: 'http://a', cache: '${KEEP}'}}"
    assert Sheet.parse(text, variables={"KEEP": "5m"}).services["a"].settings().cache == Cache("ttl", 300.0)
    with pytest.raises(SheetError, match="expected `off`, `http`, a duration"):
        Sheet.parse(text, variables={"KEEP": "soon"})


def test_explain_writes_it_as_a_sheet_does():
    with Client(base_url="https://shop.example", cache={"ttl": "5m", "stale_if_error": "off"}) as client:
        told = {setting.name: setting.written for setting in client.explain().settings}
    assert told["cache.ttl"] == "5m"
    assert told["cache.stale_if_error"] == "off"
    assert told["cache.stale_while_revalidate"] == "none"
    assert told["cache.max_entry"] == "1MiB"
