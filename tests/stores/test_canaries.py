"""No secret, and no cookie, lands in any store of answers, whichever way it stands in a request or an answer."""

import base64
from urllib.parse import quote

import pytest

from callsheet import AsyncClient, Client, Sheet
from tests.loops import COLOURS, run
from tests.servers import ScriptedServer, answer
from tests.stores.caches import KINDS, new_place

CANARY = 'canary7f/3a+9c"51&=% x'
COOKIE = "cookie-canary-2b"
KEPT = [("Cache-Control", "max-age=3600"), ("ETag", '"kept"'), ("Set-Cookie", f"sid={COOKIE}"), ("Set-Cookie2", COOKIE)]
WAYS = {
    "bearer": {"auth": {"bearer": "${S}"}},
    "basic": {"auth": {"basic": {"username": "${S}", "password": "${S}"}}},
    "key in a header": {"auth": {"api_key": {"header": "X-Key", "value": "${S}"}}},
    "key in the query": {"auth": {"api_key": {"query": "key", "value": "${S}"}}},
    "a header of the sheet": {"headers": {"Authorization": "Token ${S}"}},
    "a cookie of the call": {},
}


def spellings(secret):
    """How it may be written somewhere."""
    told = [secret, quote(secret, safe=""), quote(secret), base64.b64encode(secret.encode()).decode()]
    return {each.encode() for each in (*told, base64.b64encode(f"{secret}:{secret}".encode()).decode(), secret[:9])}


def sheet_of(way, url, stores, ttl):
    operation = {"get": "/x/{id}", "path": {"id": "string"}}
    service = {"base_url": url, "retry": "off", "cache": ttl, **WAYS[way], "operations": {"get": operation}}
    return Sheet(services={"shop": service}, stores=stores, variables={"S": CANARY})


def calls(sheet, colour, way):
    """Call twice and give whether the second answer came from the cache, with what the client's store holds in memory."""
    options = {"headers": {"Cookie": f"c={COOKIE}"}} if way == "a cookie of the call" else {}
    if colour == "blocking":
        with Client(sheet) as client:
            found = [client.service("shop").call_with_response("get", id="7", **options) for _ in range(2)]
            return [each.from_cache for each in found], held_by(client)

    async def main():
        async with AsyncClient(sheet) as client:
            found = [await client.service("shop").call_with_response("get", id="7", **options) for _ in range(2)]
            return [each.from_cache for each in found], held_by(client)

    return run(main(), colour)


def held_by(client):
    """The entries of a store in memory, as text."""
    stores = [getattr(each, "_store", each) for each in client._wiring._stores.values()]
    return repr([store._kept for store in stores if hasattr(store, "_kept")]).encode()


def content_of(kind, place, valkey):
    """Every byte that the store has."""
    if kind == "memory":
        return b""
    if kind == "sqlite":
        return b"".join(each.read_bytes() for each in place.parent.glob(f"{place.name}*"))
    found = b""
    with valkey.client() as client:
        for name in client.scan_iter(f"{place[1]}:*"):
            found += name.encode() + (repr(client.hgetall(name)).encode() if ":key:" in name else b"")
    return found


@pytest.mark.parametrize("ttl", ["http", "1h"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("colour", COLOURS)
def test_what_is_stored_holds_no_secret(tmp_path, request, colour, kind, way, ttl):
    valkey = request.getfixturevalue("valkey") if kind == "valkey" else None
    place = new_place(kind, tmp_path, valkey.url if valkey else "")
    stores = {"memory": {}, "sqlite": {"cache": f"sqlite:{place}"}, "valkey": {}}[kind]
    if kind == "valkey":
        stores = {"cache": place[0], "prefix": place[1]}
    with ScriptedServer(lambda _: answer(200, KEPT, b"kept")) as server:
        found, held = calls(sheet_of(way, server.url, stores, ttl), colour, way)
    content = held + content_of(kind, place, valkey)
    assert found == [False, True]
    assert b"kept" in content
    assert [each for each in (*spellings(CANARY), COOKIE.encode()) if each in content] == []
