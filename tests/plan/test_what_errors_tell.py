"""What the message of an error tells: which call, what the service says, why there was no further attempt."""

import pytest

from callsheet import (
    APIError,
    ArgumentError,
    Client,
    NoAnswer,
    NotFound,
    ServerError,
    Unauthorized,
    UnprocessableContent,
)
from tests.servers import answer, answer_json, lose_answer

FIELDS = {"type": "object"}
OPERATIONS = {
    "get_user": {"get": "/users/{id}", "path": {"id": "string"}},
    "create_user": {"post": "/users", "json": FIELDS},
    "pay": {"post": "/pay", "json": FIELDS, "idempotent": True},
    "change": {"patch": "/users/{id}", "path": {"id": "string"}, "json": FIELDS},
    "export": {"get": "/export", "stream": True},
}
NO_EMAIL = answer_json({"detail": [{"loc": ["body", "email"], "msg": "field required"}]}, 422)
A_POST = "a POST may have been processed: declare `idempotent`, or a key (`idempotency_key`)"


def error_of(service, name, *arguments, **named):
    with pytest.raises(APIError) as caught:
        getattr(service, name)(*arguments, **named)
    return caught.value


def test_a_declared_call_is_named_with_method_and_template(any_shop):
    with any_shop(OPERATIONS, script=NO_EMAIL) as shop:
        error = error_of(shop, "call", "create_user", json={})
        assert isinstance(error, UnprocessableContent)
        told = "422 Unprocessable Content: body.email: field required"
        assert str(error) == f"shop.create_user: POST /users: {told}"
        assert str(error_of(shop, "post", "/users", json={})) == f"shop.post: {told}"


def test_the_filled_path_is_not_told(any_shop):
    with any_shop(OPERATIONS, script=answer(404)) as shop:
        error = error_of(shop, "call", "get_user", id="ada@example.com")
        assert isinstance(error, NotFound)
        assert str(error) == "shop.get_user: GET /users/{id}: 404 Not Found"


def test_arguments_that_do_not_fit_are_told_with_the_template(any_shop):
    with any_shop(OPERATIONS) as shop:
        assert str(error_of(shop, "call", "get_user")).startswith("shop.get_user: GET /users/{id}: these arguments")


def test_a_stream_and_a_download_quote_the_beginning_of_the_body(any_shop, tmp_path):
    with any_shop(OPERATIONS, script=answer(403, {"Content-Type": "text/plain"}, b"not\x1b[2J yours")) as shop:
        assert str(error_of(shop, "call", "export")) == "shop.export: GET /export: 403 Forbidden: not [2J yours"
        assert str(error_of(shop, "download", "/file", tmp_path / "f")) == "shop.get: 403 Forbidden: not [2J yours"


def test_a_post_that_may_have_been_processed_says_why_it_is_not_tried_again(any_shop):
    with any_shop(OPERATIONS, script=[answer(503), lose_answer(), answer(503), lose_answer()]) as shop:
        for _ in range(2):
            error = error_of(shop, "call", "create_user", json={})
            assert isinstance(error, ServerError | NoAnswer)
            assert (error.stopped_by, error.attempts, error.was_sent) == ("idempotent", 1, True)
            assert str(error).endswith(f"; no further attempt: {A_POST}")
        for method in ("change", "patch"):
            arguments = ("call", "change") if method == "change" else ("patch", "/users/1")
            error = error_of(shop, *arguments, json={}, **({"id": "1"} if method == "change" else {}))
            assert error.stopped_by == "idempotent"
            assert "a PATCH may have been processed" in str(error)
        assert shop.count == 4


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ([answer(503)] * 3, ("call", "pay")),
        ([answer(503)] * 3, ("call", "create_user", "key")),
        ([answer(400)], ("call", "create_user")),
        ([answer(429)] * 3, ("call", "create_user")),
    ],
)
def test_where_it_is_not_the_method_that_forbids_it_it_is_not_told(any_shop, script, arguments):
    verb, operation, *key = arguments
    with any_shop(OPERATIONS, script=script, retry={"backoff": {"first": "1ms", "max": "1ms"}}) as shop:
        error = error_of(shop, verb, operation, json={}, **({"idempotency_key": "k"} if key else {}))
        assert (error.stopped_by, error.attempts) == (None, len(script))
        assert "no further attempt" not in str(error)


