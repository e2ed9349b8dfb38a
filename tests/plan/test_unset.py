"""None, and UNSET, wherever a value can be given."""

import copy
import pickle

import pytest
from pydantic import BaseModel

from callsheet import UNSET, ArgumentError, Unset


class Patch(BaseModel):
    name: str | None = None
    note: str | None = None


NULLABLE = {"type": "object", "required": ["note"], "properties": {"note": {"type": ["string", "null"]}}}
OPERATIONS = {
    "loose": {"post": "/loose", "json": "object"},
    "strict": {"post": "/strict", "json": NULLABLE},
    "patch": {"patch": "/patch", "json": Patch},
    "put": {"put": "/put", "json": Patch},
    "find": {"get": "/find/{id}", "path": {"id": "integer"}, "query": {"q": {"type": "string", "required": True}, "r": "string"}, "header": {"X-C": "string"}},
    "form": {"post": "/form", "form": {"a": "string", "b": {"type": "string", "required": True}}},
    "typed_form": {"post": "/form", "form": Patch},
    "parts": {"post": "/parts", "multipart": {"a": "string", "f": "file"}},
    "ping": {"get": "/ping"},
}  # fmt: skip


@pytest.fixture
def service(any_shop):
    with any_shop(OPERATIONS) as service:
        yield service


def problem(service, operation, **arguments):
    with pytest.raises(ArgumentError) as caught:
        service.call(operation, **arguments)
    return str(caught.value).split("\n", 1)[1].strip()


def test_none_is_null_in_a_json_body_and_unset_is_left_out(service):
    service.call("loose", id=1, note=None, more=UNSET, deep={"a": None, "b": UNSET})
    assert service.sent.body == b'{"id":1,"note":null,"deep":{"a":null}}'
    service.call("loose", json={"note": None, "b": UNSET, "c": [{"d": UNSET}]})
    assert service.sent.body == b'{"note":null,"c":[{}]}'
    service.call("strict", note=None)
    assert service.sent.body == b'{"note":null}'


def test_a_required_field_that_is_unset_is_missing(service):
    assert "required" in problem(service, "strict", note=UNSET)
    assert problem(service, "find", id=UNSET, q=UNSET) == (
        "`id` (path, integer): missing\n   `q` (query, string): missing"
    )
    assert problem(service, "form", b=UNSET) == "`b` (form, string): missing"
    assert problem(service, "find", id=None, q="x") == "`id` (path, integer): missing"


def test_in_query_header_form_and_multipart_both_are_left_out(service):
    for nothing in (None, UNSET):
        service.call("find", id=1, q="x", r=nothing, x_c=nothing)
        assert (service.sent.target, service.sent.header("X-C")) == ("/find/1?q=x", None)
        service.call("form", a=nothing, b="x")
        assert service.sent.body == b"b=x"
        service.call("typed_form", name="x", note=nothing)
        assert service.sent.body == b"name=x"
        service.call("parts", a=nothing, f=b"x")
        assert service.sent.body.count(b"Content-Disposition") == 1


def test_an_empty_text_is_a_text(service):
    service.call("loose", note="")
    assert service.sent.body == b'{"note":""}'
    service.call("find", id=1, q="")
    assert service.sent.target == "/find/1?q="


def test_a_patch_sends_what_was_set_and_other_methods_all(service):
    service.call("patch", json=Patch(note=None))
    assert service.sent.body == b'{"note":null}'
    service.call("patch", note=None)
    assert service.sent.body == b'{"note":null}'
    service.call("put", json=Patch(note="x"))
    assert service.sent.body == b'{"name":null,"note":"x"}'
    service.patch("/x", json=Patch(note=None))
    assert service.sent.body == b'{"note":null}'
    service.request("patch", "/x", json={"many": [Patch(name="a")]})
    assert service.sent.body == b'{"many":[{"name":"a"}]}'
    service.post("/x", json=Patch(note=None))
    assert service.sent.body == b'{"name":null,"note":null}'


def test_unset_in_an_undeclared_request(service):
    service.post("/x", json={"a": UNSET, "b": None}, params={"p": UNSET, "q": [1, UNSET]}, headers={"X-A": UNSET})
    assert (service.sent.body, service.sent.target) == (b'{"b":null}', "/x?q=1")
    assert service.sent.header("X-A") is None
    service.post("/x", data={"a": UNSET, "b": [UNSET, 1]}, json=UNSET)
    assert service.sent.body == b"b=1"
    service.post("/x", files={"a": UNSET, "b": b"x"}, data=UNSET)
    assert service.sent.body.count(b"Content-Disposition") == 1
    service.post("/x", json=None, timeout=UNSET, idempotency_key=UNSET)
    assert (service.sent.body, service.sent.header("Content-Type")) == (b"", None)


def test_unset_for_an_option_is_as_if_it_were_not_written(service):
    service.call("ping", json=UNSET, timeout=UNSET, headers=UNSET, idempotency_key=UNSET)
    service.call("loose", json=UNSET, a=1, headers={"X-A": UNSET})
    assert (service.sent.body, service.sent.header("X-A")) == (b'{"a":1}', None)


def test_unset_stays_one_falsy_object():
    assert not UNSET
    assert repr(UNSET) == "UNSET"
    assert isinstance(UNSET, Unset)
    for other in (copy.copy(UNSET), copy.deepcopy([UNSET])[0], Unset.UNSET):
        assert other is UNSET
    assert all(pickle.loads(pickle.dumps(UNSET, each)) is UNSET for each in range(pickle.HIGHEST_PROTOCOL + 1))


def test_none_and_unset_in_a_list_of_a_query_or_form_are_left_out(shop):
    takes = {"q": "array", "n": {"type": "array", "items": {"type": "integer"}}}
    with shop({"find": {"get": "/find", "query": takes}, "send": {"post": "/send", "form": takes}}) as service:
        service.call("find", q=[UNSET, "a", None], n=[1, None])
        assert service.sent.target == "/find?q=a&n=1"
        service.call("send", q=(None, UNSET), n=[None, 1])
        assert service.sent.body == b"n=1"
