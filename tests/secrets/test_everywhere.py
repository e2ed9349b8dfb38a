"""A canary in every place a secret can stand, on every way a call can take, in both colours: nobody sees it but the wire."""

import asyncio
import logging
import threading
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callsheet import AsyncClient, Client, Sheet
from callsheet.testing import Cassette
from tests.loops import COLOURS, LOOPS, run, uvloop
from tests.secrets.places import PLACES, Stood
from tests.secrets.seen import Hidden, Seen, looked_at, spellings
from tests.secrets.ways import WAYS, Way, echo
from tests.servers import RefusedPort, ScriptedServer, answer_with, silence
from tests.servers.token_giver import TokenGiver

CANARY = 'canary7f/3a+9c"51&=% \\x'
NAMES = ("blocking", "asyncio", "uvloop") if uvloop else ("blocking", "asyncio")


def sheet_of(hidden: Hidden, way: Way, url: str, variables: dict[str, str]) -> Sheet:
    stood: Stood = hidden.value
    operation = {"get": "/x", **stood.operation, **way.operation}
    if "post" in operation:
        del operation["get"]
    service = {"base_url": url, "retry": "off", **stood.service, **way.service, "operations": {"op": operation}}
    return Sheet(services={"s": service}, variables=variables, **stood.top)


TOKENS: list[TokenGiver] = []


@pytest.fixture(scope="module", autouse=True)
def tokens():
    """A provider of tokens for the places that need one."""
    with TokenGiver() as giver:
        TOKENS.append(giver)
        yield
        TOKENS.remove(giver)


def stood_at(place: str, canary: str, folder, url: str, refused: str) -> Stood:
    path = folder / "canary.txt"
    path.write_text(canary + "\n")
    stood = PLACES[place](canary, "${file:" + str(path) + "}")
    address = url.removeprefix("http://")
    if "proxy" in stood.service:
        stood = stood._replace(service={"proxy": stood.service["proxy"].replace("PROXY", address)})
    if "oauth2" in stood.service.get("auth", {}):
        options = stood.service["auth"]["oauth2"]
        token_url = options["token_url"].replace("SERVER", url).replace("TOKENS", TOKENS[0].token_url)
        stood = stood._replace(service={"auth": {"oauth2": {**options, "token_url": token_url}}})
    if stood.top:
        stores = {**stood.top["stores"]}
        stores["limits"] = stores["limits"].replace("REFUSED", refused.removeprefix("http://"))
        stood = stood._replace(top={"stores": stores})
    return stood


def in_threads(hidden: Hidden, way: Way, sheet: Sheet, seen: Seen, **options) -> None:
    with Client(sheet, listeners=(seen.listen,), **options) as client:
        seen.thing("client", client)
        for _ in range(way.calls):
            looked_at(seen, lambda: client.call("op", **hidden.value.arguments, **way.arguments, **way.options))


def in_tasks(hidden: Hidden, way: Way, sheet: Sheet, seen: Seen, loop: str = "asyncio", **options) -> None:
    async def main() -> None:
        async with AsyncClient(sheet, listeners=(seen.listen,), **options) as client:
            for _ in range(way.calls):
                try:
                    seen.answer(await client.call("op", **hidden.value.arguments, **way.arguments, **way.options))
                except Exception as error:
                    seen.error(error)

    run(main(), loop)


IN_COLOUR = {"blocking": in_threads, "asyncio": in_tasks, "uvloop": partial(in_tasks, loop="uvloop")}


def look_at_sheet(sheet: Sheet, seen: Seen) -> None:
    service = sheet.services["s"]
    for thing in (sheet, sheet.warnings, service, service.settings("op"), service.settings(), service.secrets("op")):
        seen.thing("sheet", thing)
    for parameter in (*service.operations["op"].parameters, *service.operations["op"].fields):
        seen.thing("parameter", parameter)


def watched(place, way, colour, canary, folder, caplog, capfd) -> tuple[list[str], str]:
    """Where the canary was seen, and what went over the wire."""
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    seen = Seen()
    with ScriptedServer(way.script) as server, RefusedPort() as refused:
        hidden = Hidden(stood_at(place, canary, folder, server.url, refused.url))
        sheet = sheet_of(hidden, way, server.url, {"CANARY": canary})
        look_at_sheet(sheet, seen)
        IN_COLOUR[colour](hidden, way, sheet, seen)
        wire = "".join((each.head + each.body).decode("latin-1") for each in server.requests)
    out = capfd.readouterr()
    seen.text("terminal", out.out + out.err)
    for record in caplog.records:
        seen.text("log", record.getMessage() + repr(record.__dict__) + str(record.exc_text))
    return seen.leaks(hidden.value.canaries or (canary,)), wire


