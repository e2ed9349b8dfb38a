"""The same sheet as plain Python data."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from callsheet.secret import Secret
from callsheet.sheet import Sheet
from tests.sheet.sheets import errors


class User(BaseModel):
    name: str


def sheet(service: dict, **given) -> Sheet:
    return Sheet(services={"shop": {"base_url": "https://shop.example", **service}}, **{"variables": {}, **given})


def test_the_same_vocabulary():
    made = sheet(
        {
            "timeout": 3,
            "retry": {"statuses": (503,), "methods": {"GET"}},
            "auth": {"bearer": Secret("the-token")},
            "headers": {"X-A": Secret("the-header"), "X-N": 1.5},
            "operations": {"op": {"get": "/{id}", "path": {"id": "integer"}, "returns": {200: User, 404: None}}},
        },
        environments={"dev": {"services": {"shop": {"base_url": "http://127.0.0.1:1"}}}, "prod": {}},
        default_environment="dev",
        defaults={"http2": True},
    )
    service = made.services["shop"]
    settings = service.settings("op")
    assert (made.name, made.environment, made.folder, made.warnings) == ("Sheet(...)", "dev", Path.cwd(), ())
    assert (settings.timeout.total, settings.http2, settings.base_url) == (3.0, True, "http://127.0.0.1:1")
    assert settings.auth.options["token"] == Secret("the-token")
    assert settings.headers == {"X-A": Secret("the-header"), "X-N": "1.5"}
    assert service.operations["op"].returns[200].value is User
    assert service.secrets("op") == (Secret("the-header"), Secret("the-token"))


def test_types_of_python():
    service = sheet({"operations": {"op": {"post": "/", "json": User, "returns": list[User]}}}).services["shop"]
    op = service.operations["op"]
    assert (op.json.kind, op.json.value, op.returns.value) == ("python", User, list[User])


def test_schemas_may_be_types():
    made = sheet({"operations": {"op": {"post": "/", "json": "User"}}}, schemas={"User": User})
    assert made.services["shop"].operations["op"].json.value is User


def test_variables_are_substituted_and_a_literal_is_no_warning():
    made = sheet({"auth": {"bearer": "literal"}, "headers": {"X-A": "${A}"}}, variables={"A": "a-value"})
    assert made.warnings == ()
    assert made.services["shop"].settings().headers["X-A"] == Secret("a-value")


@pytest.mark.parametrize(
    ("service", "message"),
    [
        (
            {"retries": 3},
            "services.shop.retries: unknown key `retries` in service `shop`\n      did you mean `retry: {attempts: 3}`?",
        ),
        (
            {"timeout": {"total": "soon"}},
            "services.shop.timeout.total: `timeout.total` of service `shop`: expected a duration",
        ),
        (
            {"description": object()},
            "services.shop.description: `description` of service `shop`: expected a text, found a Python object",
        ),
        ({"description": Secret("x")}, "services.shop.description: `description` of service `shop`: expected a text"),
        ({"operations": {"op": {"get": "x"}}}, "services.shop.operations.op.get: `get` of operation `shop.op`"),
        (
            {"operations": {"op": {"post": "/", "json": 5}}},
            "services.shop.operations.op.json: `json` of operation `shop.op`",
        ),
        ({1: 2}, "services.shop.1: unknown key `1` in service `shop`"),
        (
            {"headers": {"X-A": b"bytes"}},
            "services.shop.headers.X-A: `headers.X-A` of service `shop`: expected one value",
        ),
    ],
)
def test_errors_name_the_path(service, message):
    assert message in errors(sheet, service)


def test_secrets_are_not_for_every_service():
    assert "`${...}` is not allowed in `defaults`" in errors(sheet, {}, defaults={"headers": {"A": Secret("x")}})


def test_data_that_holds_itself():
    data: dict = {}
    data["headers"] = data
    assert "nested more than 50 deep" in errors(sheet, data)


def test_services_that_are_no_mapping():
    assert "`services` of the sheet: expected a mapping" in errors(Sheet, ["shop"])
    assert "there are no `services`" in errors(Sheet, {})
