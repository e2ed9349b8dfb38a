"""A canary in every place a secret can stand: a careless service tells back all it was sent, and no position, error or frame shows it."""

import asyncio
import base64
import json

import pytest

from callsheet import AsyncClient, Client
from tests.secrets.places import PLACES
from tests.secrets.seen import Hidden, Seen
from tests.secrets.test_everywhere import CANARY, TOKENS, sheet_of, stood_at, tokens  # noqa: F401
from tests.secrets.ways import Way, told
from tests.servers import RefusedPort, ScriptedServer, answer, answer_with

PAGED = {
    "cursor": {"cursor": "cursor", "from": "next", "items": "results"},
    "next": {"next": "next", "items": "results"},
    "total": {"page": "page", "items": "results", "total": "told"},
    "items": {"page": "page", "items": "missing"},
}


def echo(kind):
    """Pages that tell the whole request back: as the cursor, in the URL of the next page, as the total, as a key."""

    def of(request):
        text = told(request)
        following = f"/x?again={text.split('?', 1)[-1].split(' ')[0]}" if kind == "next" else text[:3000]
        body = {"results": [{"id": text}], "next": following, "told": text, text[:2000]: 1}
        return answer(200, {"Content-Type": "application/json"}, json.dumps(body).encode())

    return answer_with(of)


def look_at(seen, thing):
    seen.thing("walk", thing)


def read_position(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


def in_threads(hidden, sheet, seen):
    with Client(sheet, listeners=(seen.listen,)) as client:
        try:
            pages = client.pages("op", hidden.value.arguments)
            look_at(seen, pages)
            for _ in range(3):
                page = next(pages)
                look_at(seen, repr(page))
                seen.text("position", read_position(page.position) + read_position(page.next_position or ""))
        except Exception as error:
            seen.error(error)
            seen.text("position", read_position(getattr(error, "position", None) or ""))


def in_tasks(hidden, sheet, seen):
    async def main():
        async with AsyncClient(sheet, listeners=(seen.listen,)) as client:
            try:
                pages = client.pages("op", hidden.value.arguments)
                for _ in range(3):
                    page = await anext(pages)
                    seen.text("position", read_position(page.position) + read_position(page.next_position or ""))
            except Exception as error:
                seen.error(error)
                seen.text("position", read_position(getattr(error, "position", None) or ""))

    asyncio.run(main())


@pytest.mark.parametrize("kind", PAGED)
@pytest.mark.parametrize("place", PLACES)
def test_no_position_error_or_frame_of_a_walk_shows_a_secret(place, kind, tmp_path):
    seen = Seen()
    with ScriptedServer(echo(kind)) as server, RefusedPort() as refused:
        hidden = Hidden(stood_at(place, CANARY, tmp_path, server.url, refused.url))
        sheet = sheet_of(hidden, Way(None, {}, {"paginate": PAGED[kind]}), server.url, {"CANARY": CANARY})
        in_colour = in_tasks if (len(place) + len(kind)) % 2 else in_threads
        in_colour(hidden, sheet, seen)
    assert seen.leaks(hidden.value.canaries or (CANARY,)) == []
