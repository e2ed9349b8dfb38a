"""A call that gives both its typed value and the response that it was read from."""

import pytest

from callsheet import Answer, NotFound, ServerError, UsageError
from tests.servers import answer, answer_json, lose_answer

OPERATIONS = {
    "get_thing": {"get": "/things/{id}", "path": {"id": "integer"}, "returns": "object"},
    "export": {"get": "/export", "stream": True},
    "prices": {"get": "/prices", "returns": "object", "fallback": {"value": {"stale": True}}},
}


def test_it_gives_the_value_and_the_response(any_shop):
    with any_shop(OPERATIONS, script=[answer_json({"id": 7})]) as shop:
        found = shop.call_with_response("get_thing", id=7)
    assert type(found) is Answer
    assert (found.value, found.response.json(), found.error) == ({"id": 7}, {"id": 7}, None)
    assert (found.response.status_code, found.response.attempts) == (200, 1)
    assert found.response.headers["content-type"] == "application/json"


def test_it_raises_what_call_raises(any_shop):
    with any_shop(OPERATIONS, script=[answer(404)]) as shop, pytest.raises(NotFound):
        shop.call_with_response("get_thing", id=7)


def test_without_raising_the_value_is_the_response(any_shop):
    with any_shop(OPERATIONS, script=[answer(404)]) as shop:
        found = shop.call_with_response("get_thing", id=7, raise_for_status=False)
    assert found.value is found.response
    assert found.response.status_code == 404


def test_a_fallback_says_what_it_stands_for(any_shop):
    with any_shop(OPERATIONS, script=[answer(503)], retry="off") as shop:
        found = shop.call_with_response("prices")
    assert (found.value, found.response.status_code, type(found.error)) == ({"stale": True}, 503, ServerError)


def test_a_fallback_of_a_call_that_got_no_response_has_none(any_shop):
    with any_shop(OPERATIONS, script=[lose_answer()], retry="off") as shop:
        found = shop.call_with_response("prices")
    assert (found.value, found.response) == ({"stale": True}, None)
    assert found.error.was_sent


def test_an_operation_that_streams_is_for_call(any_shop):
    with any_shop(OPERATIONS) as shop:
        with pytest.raises(UsageError, match=r"`shop\.export` has `stream: true`: use `call`"):
            shop.call_with_response("export")
        assert shop.server.requests == []
