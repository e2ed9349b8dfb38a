"""What becomes text is sent as the sheet spells it, wherever it stands, and a Decimal with all its digits."""

from contextlib import closing
from decimal import Decimal
from urllib.parse import quote, quote_plus

import pytest

from callsheet import Sheet
from callsheet.errors import ArgumentError, SheetError
from tests.auth.worlds import Tasks, Threads
from tests.loops import colours
from tests.servers import ScriptedServer, answer_json

SPELLED = [
    "1.10", "01234", "1e3", "1E3", "0x1F", "0o17", "1_000", "+5", "-0", "1.", ".5", "1.0e+2", "2024-01-01", "12:30:00", "12:30",
    "yes", "no", "on", "off", "NULL_", "12345678901234567890.10", "9" * 30, "1" * 401, ".inf", ".nan", "190:20:30", "0b1", "1,5",
]  # fmt: skip
PLACES = {
    "query": "get: /x\nquery: {v: {value: %s}}",
    "query of a number": "get: /x\nquery: {v: {type: number, value: %s}}",
    "query of a list": "get: /x\nquery: {v: {type: array, value: [%s]}}",
    "query of a list of texts": "get: /x\nquery: {v: {type: array, items: {type: string}, value: [%s]}}",
    "params": "get: /x\nparams: {v: %s}",
    "params of a list": "get: /x\nparams: {v: [%s]}",
    "form": "post: /x\nform: {v: {value: %s}}",
    "form of a number": "post: /x\nform: {v: {type: number, value: %s}}",
    "header": "get: /x\nheader: {X-V: {value: %s}}",
    "headers": "get: /x\nheaders: {X-V: %s}",
    "path": "get: '/x/{v}'\npath: {v: {value: %s}}",
    "multipart": "post: /x\nmultipart: {v: {value: %s}}",
    "secret": "get: /x\nquery: {v: {value: %s, secret: true}}",
}
NUMBERS = frozenset(SPELLED) - {
    "1_000", "2024-01-01", "12:30:00", "12:30", "yes", "no", "on", "off", "NULL_", "1" * 401, ".inf", ".nan", "190:20:30", "0b1", "1,5",
}  # fmt: skip


@pytest.fixture(params=colours(Threads, Tasks))
def called(request):
    """The request of an operation with these lines, as it arrived."""

    def call(lines, arguments=None, variables=None, service=""):
        body = "".join(f"        {line}\n" for line in lines.splitlines())
        with ScriptedServer(answer_json({})) as server:
            text = f"callsheet: 1\nservices:\n  shop:\n    base_url: {server.url}\n{service}    operations:\n      op:\n{body}"
            text += "schemas: {Priced: {type: object, properties: {v: {type: number}}}}\n"
            sheet = Sheet.parse(text, variables=variables or {})
            with closing(request.param(sheet)) as client:
                client.do("call", "op", arguments or {})
            return server.requests[-1]

    return call


def arrived(request, place):
    """Whether the spelling is where it belongs."""
    return {
        "header": lambda text: request.header("X-V") == text,
        "path": lambda text: request.target == f"/x/{quote(text, safe='')}",
        "form": lambda text: request.body == f"v={quote_plus(text)}".encode(),
        "multipart": lambda text: f'name="v"\r\n\r\n{text}\r\n'.encode() in request.body,
    }.get(place.split()[0].rstrip("s"), lambda text: request.target == f"/x?v={quote(text, safe='')}")


@pytest.mark.parametrize("written", SPELLED)
@pytest.mark.parametrize("place", PLACES)
def test_what_becomes_text_keeps_its_spelling(called, place, written):
    if ("number" in place and written not in NUMBERS) or (place == "query of a list" and written in (".inf", ".nan")):
        return
    quoted = f'"{written}"' if "," in written else written
    assert arrived(called(PLACES[place] % quoted), place)(written)


@pytest.mark.parametrize("written", [".inf", ".nan", "yes"])
def test_what_is_no_number_is_refused_as_one(called, written):
    with pytest.raises(SheetError, match="value of `v`"):
        called(f"get: /x\nquery: {{v: {{type: number, value: {written}}}}}")


