"""What is wrong with the arguments of a call, all of it at once, before anything is sent."""

import pytest

from callsheet.errors import ArgumentError

USERS = {
    "get_user": {"get": "/users/{id}", "path": {"id": "integer"}},
    "find": {
        "get": "/find",
        "query": {
            "status": {"type": "string", "enum": ["active", "blocked"], "required": True},
            "page": {"type": "integer", "minimum": 1},
            "since": "date",
            "key": {"type": "integer", "secret": True},
        },
        "header": {"X-Request-Id": "string"},
    },
    "ping": {"get": "/ping"},
}


@pytest.fixture
def service(shop):
    with shop(USERS) as service:
        yield service
        assert service.count == 0


def problems(service, operation, **arguments):
    """The lines of the message, but for the first."""
    with pytest.raises(ArgumentError) as caught:
        service.call(operation, **arguments)
    first, *rest = str(caught.value).split("\n")
    assert first == (
        f"shop.{operation}: GET {USERS[operation]['get']}: these arguments do not fit (declared at services.shop.operations.{operation}); "
        "nothing was sent"
    )
    assert (caught.value.service, caught.value.operation, caught.value.was_sent) == ("shop", operation, False)
    return [line.strip() for line in rest]


def test_a_missing_argument(service):
    assert problems(service, "get_user") == ["`id` (path, integer): missing"]
    assert problems(service, "get_user", id=None) == ["`id` (path, integer): missing"]


def test_an_unknown_argument_with_one_close_to_it(service):
    assert problems(service, "find", status="active", pgae=1) == ["`pgae`: unknown; did you mean `page`?"]


def test_an_unknown_argument_with_none_close(service):
    assert problems(service, "find", status="active", colour=1) == [
        "`colour`: unknown; expected `status`, `page`, `since`, `key`, `x_request_id`"
    ]


def test_an_argument_where_there_is_none(service):
    assert problems(service, "ping", colour=1) == ["`colour`: unknown; expected no arguments"]


@pytest.mark.parametrize("name", ["X-Request-Id", "x-request-id", "xRequestId"])
def test_a_headers_own_name_leads_to_its_argument(service, name):
    assert problems(service, "find", status="active", **{name: "7"}) == [
        f"`{name}`: unknown; did you mean `x_request_id`?"
    ]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"page": "two"}, "`page` (query, integer (minimum 1)): Input should be a valid integer, found 'two'"),
        ({"page": True}, "`page` (query, integer (minimum 1)): Input should be a valid integer, found True"),
        ({"page": 0}, "`page` (query, integer (minimum 1)): Input should be greater than or equal to 1, found 0"),
        ({"page": [1]}, "`page` (query, integer (minimum 1)): Input should be a valid integer, found [1]"),
        (
            {"status": "gone"},
            "`status` (query, one of active, blocked): Input should be 'active' or 'blocked', found 'gone'",
        ),
        ({"since": 7}, "`since` (query, date): Input should be a valid date, found 7"),
    ],
)
def test_an_argument_of_another_type(service, arguments, problem):
    assert problems(service, "find", **{"status": "active"} | arguments) == [problem]


def test_a_long_value_is_shown_in_part(service):
    (problem,) = problems(service, "find", status="x" * 1000)
    assert len(problem) < 160
    assert problem.endswith("xxx...")


def test_a_secret_value_is_not_shown(service):
    assert problems(service, "find", status="active", key="canary") == [
        "`key` (query, integer): Input should be a valid integer"
    ]


def test_everything_wrong_is_told_at_once(service):
    assert problems(service, "find", page=0, pgae=1) == [
        "`status` (query, one of active, blocked): missing",
        "`page` (query, integer (minimum 1)): Input should be greater than or equal to 1, found 0",
        "`pgae`: unknown; did you mean `page`?",
    ]


def test_json_where_no_body_is_declared(service):
    assert problems(service, "ping", json={"a": 1}) == ["`json`: this operation declares no body"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none(shop, value):
    with shop({"find": {"get": "/find", "query": {"x": "number"}}}) as service:
        (problem,) = problems(service, "find", x=value)
        assert problem == f"`x` (query, number): expected a finite number, found {value}"


def test_a_name_of_an_option_is_given_in_the_mapping(shop):
    with shop({"find": {"get": "/find", "query": {"timeout": "integer", "headers": "string"}}}) as service:
        service.call("find", {"timeout": 7, "headers": "h"}, timeout=5)
        assert service.sent.target == "/find?timeout=7&headers=h"


def test_an_operation_that_is_not_declared(service):
    from callsheet.errors import UsageError

    with pytest.raises(UsageError, match="service `shop` has no operation `get_usr`; did you mean `get_user`"):
        service.call("get_usr")


@pytest.mark.parametrize("timeout", [0, -1, "soon", {"totl": 1}, float("inf")])
def test_a_timeout_that_is_none(service, timeout):
    with pytest.raises(ArgumentError, match=r"shop\.ping: GET /ping: timeout: "):
        service.call("ping", timeout=timeout)
