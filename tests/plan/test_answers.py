"""Error rules, envelopes and fallbacks from the sheet to the result, in both colours, over real sockets."""

import gzip
import json

import pytest
from pydantic import BaseModel

from callsheet import (
    ApplicationError,
    AsyncClient,
    Client,
    HTTPError,
    NotFound,
    RateLimited,
    ServerError,
    Sheet,
    SheetError,
    Unauthorized,
)
from callsheet.practice.models import User
from tests.loops import COLOURS, new_runner
from tests.servers import answer, answer_json

pytest.importorskip("uvicorn")

from callsheet.practice import PracticeServer

ENVELOPE = {"ok": {"path": "code", "equals": 0}, "data": "data", "message": "msg"}
QUICK = {"retry": {"backoff": {"first": "1ms"}}}
OPERATIONS = {
    "get_user": {"get": "/envelope/users/{id}", "returns": User},
    "list_users": {"get": "/envelope/users"},
    "flaky": {"get": "/envelope/flaky/{key}", "query": {"failures": "integer"}},
    "post_flaky": {"post": "/envelope/flaky/{key}"},
    "post_flaky_twice": {"post": "/envelope/flaky/{key}", "idempotent": True},
    "find_user": {
        "get": "/envelope/users/{id}",
        "returns": User,
        "errors": [{"when": {"path": "code", "equals": 404}, "then": "ignore"}],
    },
    "get_open_user": {"get": "/users/{id}", "envelope": "off", "returns": User},
}
SERVICE = {
    **QUICK,
    "envelope": ENVELOPE,
    "errors": [{"when": {"path": "code", "equals": 1001}, "then": "retry", "raise": "ServiceBusy"}],
}


class Caller:
    """A service of either colour, each call run to its end."""

    def __init__(self, service, run):
        self._service = service
        self._run = run

    def __getattr__(self, name):
        begin = getattr(self._service, name)
        return lambda *arguments, **named: self._run(begin(*arguments, **named))


@pytest.fixture(scope="module")
def practice():
    with PracticeServer() as server:
        yield server


@pytest.fixture(params=COLOURS)
def practiced(request, practice):
    """The practice API's envelopes, by a client of each colour."""
    sheet = Sheet(services={"api": {"base_url": practice.url, "operations": OPERATIONS, **SERVICE}})
    if request.param == "blocking":
        with Client(sheet) as client:
            yield Caller(client.service("api"), lambda result: result)
        return
    with new_runner(request.param) as runner:
        client = AsyncClient(sheet)
        yield Caller(client.service("api"), runner.run)
        runner.run(client.aclose())


@pytest.fixture
def key(request):
    """A key of the practice API that no other test uses."""
    return request.node.name.replace("[", "-").rstrip("]")


def test_the_data_is_the_result(practiced):
    assert practiced.call("get_user", id=1) == User(
        id=1, name="Grace Hopper", email="grace@example.com", status="active"
    )
    assert practiced.call("list_users")[0]["name"] == "Grace Hopper"
    assert practiced.call("get_open_user", id=1).name == "Grace Hopper"


def test_a_business_code_passes_or_is_raised(practiced, key):
    assert practiced.call("flaky", key=key) == {"key": key, "attempt": 3}
    with pytest.raises(ApplicationError.named("ServiceBusy"), match="200 OK, code 1001: busy, try again") as caught:
        practiced.call("flaky", key=f"{key}-2", failures=9)
    assert caught.value.attempts == 3


def test_a_post_is_tried_again_only_if_it_may_be_sent_twice(practiced, key):
    with pytest.raises(ApplicationError) as caught:
        practiced.call("post_flaky", key=key)
    assert caught.value.attempts == 1
    assert practiced.call("post_flaky_twice", key=f"{key}-2")["attempt"] == 3


def test_a_code_that_an_operation_ignores_is_none(practiced):
    assert practiced.call("find_user", id=999) is None
    assert practiced.call("find_user", id=1).id == 1


def test_undeclared_requests_are_under_the_same_rules(practiced, key):
    assert practiced.get("/envelope/users/1").json()["data"]["id"] == 1
    with pytest.raises(ApplicationError) as caught:
        practiced.get("/envelope/users/999")
    assert (caught.value.code, caught.value.message) == (404, "no such user")
    assert practiced.get("/envelope/users/999", raise_for_status=False).json()["code"] == 404
    assert practiced.call("get_user", id=999, raise_for_status=False).json()["code"] == 404
    assert practiced.get(f"/envelope/flaky/{key}").attempts == 3
    assert practiced.get("/users/1").json()["id"] == 1


GET = {"get": "/x", "returns": {"type": "object"}}