def test_without_retries_nothing_is_told_of_them(any_shop):
    with any_shop(OPERATIONS, script=answer(503), retry="off") as shop:
        assert str(error_of(shop, "call", "create_user", json={})) == (
            "shop.create_user: POST /users: 503 Service Unavailable"
        )


def test_a_401_says_that_no_auth_is_declared(any_shop):
    with any_shop(OPERATIONS, script=answer_json({"message": "who are you?"}, 401)) as shop:
        error = error_of(shop, "call", "get_user", id="1")
        assert isinstance(error, Unauthorized)
        assert str(error).endswith("401 Unauthorized: who are you?; no `auth` is declared for this call")
        assert "`auth`" not in str(error_of(shop, "get", "/", headers={"Authorization": "Bearer mine"}))


@pytest.mark.parametrize("settings", [{"auth": {"bearer": "t-12345678"}}, {"headers": {"Authorization": "Own x"}}])
def test_a_401_despite_a_credential_says_nothing_of_it(any_shop, settings):
    with any_shop(OPERATIONS, script=answer(401), **settings) as shop:
        assert str(error_of(shop, "call", "get_user", id="1")) == "shop.get_user: GET /users/{id}: 401 Unauthorized"


def test_a_client_without_a_sheet(server_401):
    with Client(base_url=server_401) as client:
        assert str(error_of(client, "get", "/")) == "api.get: 401 Unauthorized; no `auth` is declared for this call"


@pytest.fixture
def server_401(shop):
    with shop(script=answer(401)) as service:
        yield service.server.url


@pytest.mark.parametrize(
    ("written", "meant"),
    [("GETT", "GET"), ("gett", "GET"), ("GTE", "GET"), ("PSOT", "POST"), ("DELET", "DELETE"), ("PATH", "PATCH")],
)
def test_a_misspelt_method_is_not_sent(any_shop, written, meant):
    with any_shop() as shop:
        error = error_of(shop, "request", written, "/users")
        assert isinstance(error, ArgumentError)
        assert (str(error), error.service) == (f"shop: method `{written.upper()}`: did you mean `{meant}`?", "shop")
        assert shop.count == 0


@pytest.mark.parametrize("method", ["get", "TRACE", "PURGE", "PROPFIND", "MKCOL", "QUERY", "LOCK", "BREW"])
def test_any_other_method_is(any_shop, method):
    with any_shop() as shop:
        shop.request(method, "/users")
        assert shop.sent.method == method.upper()


def test_a_type_that_cannot_be_imported_says_where_it_was_looked_for(tmp_path, monkeypatch):
    sheet = tmp_path / "callsheet.yaml"
    sheet.write_text(
        "callsheet: 1\nservices:\n  s:\n    base_url: http://127.0.0.1:9\n    operations:\n"
        '      a: {get: /, returns: "absent_models:User"}\n      b: {get: /, returns: "absent.deep:User"}\n'
        '      c: {get: /, returns: "json:Nothing"}\n'
    )
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    with Client(sheet) as client:
        told = str(error_of(client, "call", "a"))
        assert f"cannot import 'absent_models': No module named 'absent_models'; looked in {tmp_path}/elsewhere" in told
        assert told.endswith("the installed packages")
        assert "No module named 'absent'; looked in" in str(error_of(client, "call", "b"))
        assert "looked in" not in str(error_of(client, "call", "c"))
    (tmp_path / "absent_models.py").write_text("")
    with Client(sheet) as client:
        assert str(error_of(client, "call", "a")).endswith(
            f"it is in {tmp_path}, beside the sheet: put that into PYTHONPATH"
        )
