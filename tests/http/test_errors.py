"""Every error: whose fault, with which facts, through a pickle and back."""

import copy
import inspect
import pickle
import subprocess
import sys
import traceback

import pytest

from callsheet import errors
from callsheet.errors import (
    APIError,
    ApplicationError,
    Conflict,
    Finding,
    HTTPError,
    ResponseError,
    SheetError,
    UsageError,
    error_for_status,
    known_response_errors,
    response_error,
)
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, APIError)]
REQUEST = Request("GET", "https://shop.test/things", Headers({"X-Trace": "7"}))
FACTS = {
    "service": "shop",
    "operation": "get_thing",
    "attempts": 2,
    "was_sent": True,
    "retry_after": 7.0,
    "stopped_by": "deadline",
    "request": REQUEST,
}


def made(kind):
    if kind is SheetError:
        error = SheetError([Finding("sheet.yaml:3:1", "unknown key", "   3 | x", 3, 1)])
        vars(error).update(FACTS)
        return error
    error = kind("what happened", **FACTS)
    if issubclass(kind, ResponseError):
        error.response = Response(404, request=REQUEST, headers=Headers({"A": "1"}), content=b"gone")
    return error


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("through", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])
def test_an_error_keeps_all_its_facts(kind, through):
    error = made(kind)
    found = through(error)
    assert type(found) is kind
    assert str(found) == str(error)
    for name in FACTS.keys() - {"request"}:
        assert getattr(found, name) == FACTS[name]
    assert found.request.url == REQUEST.url
    if issubclass(kind, ResponseError):
        assert (found.status_code, found.response.content, found.response.headers["a"]) == (404, b"gone", "1")


@pytest.mark.parametrize("kind", CLASSES)
def test_the_facts_have_defaults(kind):
    error = kind("what happened")
    assert (error.service, error.operation, error.attempts, error.retry_after) == (None, None, 0, None)
    assert "what happened" in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if kind is not SheetError])
def test_a_fact_that_the_class_does_not_declare_is_an_error(kind):
    with pytest.raises(TypeError, match=rf"^{kind.__name__}: unknown fact `retry_afer`: did you mean `retry_after`\?$"):
        kind("what happened", attempts=2, retry_afer=7.0)


def test_facts_are_declared_class_by_class():
    assert ApplicationError("sold out", code=17).code == 17
    with pytest.raises(TypeError, match="UsageError: unknown fact `code`: it takes `attempts`, `idempotency_key`, "):
        UsageError("closed", code=17)
    with pytest.raises(TypeError, match="unknown fact `status_code`: "):  # a property, which the answer gives
        errors.NotFound("404", status_code=404)

    class Teapot(errors.HTTPError):
        colour: str = "brown"

    assert (Teapot("418").colour, Teapot("418", colour="blue", attempts=2).colour) == ("brown", "blue")
    assert ApplicationError.named("SoldOut")("sold out", code=17, attempts=2).attempts == 2


def test_the_tree_is_the_one_in_the_docstring():
    told = errors.__doc__ or ""
    assert [kind.__name__ for kind in CLASSES if kind.__name__ not in told] == []


@pytest.mark.parametrize("name", ["ConnectTimeout", "AttemptTimeout", "DeadlinePassed"])
def test_the_three_timeouts_are_timeouts(name):
    assert issubclass(getattr(errors, name), TimeoutError)


def test_only_those_are():
    assert len([kind for kind in CLASSES if issubclass(kind, OSError)]) == 3


def test_a_class_says_whether_the_service_may_have_processed_it():
    assert errors.NotSent("refused").was_sent is False
    assert errors.NoAnswer("lost").was_sent is True
    assert errors.NotFound("404").was_sent is True
    assert errors.LimitReached("full").was_sent is False


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (301, "Redirected"),
        (400, "BadRequest"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "NotFound"),
        (405, "MethodNotAllowed"),
        (409, "Conflict"),
        (410, "Gone"),
        (412, "PreconditionFailed"),
        (413, "ContentTooLarge"),
        (418, "HTTPError"),
        (422, "UnprocessableContent"),
        (429, "RateLimited"),
        (500, "ServerError"),
        (599, "ServerError"),
    ],
)
def test_a_status_has_its_class(status, name):
    assert error_for_status(status).__name__ == name
    assert issubclass(error_for_status(status), HTTPError)


def test_a_sheet_error_tells_every_finding():
    error = SheetError([Finding("a.yaml:1:1", "one", "  1 | x"), Finding("", "two")])
    assert str(error) == "a.yaml:1:1: one\n  1 | x\ntwo"


def test_a_problem_is_on_the_error():
    response = Response(
        404, request=REQUEST, headers=Headers({"Content-Type": "application/problem+json"}), content=b'{"title": "no"}'
    )
    assert errors.NotFound("404", response=response).problem.title == "no"


def test_a_named_application_error_is_one_class_and_pickles():
    kind = ApplicationError.named("OutOfStock")
    assert kind is ApplicationError.named("OutOfStock")
    assert (kind.__name__, kind.__mro__[1]) == ("OutOfStock", ApplicationError)
    error = made(kind)
    error.code, error.message, error.meaning = 17, "sold out", "failed"
    for through in (lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy):
        found = through(error)
        assert type(found) is kind
        assert (str(found), found.code, found.message, found.meaning) == ("what happened", 17, "sold out", "failed")
        assert found.response.content == b"gone"


def test_a_named_application_error_is_made_anew_where_nobody_has_made_it():
    pickled = pickle.dumps(made(ApplicationError.named("MadeElsewhere")))
    program = f"import pickle; e = pickle.loads({pickled!r}); print(type(e).__name__, type(e).__mro__[1].__name__, e)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "MadeElsewhere ApplicationError what happened\n"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("out_of_stock", "is no class name: write it like `OutOfStock`"),
        ("Out Of Stock", "is no class name"),
        ("", "is no class name"),
        ("Ä", "is no class name"),
        ("NotFound", "is an error of Callsheet's own: choose another name"),
        ("NotSent", "is an error of Callsheet's own"),
        ("TimeoutError", "is an exception of Python's own"),
        ("Exception", "is an exception of Python's own"),
    ],
)
def test_a_name_that_would_mislead_is_refused(name, problem):
    with pytest.raises(UsageError) as caught:
        ApplicationError.named(name)
    assert f"{name!r} {problem}" in str(caught.value)


def test_a_rule_may_raise_any_response_error_by_its_name_or_one_of_the_application():
    assert response_error("Conflict") is Conflict
    assert response_error("ApplicationError") is ApplicationError
    assert response_error("OutOfStock") is ApplicationError.named("OutOfStock")
    with pytest.raises(UsageError):
        response_error("NotSent")
    assert {kind for kind in CLASSES if issubclass(kind, ResponseError)} == set(known_response_errors().values())
