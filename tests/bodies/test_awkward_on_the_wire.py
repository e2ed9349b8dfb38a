"""Awkward strings through real sockets: byte for byte at the server, or a typed error before a byte is sent."""

import re
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from callsheet import ArgumentError, AsyncClient, Client, Sheet
from tests.awkward import STRINGS
from tests.loops import colours, run
from tests.servers import ScriptedServer, answer

SHEET = """
callsheet: 1
services:
  s:
    base_url: "{url}"
    operations:
      path: {{get: "/x/{{text}}"}}
      query: {{get: /x, query: {{text: string}}}}
      header: {{get: /x, header: {{X-Text: string}}}}
      form: {{post: /x, form: {{text: string}}}}
      field: {{post: /x, multipart: {{text: string, file: file}}}}
      filename: {{post: /x, multipart: {{file: file}}}}
"""
BROWSER = {"%0D": "\r", "%0A": "\n", "%22": '"'}


def arguments_of(place: str, text: str) -> dict:
    if place == "header":
        return {"x_text": text}
    if place == "filename":
        return {"file": (text, b"content", "text/plain")}
    return {"text": text, "file": ("f", b"content", "text/plain")} if place == "field" else {"text": text}


def at_the_server(place: str, request) -> str:
    """The text, as an independent reader finds it in what arrived."""
    target = request.head.split(b" ", 2)[1].decode("ascii")
    if place == "path":
        return unquote(target.rpartition("/")[2], errors="strict")
    if place == "query":
        return parse_qsl(urlsplit(target).query, keep_blank_values=True, errors="strict")[0][1]
    if place == "header":
        found = re.search(rb"(?im)^X-Text: ?(.*)\r\n", request.head)
        assert found
        return found[1].decode("latin-1")
    if place == "form":
        return parse_qsl(request.body.decode("ascii"), keep_blank_values=True, errors="strict")[0][1]
    if place == "field":
        boundary = re.search(rb"boundary=(\S+)\r\n", request.head)
        assert boundary
        return request.body.split(b"\r\n\r\n", 1)[1].partition(b"\r\n--" + boundary[1])[0].decode("utf-8")
    found = re.search(rb'filename="([^"]*)"\r\n', request.body)
    assert found
    return found[1].decode("utf-8")


def expected(place: str, text: str) -> str:
    if place == "filename":
        for written, meant in BROWSER.items():
            text = text.replace(meant, written)
    return text


def through_threads(sheet: Sheet, place: str) -> list:
    with Client(sheet) as client:
        return [sent(lambda text=text: client.call(place, arguments_of(place, text))) for text in STRINGS]


def sent(call) -> bool:
    try:
        call()
    except ArgumentError:
        return False
    return True


def through_tasks(sheet: Sheet, place: str, loop: str = "asyncio") -> list:
    async def main() -> list:
        outcomes = []
        async with AsyncClient(sheet) as client:
            for text in STRINGS:
                try:
                    await client.call(place, arguments_of(place, text))
                except ArgumentError:
                    outcomes.append(False)
                else:
                    outcomes.append(True)
        return outcomes

    return run(main(), loop)


@pytest.mark.parametrize("through", colours(through_threads, through_tasks))
@pytest.mark.parametrize("place", ["path", "query", "header", "form", "field", "filename"])
def test_what_was_sent_arrived_as_it_is_and_the_rest_was_not_sent(place, through):
    with ScriptedServer(answer()) as server:
        outcomes = through(Sheet.parse(SHEET.format(url=server.url)), place)
        arrived = [at_the_server(place, request) for request in server.requests]
    were_sent = [text for text, was_sent in zip(STRINGS, outcomes, strict=True) if was_sent]
    assert arrived == [expected(place, text) for text in were_sent]
    assert len(were_sent) > len(STRINGS) // 3
