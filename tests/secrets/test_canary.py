"""A canary in every place a secret can stand, through every way a call can end: it reaches the wire and nothing else."""

import json
import logging
import pickle
import traceback
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, get_args

import pytest

from callsheet import APIError, AsyncClient, Client, Event, Sheet, SheetError
from tests.loops import colours, run
from tests.servers import ScriptedServer, answer_json, answer_with, lose_answer, silence

CANARY = "canary-7f3a9c51"


class Place(NamedTuple):
    """Where a secret stands on a sheet, and how it is given."""

    name: str
    operation: str
    arguments: Mapping[str, Any] = MappingProxyType({})


PLACES = [
    Place("bearer", 'get: /x, auth: {bearer: "${CANARY}"}'),
    Place("bearer from a file", 'get: /x, auth: {bearer: "${file:canary.txt}"}'),
    Place("basic password", 'get: /x, auth: {basic: {username: ada, password: "${CANARY}"}}'),
    Place("api key header", 'get: /x, auth: {api_key: {header: X-API-Key, value: "${CANARY}"}}'),
    Place("api key query", 'get: /x, auth: {api_key: {query: key, value: "${CANARY}"}}'),
    Place("api key cookie", 'get: /x, auth: {api_key: {cookie: key, value: "${CANARY}"}}'),
    Place("header", 'get: /x, headers: {X-Token: "Token ${CANARY}"}'),
    Place("secret path parameter", 'get: "/x/{t}", path: {t: {type: string, secret: true}}', {"t": CANARY}),
    Place("secret query parameter", "get: /x, query: {t: {type: string, secret: true}}", {"t": CANARY}),
    Place("secret header parameter", "get: /x, header: {X-T: {type: string, secret: true}}", {"x_t": CANARY}),
]


def echo(status: int):
    """An answer that tells back the whole request, as careless services do."""

    def told(request):
        document = {"title": "refused", "detail": f"{request.head.decode('latin-1')} is not welcome"}
        return answer_json(document, status, [("Content-Type", "application/problem+json")])

    return answer_with(told)


