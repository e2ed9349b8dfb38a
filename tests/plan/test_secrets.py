"""A secret in query, path, header or credential is sent, and shown nowhere."""

import pickle
import traceback

import pytest

from callsheet import Client
from callsheet.auth.constant import constant_credential
from callsheet.errors import ArgumentError, NotFound
from callsheet.plan.plan import Given
from callsheet.plan.service import ServicePlans
from callsheet.secret import Secret
from callsheet.settings.settings import AuthSettings
from callsheet.sheet import Sheet
from tests.servers import answer, answer_with

CANARY = "canary/7 ü"
CODED = "canary%2F7%20%C3%BC"
SECRET = {"type": "string", "secret": True}
OPERATIONS = {
    "by_path": {"get": "/users/{id}", "path": {"id": SECRET}},
    "by_query": {"get": "/users", "query": {"id": SECRET}},
    "by_header": {"get": "/users", "header": {"X-Id": SECRET}},
}


def echo(request):
    text = f"you sent {request.target} and {request.header('X-Id')}"
    body = b'{"detail": "%s"}' % text.encode("latin-1").decode("latin-1").encode()
    return answer(
        404, {"Content-Type": "application/problem+json", "X-Echo": text.encode("ascii", "replace").decode()}, body
    )


def shown(error, events):
    told = "".join(traceback.format_exception(error))
    return f"{error!r} {told} {error.request!r} {error.request.url} {dict(error.request.headers)} {error.response!r} {error.response.url} {pickle.dumps(error)!r} {events}"


@pytest.mark.parametrize(
    ("operation", "argument", "sent"),
    [("by_path", "id", f"/users/{CODED}"), ("by_query", "id", f"/users?id={CODED}"), ("by_header", "x_id", "/users")],
)
def test_a_secret_parameter_is_sent_and_not_shown(shop, operation, argument, sent):
    with shop(OPERATIONS, script=answer_with(echo)) as service:
        with pytest.raises(NotFound) as caught:
            service.call(operation, {argument: CANARY})
        assert service.sent.target == sent
        assert service.sent.header("X-Id") == (CANARY if operation == "by_header" else None)
        assert "canary" not in shown(caught.value, "")
        assert "***" in str(caught.value)


@pytest.mark.parametrize(
    ("auth", "target", "field"),
    [
        ({"bearer": CANARY}, "/users", ("Authorization", f"Bearer {CANARY}")),
        ({"api_key": {"header": "X-Id", "value": CANARY}}, "/users", ("X-Id", CANARY)),
        ({"api_key": {"query": "key", "value": CANARY}}, f"/users?key={CODED}", ("X-Id", None)),
        ({"api_key": {"cookie": "sid", "value": "canary-7"}}, "/users", ("Cookie", "sid=canary-7")),
        ({"basic": {"username": "ada", "password": "canary-7"}}, "/users", ("Authorization", "Basic YWRhOmNhbmFyeS03")),
        ({"basic": {"username": "canary-7", "password": ""}}, "/users", ("Authorization", "Basic Y2FuYXJ5LTc6")),
        ({"basic": {"username": "canary-7"}}, "/users", ("Authorization", "Basic Y2FuYXJ5LTc6")),
        ({"basic": {"username": "", "password": "canary-7"}}, "/users", ("Authorization", "Basic OmNhbmFyeS03")),
    ],
)
def test_a_credential_is_sent_and_not_shown(shop, auth, target, field):
    with shop(auth=auth, script=answer_with(echo)) as service:
        with pytest.raises(NotFound) as caught:
            service.get("/users")
        assert service.sent.target == target
        assert service.sent.header(field[0]) == field[1]
        assert "canary" not in shown(caught.value, "")
        assert service.sent.header("Authorization") is None or service.sent.header("Authorization")[7:] not in shown(
            caught.value, ""
        )


def test_who_basic_names_is_told_apart_by_what_is_not_empty():
    def identity(**options):
        return constant_credential(
            AuthSettings("basic", {name: Secret(text) for name, text in options.items()})
        ).identity

    assert identity(username="", password="one") != identity(username="", password="two")
    assert identity(username="ada", password="one") == identity(username="ada", password="two")
    assert identity(username="key-1", password="") != identity(username="key-2", password="")


def test_a_secret_typed_into_an_undeclared_path_is_masked(shop):
    with shop(auth={"bearer": "canary-7"}) as service:
        answered = service.get("/users/canary-7", params={"k": "canary-7"})
        assert service.sent.target == "/users/canary-7?k=canary-7"
        assert answered.url.endswith("/users/***?k=***")


def test_a_mounted_secret_in_the_query_is_read_again(tmp_path):
    from callsheet.plan.compile import RequestBase
    from callsheet.secret import MountedFile, Secret
    from callsheet.settings.settings import AuthSettings, Settings

    path = tmp_path / "key"
    path.write_text("first")
    file = MountedFile(path)
    auth = AuthSettings("api_key", {"query": "key", "value": Secret(file)})
    base = RequestBase(Settings("https://shop.test", params={"v": 1}, auth=auth))
    assert (base.query()[0], base.shown_query) == (("v=1", "key=first"), ("v=1", "key=***"))
    path.write_text("second")
    file._looked -= 2.0
    assert base.query() == (("v=1", "key=second"), (Secret("second"),))


def test_a_secret_of_the_sheet_that_is_given_as_an_argument_is_masked():
    sheet = Sheet.parse(
        """
callsheet: 1
services:
  s:
    base_url: http://h
    auth: {bearer: "${T}"}
    operations: {op: {get: "/tokens/{t}", path: {t: string}, query: {q: string}}}
""",
        variables={"T": "token/of-the-sheet"},
    )
    plan = ServicePlans(sheet.services["s"], {}, ()).plan("op")
    request = plan.bind({"t": "token/of-the-sheet", "q": "token/of-the-sheet"}, Given())
    assert request.url == "http://h/tokens/***?q=***"
    assert request.wire_url.startswith("http://h/tokens/token%2Fof-the-sheet?q=token")


@pytest.mark.parametrize("path", ["x{}", "//{}", "/a/../{}", "/a\x01{}"])
def test_nor_does_an_argument_error_quote_one(path):
    token = "token-of-the-sheet"
    with Client(base_url="http://h", auth={"bearer": token}) as client:
        with pytest.raises(ArgumentError) as caught:
            client.get(path.format(token))
        assert token not in str(caught.value)
        with pytest.raises(ArgumentError) as caught:
            client.get("/x", params={token: object()})
        assert token not in str(caught.value)
