"""Answers that one process stored serve the others, by a file and by a Valkey, whoever makes them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from callsheet import AsyncClient, Client, Sheet
from tests.loops import COLOURS, run
from tests.servers import ScriptedServer, answer

ROOT = Path(__file__).parents[2]
IDS = 40
PROGRAM = """
import json, sys
from callsheet import Client, Sheet

sheet, ids = Sheet(**json.loads(sys.argv[1])), range(int(sys.argv[2]))
with Client(sheet) as client:
    shop = client.service("shop")
    found = [shop.call_with_response("get", id=number) for number in ids]
    sys.stdout.write(str(sum(each.from_cache for each in found)))
"""


def sheet_of(url, stores):
    operation = {"get": "/x/{id}", "path": {"id": "integer"}}
    service = {"base_url": url, "cache": "http", "auth": {"bearer": "token-1"}, "operations": {"get": operation}}
    return {"services": {"shop": service}, "stores": stores}


@pytest.fixture(params=["sqlite", "valkey"])
def stores(request, tmp_path):
    if request.param == "sqlite":
        return {"cache": f"sqlite:{tmp_path / 'cache.db'}"}
    return {"cache": request.getfixturevalue("own_valkey").url}


@pytest.fixture
def server():
    with ScriptedServer(lambda _: answer(200, [("Cache-Control", "max-age=3600")], b"kept")) as server:
        yield server


def begun(sheet):
    command = [sys.executable, "-c", PROGRAM, json.dumps(sheet), str(IDS)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(children):
    told = [child.communicate(timeout=60) for child in children]
    assert [error for _, error in told] == [""] * len(children)
    return [int(said) for said, _ in told]


def test_four_processes_share_their_answers(server, stores):
    sheet = sheet_of(server.url, stores)
    hits = sum(ended([begun(sheet) for _ in range(4)]))
    assert hits + len(server.requests) == 4 * IDS
    assert len(server.requests) >= IDS
    before = len(server.requests)
    assert ended([begun(sheet)]) == [IDS]
    assert len(server.requests) == before


@pytest.mark.parametrize("colour", COLOURS)
def test_another_principal_does_not_get_them(server, stores, colour):
    def from_cache(token):
        sheet = sheet_of(server.url, stores)
        sheet["services"]["shop"]["auth"] = {"bearer": token}
        if colour == "blocking":
            with Client(Sheet(**sheet)) as client:
                return client.service("shop").call_with_response("get", id=1).from_cache

        async def main():
            async with AsyncClient(Sheet(**sheet)) as client:
                return (await client.service("shop").call_with_response("get", id=1)).from_cache

        return run(main(), colour)

    assert [from_cache(token) for token in ("token-1", "token-2", "token-1", "token-2")] == [False, False, True, True]