def test_the_consequences_one_by_one(any_shop):
    rules = [
        {"when": {"path": "error.kind", "matches": "^quota"}, "then": "rate_limited"},
        {"when": {"status": "4xx", "path": "error.kind", "equals": "token"}, "then": "refresh_token"},
        {"when": {"status": [404, 410]}, "then": "ignore"},
        {"when": {"path": "error.kind"}, "then": "fail", "raise": "NotFound", "message": "error.0.text"},
    ]
    answers = [
        answer_json({"error": {"kind": "quota-day"}}),
        answer_json({"error": {"kind": "token"}}, 400),
        answer_json({}, 410),
        answer_json({"error": {"kind": 5}}),
        answer_json({"id": 7}),
    ]
    with any_shop({"op": GET}, script=answers, errors=rules, retry="off") as service:
        for kind in (RateLimited, Unauthorized, None, NotFound):
            if kind is None:
                assert service.call("op") is None
                continue
            with pytest.raises(kind):
                service.call("op")
        assert service.call("op") == {"id": 7}


def test_a_coded_body_is_looked_into(any_shop):
    def coded(value):
        body = gzip.compress(json.dumps(value).encode())
        return answer(200, {"Content-Type": "application/json", "Content-Encoding": "gzip"}, body)

    script = [coded({"code": 1001}), coded({"code": 0, "data": {"id": 7}})]
    with any_shop({"op": GET}, script=script, **SERVICE) as service:
        assert service.call("op") == {"id": 7}


def test_a_download_fails_by_the_rules_of_statuses(any_shop, tmp_path):
    rules = [
        {"when": {"status": 404}, "then": "fail", "raise": "NoSuchFile", "message": "why"},
        {"when": {"status": 410}, "then": "ignore"},
    ]
    script = [answer_json({"why": "gone"}, 404), answer_json({}, 410)]
    with any_shop(script=script, errors=rules) as service:
        with pytest.raises(ApplicationError.named("NoSuchFile")) as caught:
            service.download("/x", tmp_path / "x")
        assert caught.value.message == "gone"
        with pytest.raises(HTTPError, match="410 Gone, where 200 was expected for a file"):
            service.download("/x", tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


class Point(BaseModel):
    x: int
    y: int = 0


def stand_in(error):
    return {"instead of": type(error).__name__}


async def slow_stand_in(error):
    return {}


def no_argument():
    return {}


class Slow:
    async def __call__(self, error):
        return {}


DOWN = answer_json({}, 503)


def test_a_fallback_is_of_the_declared_type(any_shop):
    operation = {"get": "/x", "returns": Point, "fallback": {"value": {"x": 1}}}
    with any_shop({"op": operation}, script=DOWN, **QUICK) as service:
        assert service.call("op") == Point(x=1, y=0)
        assert service.count == 3


@pytest.mark.parametrize("function", [stand_in, f"{__name__}:stand_in"])
def test_a_function_as_fallback(any_shop, function):
    operation = {"get": "/x", "returns": Point, "fallback": {"python": function}}
    with any_shop({"op": operation}, script=DOWN, retry="off") as service:
        assert service.call("op") == {"instead of": "ServerError"}


def test_a_fallback_of_the_service_is_for_its_typed_operations(any_shop):
    operations = {
        "typed": GET,
        "off": {**GET, "fallback": "off"},
        "untyped": {"get": "/x"},
        "streamed": {"get": "/x", "stream": True},
    }
    with any_shop(operations, script=DOWN, fallback={"value": {}}, retry="off") as service:
        assert service.call("typed") == {}
        for failing in ("off", "untyped", "streamed"):
            with pytest.raises(ServerError):
                service.call(failing)
        with pytest.raises(ServerError):
            service.get("/x")


@pytest.mark.parametrize(
    ("fallback", "message"),
    [
        ({"value": {"y": 1}}, "`fallback.value` is not of the type that `returns` declares: x: Field required"),
        ({"value": None}, "`fallback.value` is not of the type that `returns` declares: Input should be"),
        ({"value": {"x": object()}}, "`fallback.value` has no JSON form"),
        ({"python": "no_such_module:f"}, "cannot import 'no_such_module'"),
        ({"python": f"{__name__}:nope"}, f"module {__name__!r} has no 'nope'"),
        ({"python": f"{__name__}:GET"}, f"`{__name__}:GET` is no function but dict"),
        ({"python": slow_stand_in}, "`slow_stand_in` is a coroutine function; write a plain one"),
        ({"python": Slow()}, "is a coroutine function"),
        ({"python": no_argument}, "cannot be called with one argument, the error"),
    ],
)
def test_a_fallback_that_cannot_be_is_told_when_the_operation_is_compiled(shop, fallback, message):
    operation = {"get": "/x", "returns": Point, "fallback": fallback}
    with shop({"op": operation}) as service, pytest.raises(SheetError) as caught:
        service.call("op")
    (kind,) = fallback
    assert str(caught.value).startswith(f"services.shop.operations.op.fallback.{kind}: ")
    assert message in str(caught.value)


def test_a_builtin_that_does_not_tell_its_arguments_is_taken_at_its_word(any_shop):
    operation = {"get": "/x", "returns": "object", "fallback": {"python": vars}}
    with any_shop({"op": operation}, script=DOWN, retry="off") as service:
        assert service.call("op")["operation"] == "op"
