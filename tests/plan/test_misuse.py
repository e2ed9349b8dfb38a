"""What cannot be meant is an ArgumentError or SheetError of ours, whatever Python would have said."""

import pytest

from callsheet import Client, Sheet
from callsheet.errors import ArgumentError, SheetError
from callsheet.plan.service import ServicePlans

OPERATIONS = {"get_user": {"get": "/users/{id}"}, "add": {"post": "/users", "json": "object"}}


@pytest.fixture
def service():
    with Client(Sheet(services={"shop": {"base_url": "http://127.0.0.1:9", "operations": OPERATIONS}})) as client:
        yield client.service("shop")


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda shop: shop.get(b"/x"), "path: expected text, found bytes"),
        (lambda shop: shop.get("/x", params="a=b"), "params: expected a mapping or pairs of name and value, found str"),
        (lambda shop: shop.get("/x", params=5), "params: expected a mapping or pairs of name and value, found int"),
        (
            lambda shop: shop.get("/x", headers=[("a", "b")]),
            "headers: expected a mapping from name to text, found list",
        ),
        (
            lambda shop: shop.call("get_user", [("id", 7)]),
            "arguments: expected a mapping from name to value, found list",
        ),
        (lambda shop: shop.call("add", 0), "arguments: expected a mapping from name to value, found int"),
        (lambda shop: list(shop.map("add", [""])), "arguments: expected a mapping from name to value, found str"),
        (lambda shop: shop.call("add", json={"a": object()}), "Unable to serialize unknown type"),
        (
            lambda shop: shop.get("/x", headers={"Authorization": "a", "X": "b", "authorization": "c"}),
            "headers: `authorization` is given twice; names have no case",
        ),
        (
            lambda shop: shop.call("get_user", id=7, headers={"X-A": "a", "x-a": "a"}),
            "headers: `x-a` is given twice",
        ),
        (
            lambda shop: shop.post("/x", data={"a": 1}, headers={"Content-Type": "multipart/form-data"}),
            "`Content-Type`: the body is application/x-www-form-urlencoded, and no multipart; .* `files`",
        ),
        (
            lambda shop: shop.post("/x", json={"a": 1}, headers={"content-type": "Multipart/Form-Data; boundary=x"}),
            "`Content-Type`: the body is application/json, and no multipart",
        ),
        (
            lambda shop: shop.call("add", json={"a": 1}, headers={"Content-Type": "multipart/mixed"}),
            "`Content-Type`: the body is application/json, and no multipart",
        ),
    ],
)
def test_misuse_is_told_as_such(service, ask, message):
    with pytest.raises(ArgumentError, match=message) as caught:
        ask(service)
    assert caught.value.service == "shop"
    assert caught.value.was_sent is False


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (
            {"get": "/a", "query": {"x": {"type": "integer", "value": "abc"}}},
            "value of `x`.*valid integer, found 'abc'",
        ),
        ({"get": "/a/{x}", "path": {"x": {"type": "string", "value": ".."}}}, "value of `x`.*name another resource"),
    ],
)
def test_a_constant_that_no_call_could_send_is_found_when_the_plan_is_made(operation, message):
    sheet = Sheet(services={"shop": {"base_url": "http://127.0.0.1:9", "operations": {"odd": operation}}})
    with pytest.raises(SheetError, match=message):
        ServicePlans(sheet.services["shop"], {}, ()).compile_all()