WAYS = {"success": echo(200), "refused": echo(401), "failed": echo(500), "timeout": silence(), "lost": lose_answer()}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "canary.txt").write_text(CANARY + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sheet_of(place: Place, url: str, folder: Any, settings: str = "", top: str = "") -> Sheet:
    text = f"""
callsheet: 1
{top}
services:
  s:
    base_url: "{url}"
    retry: off
    {settings}
    operations:
      op: {{{place.operation}}}
"""
    return Sheet.parse(text, variables={"CANARY": CANARY}, folder=folder)


class Seen:
    """All that a user, a log or a crash reporter could see of a call."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def look_at(self, thing: Any) -> None:
        self.texts += [repr(thing), str(thing)]

    def look_at_error(self, error: BaseException) -> None:
        self.look_at(error)
        self.texts.append("".join(traceback.format_exception(error)))
        self.texts.append(pickle.dumps(error).decode("latin-1"))
        if isinstance(error, APIError):
            self.look_at(error.request)
            self.look_at(error.request and error.request.headers)
            self.look_at(getattr(error, "response", None))

    def listen(self, event: Any) -> None:
        self.look_at(event)

    listen.wants = get_args(Event)


def in_threads(sheet: Sheet, place: Place, seen: Seen, timeout: float = 0.2) -> None:
    with Client(sheet, listeners=(seen.listen,)) as client:
        seen.look_at(client)
        seen.look_at(client.service("s"))
        try:
            look_at_answer(client.call("op", place.arguments, timeout=timeout), seen)
        except APIError as error:
            seen.look_at_error(error)
        seen.look_at(client.service("s")._maker.plans.plan("op"))


def in_tasks(sheet: Sheet, place: Place, seen: Seen, timeout: float = 0.2, loop: str = "asyncio") -> None:
    async def main() -> None:
        async with AsyncClient(sheet, listeners=(seen.listen,)) as client:
            seen.look_at(client)
            try:
                look_at_answer(await client.call("op", place.arguments, timeout=timeout), seen)
            except APIError as error:
                seen.look_at_error(error)

    run(main(), loop)


def look_at_answer(response: Any, seen: Seen) -> None:
    seen.look_at(response)
    seen.look_at(response.request)
    seen.look_at(response.request.headers)
    seen.look_at(response.headers)
    seen.texts.append(pickle.dumps(response).decode("latin-1"))


def spellings() -> list[str]:
    """The canary as it is, and as Basic spells it."""
    import base64

    return [CANARY, base64.b64encode(f"ada:{CANARY}".encode()).decode()]


@pytest.mark.parametrize("in_colour", colours(in_threads, in_tasks))
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_a_secret_reaches_the_wire_and_nothing_else(place, way, in_colour, folder, caplog):
    caplog.set_level(logging.DEBUG)
    seen = Seen()
    with ScriptedServer(WAYS[way]) as server:
        sheet = sheet_of(place, server.url, folder)
        seen.look_at(sheet)
        seen.look_at(sheet.services["s"])
        seen.look_at(sheet.services["s"].settings("op"))
        in_colour(sheet, place, seen)
        wire = server.requests[0].head.decode("latin-1")
    assert any(spelling in wire for spelling in spellings())
    seen.texts += [record.getMessage() + repr(record.__dict__) for record in caplog.records]
    leaked = [text for text in seen.texts for spelling in spellings() if spelling in text]
    assert not leaked


@pytest.mark.parametrize("in_colour", colours(in_threads, in_tasks))
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_nor_when_tls_fails(place, in_colour, folder, certificates, caplog):
    caplog.set_level(logging.DEBUG)
    seen = Seen()
    with ScriptedServer(echo(200), tls=certificates.untrusted()) as server:
        in_colour(sheet_of(place, server.url, folder, f"tls: {{ca: {certificates.ca_file}}}"), place, seen)
    seen.texts += [record.getMessage() + repr(record.__dict__) for record in caplog.records]
    assert any("TLSError" in text for text in seen.texts)
    assert not [text for text in seen.texts for spelling in spellings() if spelling in text]


@pytest.mark.parametrize("in_colour", colours(in_threads, in_tasks))
@pytest.mark.parametrize("way", ["an answer", "an echo"])
@pytest.mark.parametrize("cache", ["5m", "{mode: http, shared: true}"])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_nor_is_one_in_the_store_of_the_cache(place, cache, way, in_colour, folder):
    fields = [("Cache-Control", "public, max-age=60"), ("Set-Cookie", f"session={CANARY}")]
    answer = answer_json({"n": 1}, headers=fields) if way == "an answer" else echo(200)
    seen = Seen()
    with ScriptedServer(answer) as server:
        sheet = sheet_of(place, server.url, folder, f"cache: {cache}", "stores: {cache: 'sqlite:answers.db'}")
        for _ in range(2):
            in_colour(sheet, place, seen, timeout=5.0)
    kept = b"".join(map(content_of, folder.glob("answers.db*")))
    assert b"cache-control" in kept.lower() or way == "an echo"
    assert not [spelling for spelling in spellings() if spelling.encode() in kept]
    assert not [text for text in seen.texts for spelling in spellings() if spelling in text]


def content_of(file: Any) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:  # SQLite's own, which goes as the file is closed
        return b""


BAD_SHEETS = [
    'callsheet: 1\nservices:\n  s:\n    base_url: http://h\n    auth: {bearer: "${CANARY}", extra: 1}\n',
    "callsheet: 1\nservices:\n  s:\n    base_url: http://h\n    auth: {bearer: canary-7f3a9c51, extra: 1}\n",
    "callsheet: 1\nservices:\n  s:\n    base_url: http://h\n    auth: {bearer: canary-7f3a9c51\n    headers: [}\n",
    'callsheet: 1\nservices:\n  s:\n    base_url: http://h\n    timeout: soon\n    headers: {X-Token: "${CANARY}\\r\\n"}\n',
    'callsheet: 1\nservices:\n  s:\n    base_url: http://h\n    auth: {bearer: ["${CANARY}"]}\n',
    'callsheet: 1\nservices:\n  s:\n    base_url: http://h\n    auth: {basic: {username: a, password: {x: "${CANARY}"}}}\n',
]


@pytest.mark.parametrize("text", BAD_SHEETS)
def test_nor_in_what_is_wrong_with_a_sheet(text, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(SheetError) as caught:
        Sheet.parse(text, variables={"CANARY": CANARY})
    error = caught.value
    shown = [repr(error), str(error), "".join(traceback.format_exception(error)), repr(error.findings)]
    shown += [pickle.dumps(error).decode("latin-1"), caplog.text]
    assert not [text for text in shown if CANARY in text]


def test_the_canary_is_found_where_it_is_shown():
    seen = Seen()
    seen.look_at(json.dumps({"token": CANARY}))
    assert [text for text in seen.texts if CANARY in text]
