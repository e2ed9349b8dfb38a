"""One test of the suite, played to a client: its requests in order, and whether each answer is what the test wants.

The rules are those of the suite's own client, for a browser: a request that is `setup` prepares the test, and what goes wrong
there says nothing about the cache.
"""

import asyncio
import json
import uuid
from datetime import UTC, datetime
from typing import NamedTuple

PAUSE = 3.0
"""Seconds for which `pause_after` waits: what the suite's times are made for."""
DATES = {"date", "expires", "last-modified", "if-modified-since", "if-unmodified-since"}
PLACES = {"location", "content-location"}
NO_BODY = {204, 304}
NOT_CONDITIONAL = 999
"""The status with which the server answers a request that should have been conditional."""


class Answer(NamedTuple):
    """What a client gave; `fields` by lower-case name, those of several lines joined."""

    status: int
    fields: dict
    text: str


class Failed(Exception):
    """The test is not passed; `in_setup` if that says nothing about the cache."""

    def __init__(self, message, *, in_setup):
        super().__init__(message)
        self.in_setup = in_setup


def joined(pairs):
    """Header lines by lower-case name."""
    fields = {}
    for name, value in pairs:
        known = fields.get(name.lower())
        fields[name.lower()] = value if known is None else f"{known}, {value}"
    return fields


def check(holds, message, request=None, about=None):
    """Raise Failed unless it holds; without a request it is about the setup."""
    if not holds:
        in_setup = request is None or request.get("setup") is True or about in request.get("setup_tests", ())
        raise Failed(message, in_setup=in_setup)


async def played(test, fetch):
    """Play a test by `fetch(method, path, fields, body)`. Raises Failed."""
    token = str(uuid.uuid4())
    requests = [{**each, "name": test.name, "id": test.id} for each in test.requests]
    put = await fetch("PUT", f"/config/{token}", [("content-type", "application/json")], json.dumps(requests))
    check(put.status == 201, f"the server did not take the test: {put.status}")
    answers = []
    for number, request in enumerate(requests, 1):
        path = f"/test/{token}" + (f"/{request['filename']}" if "filename" in request else "")
        path += f"?{request['query_arg']}" if "query_arg" in request else ""
        fields = _fields(request, number, answers)
        answer = await fetch(request.get("request_method", "GET"), path, fields, request.get("request_body"))
        answers.append(answer)
        _check_answer(request, number, answer, token)
        if "pause_after" in request:
            await asyncio.sleep(PAUSE)
    state = await fetch("GET", f"/state/{token}", [], None)
    _check_seen(requests, answers, json.loads(state.text) if state.status == 200 else [])


def _fields(request, number, answers):
    fields = [tuple(pair) for pair in request.get("request_headers", ())]
    if request.get("magic_ims"):
        made = answers[-1].fields
        fields = [
            (n, _filled((n, v), made, request)) if n.lower() == "if-modified-since" else (n, v) for n, v in fields
        ]
    if request.get("cache") == "no-cache":  # as a browser's reload sends it
        fields.append(("Cache-Control", "max-age=0"))
    fields += [("Test-Name", request["name"]), ("Test-ID", request["id"]), ("Req-Num", str(number))]
    return [(name, value.strip()) for name, value in fields]  # as browsers do


