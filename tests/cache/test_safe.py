"""`safe`: whether a call only reads, whatever its method; for the cache and for retries."""

import pytest

from callsheet import Client, NoAnswer, ServerError, Sheet
from callsheet.testing import FakeTransport

SHEET = """callsheet: 1
services:
  shop:
    base_url: https://shop.test
    idempotency_key: true
    operations:
      search: {post: /search, json: object, safe: true}
      order: {post: /order, json: object, idempotency_key: off}
      trigger: {get: /trigger, safe: false}
      read: {get: /read}
"""


@pytest.fixture
def fake():
    return FakeTransport()


@pytest.fixture
def shop(fake):
    with Client(Sheet.parse(SHEET), transport=fake) as client:
        yield client


def test_a_post_that_only_reads_is_sent_again_and_needs_no_key(shop, fake):
    fake.on("POST", "/search").drop().respond(200, json={})
    shop.call("search", json={})
    assert [call.headers.get("Idempotency-Key") for call in fake.calls] == [None, None]


def test_a_post_that_says_nothing_is_not(shop, fake):
    fake.on("POST", "/order").drop()
    with pytest.raises(NoAnswer):
        shop.call("order", json={})
    assert len(fake.calls) == 1


def test_a_get_that_changes_something_is_not_sent_again_either(shop, fake):
    fake.on("GET", "/trigger").respond(503)
    fake.on("GET", "/read").respond(503).respond(200)
    with pytest.raises(ServerError):
        shop.call("trigger")
    assert len(fake.calls_to("GET", "/trigger")) == 1
    shop.call("read")
    assert len(fake.calls_to("GET", "/read")) == 2


def test_explain_says_so():
    service = Sheet.parse(SHEET).services["shop"]
    assert service.settings("search").idempotent
    assert "GET" not in service.settings("trigger").retry.methods
    assert "PUT" in service.settings("trigger").retry.methods


def test_a_get_that_changes_something_is_not_stored_and_drops_what_is(fake):
    text = SHEET.replace("idempotency_key: true", "cache: 5m")
    with Client(Sheet.parse(text), transport=fake) as shop:
        fake.on("GET", "/trigger").respond(200, json={})
        shop.get("/trigger")
        assert shop.get("/trigger").from_cache
        shop.call("trigger"), shop.call("trigger")
        assert not shop.get("/trigger").from_cache
        assert len(fake.calls) == 4