@pytest.mark.parametrize(("written", "sent"), [("true", "true"), ("TRUE", "true"), ("False", "false")])
@pytest.mark.parametrize("place", ["query", "params", "headers", "form"])
def test_true_and_false_are_sent_as_json_spells_them(called, place, written, sent):
    assert arrived(called(PLACES[place] % written), place)(sent)


@pytest.mark.parametrize("place", ["params", "headers"])
@pytest.mark.parametrize("written", ["~", "null", ""])
def test_null_is_not_written(called, place, written):
    request = called(PLACES[place] % written)
    assert (request.target, request.header("X-V")) == ("/x", None)


@pytest.mark.parametrize("kind", ["number", "string", "integer"])
@pytest.mark.parametrize("text", ["1.10", "007", "1e3"])
def test_a_variable_keeps_its_spelling(called, kind, text):
    if kind == "integer" and text != "007":
        return
    request = called(f"get: /x\nquery: {{v: {{type: {kind}, value: '${{V}}'}}}}", variables={"V": text})
    assert request.target == f"/x?v={text}"


def test_the_values_that_a_text_may_have_are_texts(called):
    lines = "get: /x\nquery: {v: {enum: [1.10, 01, yes]}, w: {type: number, enum: [1.10, 2]}}"
    assert called(lines, {"v": "1.10", "w": 1.1}).target == "/x?v=1.10&w=1.10"
    assert called(lines, {"v": "01", "w": 2}).target == "/x?v=01&w=2"
    with pytest.raises(ArgumentError, match=r"`v` \(query, one of 1.10, 01, yes\)"):
        called(lines, {"v": "1.1"})


def test_the_texts_of_a_json_schema_are_those_that_were_written(called):
    lines = "post: /x\njson: {properties: {v: {type: string, enum: [1.10, 01]}, c: {type: string, const: 1e3}, n: {type: number, const: 1.10}}}"
    assert called(lines, {"v": "1.10", "c": "1e3", "n": 1.1}).body == b'{"v":"1.10","c":"1e3","n":1.1}'
    with pytest.raises(ArgumentError, match="v"):
        called(lines, {"v": "1.1"})


@pytest.mark.parametrize(
    ("auth", "sent"),
    [
        ("{api_key: {header: X-V, value: 01234}}", "01234"),
        ("{api_key: {header: X-V, value: 1e3}}", "1e3"),
        ("{basic: {username: 0123, password: 1.10}}", "Basic MDEyMzoxLjEw"),
        ("{bearer: 1.10}", "Bearer 1.10"),
    ],
)
def test_a_credential_keeps_its_spelling(called, auth, sent):
    request = called("get: /x", service=f"    auth: {auth}\n")
    assert sent in (request.header("X-V"), request.header("Authorization"))


DIGITS = "0.1000000000000000055511151231257827"


@pytest.mark.parametrize("digits", [DIGITS, "1.10", "-0.50", "1E+2", "12345678901234567890.10"])
def test_a_decimal_keeps_its_digits(called, digits):
    value, spelled = Decimal(digits), quote(digits, safe="")
    assert called("get: /x\nquery: {v: number}", {"v": value}).target == f"/x?v={spelled}"
    assert called("get: /x\nquery: {v: string}", {"v": value}).target == f"/x?v={spelled}"
    assert called("get: /x\nquery: {v: array}", {"v": [value]}).target == f"/x?v={spelled}"
    assert called("post: /x\nform: {v: number}", {"v": value}).body == f"v={quote_plus(digits)}".encode()
    assert called("post: /x\nform: Priced", {"v": value}).body == f"v={quote_plus(digits)}".encode()
    schema = "post: /x\njson: {properties: {v: {type: number}, w: {items: {type: number}}}}"
    assert called(schema, {"v": value, "w": [value]}).body == f'{{"v":{digits},"w":[{digits}]}}'.encode()
    assert called("post: /x\njson: object", {"v": {"w": [value]}}).body == f'{{"v":{{"w":["{digits}"]}}}}'.encode()