def _filled(pair, told, request):
    """The value of a field that the test leaves to the time or the place of the server."""
    name, value = pair[0].lower(), pair[1]
    if name in DATES and isinstance(value, int):
        moment = datetime.fromtimestamp(int(told["server-now"]) // 1000 + value, UTC)
        form = "%A, %d-%b-%y %H:%M:%S GMT" if name in request.get("rfc850date", ()) else "%a, %d %b %Y %H:%M:%S GMT"
        return moment.strftime(form)
    if name in PLACES and request.get("magic_locations"):
        return f"{told['server-base-url']}/{value}" if value else told["server-base-url"]
    return value


def _number(text):
    """What the text begins with, as a number; None if that is none."""
    digits = ""
    for character in text or "":
        if not character.isdigit():
            break
        digits += character
    return int(digits) if digits else None


def _check_answer(request, number, answer, token):
    seen = answer.fields.get("request-numbers", "").split()
    check(len(seen) == len(set(seen)), "it sent a request twice")
    count = _number(answer.fields.get("server-request-count"))
    wanted = request.get("expected_type")
    if wanted == "cached" and not (answer.status == 304 and count is None):
        is_cached = count is not None and count < number
        check(is_cached, f"answer {number} does not come from the cache", request, "expected_type")
    if wanted == "not_cached":
        check(count == number, f"answer {number} comes from the cache", request, "expected_type")
    _check_status(request, number, answer)
    _check_fields(request, number, answer)
    _check_body(request, number, answer, token)


def _check_status(request, number, answer):
    message = f"answer {number} has status {answer.status}"
    if "expected_status" in request:
        check(answer.status == request["expected_status"], message, request, "expected_status")
    elif "response_status" in request:
        check(answer.status == request["response_status"][0], message)
    elif answer.status == NOT_CONDITIONAL:
        message = f"request {number} is not conditional"
        check(answer.status != NOT_CONDITIONAL, message, request, "expected_type")
    else:
        check(answer.status == 200, message)


def _check_fields(request, number, answer):
    about = "expected_response_headers"
    for wanted in request.get(about, ()):
        name = (wanted if isinstance(wanted, str) else wanted[0]).lower()
        value = answer.fields.get(name)
        if isinstance(wanted, str):
            check(value is not None, f"answer {number} has no {name}", request, about)
        elif len(wanted) == 2:
            expected = _filled(wanted, answer.fields, request)
            check(value == expected, f"answer {number} has {name}: {value}, not {expected}", request, about)
        elif wanted[1] == "=":
            expected = answer.fields.get(wanted[2].lower())
            check(value == expected, f"answer {number} has {name}: {value}, not {expected}", request, about)
        else:
            is_more = value is not None and (_number(value) or 0) > wanted[2]
            check(is_more, f"answer {number} has {name}: {value}, not above {wanted[2]}", request, about)
    about = "expected_response_headers_missing"
    for name in request.get(about, ()):
        if isinstance(name, str):
            check(name.lower() not in answer.fields, f"answer {number} has {name}", request, about)


def _check_body(request, number, answer, token):
    if request.get("check_body") is False:
        return
    if "expected_response_text" in request:
        expected = request["expected_response_text"]
        check(
            expected is None or answer.text == expected,
            f"answer {number} has another body",
            request,
            "expected_response_text",
        )
    elif request.get("response_body") is not None:
        check(answer.text == request["response_body"], f"answer {number} has another body")
    elif answer.status not in NO_BODY and request.get("request_method") != "HEAD" and "response_body" not in request:
        check(answer.text == token, f"answer {number} has another body")


def _check_seen(requests, answers, seen):
    """Compare the requests that the server saw with those that the test expects."""
    arrived = iter(seen)
    for number, (request, answer) in enumerate(zip(requests, answers, strict=True), 1):
        wanted = request.get("expected_type")
        if wanted == "cached":
            continue
        met = next(arrived, None)
        if wanted == "not_cached":
            check(
                met is not None and met["request_num"] == number,
                f"answer {number} comes from the cache",
                request,
                "expected_type",
            )
        for kind, field in (("etag_validated", "if-none-match"), ("lm_validated", "if-modified-since")):
            if wanted == kind:
                check(met is not None, f"request {number} was not sent", request, "expected_type")
                check(field in met["request_headers"], f"request {number} has no {field}", request, "expected_type")
        about = "expected_request_headers"
        for field in request.get(about, ()):
            check(met is not None, f"request {number} was not sent", request, about)
            if isinstance(field, str):
                check(field.lower() in met["request_headers"], f"request {number} has no {field}", request, about)
            else:
                value = met["request_headers"].get(field[0].lower())
                check(value == field[1], f"request {number} has {field[0]}: {value}", request, about)
        for name, value in (met or {}).get("response_headers", ()):
            sent = ", ".join(value) if isinstance(value, list) else str(value)
            got = answer.fields.get(name.lower())
            check(name.lower() == "date" or got == sent, f"answer {number} has {name}: {got}, not {sent}")
        if "expected_method" in request:
            method = (met or {}).get("request_method")
            check(method == request["expected_method"], f"request {number} was {method}", request, "expected_method")