def pairs():
    """Each place with each third way and each way with each third place, by turns in each colour; others are drawn below."""
    for i, place in enumerate(PLACES):
        for j, way in enumerate(WAYS):
            if (i + j) % 3 == 0:
                yield place, way, NAMES[(i + j) // 3 % len(NAMES)]


@pytest.mark.parametrize(("place", "way", "colour"), list(pairs()))
def test_a_secret_reaches_the_wire_and_nobody_else(place, way, colour, tmp_path, caplog, capfd):
    leaks, wire = watched(place, WAYS[way], colour, CANARY, tmp_path, caplog, capfd)
    assert leaks == []
    is_sent = PLACES[place](CANARY, "").is_sent and wire
    assert not is_sent or any(spelling in wire for spelling in spellings(CANARY))


PRINTABLE = st.characters(
    min_codepoint=33, max_codepoint=255, exclude_categories=("Cc", "Zs"), exclude_characters="$*|"
)
CANARIES = st.text(PRINTABLE, min_size=8, max_size=40).map(lambda text: f"c4{text}7y")
SENT_AS_TEXT = sorted(set(PLACES) - {"key of a JWT", "the caller's own header"})


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SENT_AS_TEXT), st.sampled_from(sorted(WAYS)), st.sampled_from(NAMES), CANARIES)
def test_whatever_characters_it_is_made_of(tmp_path_factory, place, way, colour, canary):
    seen = Seen()
    with ScriptedServer(WAYS[way].script) as server, RefusedPort() as refused:
        hidden = Hidden(stood_at(place, canary, tmp_path_factory.mktemp("s"), server.url, refused.url))
        sheet = sheet_of(hidden, WAYS[way], server.url, {"CANARY": canary})
        look_at_sheet(sheet, seen)
        IN_COLOUR[colour](hidden, WAYS[way], sheet, seen)
    assert seen.leaks(hidden.value.canaries or (canary,)) == []


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("place", PLACES)
def test_nor_is_it_seen_where_nobody_answers(place, colour, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    seen = Seen()
    with RefusedPort() as server:
        hidden = Hidden(stood_at(place, CANARY, tmp_path, server.url, server.url))
        way = Way(None)
        sheet = sheet_of(hidden, way, server.url, {"CANARY": CANARY})
        IN_COLOUR[colour](hidden, way, sheet, seen)
    seen.text("log", caplog.text)
    assert any("NotSent" in text for _, text in seen.texts)
    assert seen.leaks(hidden.value.canaries or (CANARY,)) == []


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("place", PLACES)
def test_nor_on_a_cassette(place, colour, tmp_path):
    seen = Seen()
    kept = tmp_path / "kept.json"
    with ScriptedServer(echo(404)) as server, RefusedPort() as refused:
        hidden = Hidden(stood_at(place, CANARY, tmp_path, server.url, refused.url))
        sheet = sheet_of(hidden, Way(None), server.url, {"CANARY": CANARY})
        IN_COLOUR[colour](hidden, Way(None), sheet, seen, transport=Cassette(kept, record="all"))
    seen.text("cassette", kept.read_text())
    assert seen.leaks(hidden.value.canaries or (CANARY,)) == []


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("place", PLACES)
def test_nor_where_a_task_is_cancelled(place, loop, tmp_path):
    seen = Seen()
    arrived = threading.Event()

    def hold(_request):
        arrived.set()
        return silence()

    with ScriptedServer(answer_with(hold)) as server, RefusedPort() as refused:
        hidden = Hidden(stood_at(place, CANARY, tmp_path, server.url, refused.url))
        sheet = sheet_of(hidden, Way(None), server.url, {"CANARY": CANARY})

        async def main():
            async with AsyncClient(sheet, listeners=(seen.listen,)) as client:
                task = asyncio.create_task(client.call("op", **hidden.value.arguments))
                await asyncio.to_thread(arrived.wait, 10)
                task.cancel()
                try:
                    await task
                except asyncio.CancelledError as error:
                    seen.error(error)

        run(main(), loop)
    assert any("CancelledError" in text for _, text in seen.texts)
    assert seen.leaks(hidden.value.canaries or (CANARY,)) == []


def test_the_canary_is_found_in_all_its_spellings():
    for spelling in spellings(CANARY):
        seen = Seen()
        seen.thing("somewhere", Hidden(1))
        assert seen.leaks((CANARY,)) == []
        seen.text("here", f"before{spelling}after")
        assert seen.leaks((CANARY,)) == ["here"]


def test_the_canary_is_found_in_a_frame():
    def fails(token):
        raise ValueError("no")

    seen = Seen()
    hidden = Hidden(CANARY)
    looked_at(seen, lambda: fails(hidden.value))
    assert seen.leaks((CANARY,)) == ["traceback as rich shows it", "traceback with locals"]
