"""The lines of the guide, before the real thing."""

import re
from pathlib import Path

import pytest

from callsheet import AsyncClient, Client, Sheet
from tests.loops import COLOURS, run
from tests.real.conftest import ROWS

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "pages.md"
WRITTEN = dict(re.findall(r"^\| ([^|]+) \| `(paginate: \{.*\})`.*\|$", GUIDE.read_text("utf-8"), re.MULTILINE))
ALL = [{"id": number, "name": f"row {number}"} for number in range(1, ROWS + 1)]
SERVERS = [
    pytest.param("datasette_url", "get: /shop/items.json, query: {_shape: {type: string, value: objects}}", WRITTEN["datasette"], marks=pytest.mark.needs("datasette"), id="datasette"),
    pytest.param("json_server_url", "get: /items, query: {_page: {type: integer, value: 1}}", WRITTEN["json-server"], marks=pytest.mark.needs("node", "json-server"), id="json-server"),
    *(
        pytest.param("drf_url", f"get: /{style}/", WRITTEN[f"Django REST framework, by {style}"], marks=pytest.mark.needs("rest_framework"), id=f"drf-{style}")
        for style in ("page", "offset", "cursor")
    ),
]  # fmt: skip


def sheet(url, operation, paginate):
    text = f"callsheet: 1\nservices:\n  it:\n    base_url: {url}\n    operations:\n      list: {{{operation}, {paginate}}}\n"
    return Sheet.parse(text)


def walked(colour, declared, **options):
    """The items, and where to go on after each page."""
    told = []
    if colour == "blocking":
        with Client(declared) as client:
            return list(client.items("list", on_page=told.append, **options)), told

    async def steps():
        async with AsyncClient(declared) as client:
            return [item async for item in client.items("list", on_page=told.append, **options)]

    return run(steps(), colour), told


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(("server", "operation", "paginate"), SERVERS)
def test_every_item_comes_once_in_order(server, operation, paginate, colour, request):
    declared = sheet(request.getfixturevalue(server), operation, paginate)
    items, told = walked(colour, declared)
    assert items == ALL
    assert (told[-1], len(told) > 1) == (None, True)
    rest, _ = walked(colour, declared, from_position=told[0])
    assert rest == ALL[-len(rest) :]
    assert 0 < len(rest) < ROWS
    assert walked(colour, declared, prefetch=3)[0] == ALL


@pytest.mark.needs("rest_framework")
@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("style", ["page", "offset"])
def test_numbers_with_a_count_come_in_parallel(style, colour, drf_url):
    declared = sheet(drf_url, f"get: /{style}/", WRITTEN[f"Django REST framework, by {style}"])
    assert walked(colour, declared, concurrency=5)[0] == ALL


@pytest.mark.needs("rest_framework")
def test_the_url_of_a_next_page_may_be_followed_in_any_style(drf_url):
    for style in ("page", "offset", "cursor"):
        declared = sheet(drf_url, f"get: /{style}/", "paginate: {next: next, items: results}")
        assert walked("blocking", declared)[0] == ALL
    declared = sheet(
        drf_url,
        "get: /page/",
        "paginate: {page: page, size: {name: page_size, value: 500}, items: results, total: count}",
    )
    with Client(declared) as client:
        assert [len(page.items) for page in client.pages("list")] == [500, 500, 234]


@pytest.mark.needs("datasette")
def test_the_kind_is_guessed_from_an_answer(datasette_url, drf_url):
    from callsheet import UsageError

    for url, operation, guessed in (
        (datasette_url, "get: /shop/items.json, params: {_shape: objects}", "{link: next, items: rows}"),
        (drf_url, "get: /page/", "{next: next, items: results, total: count}"),
    ):
        with Client(sheet(url, operation, "summary: x")) as client:
            client.call("list")
            with pytest.raises(UsageError) as told:
                client.items("list")
        assert guessed in str(told.value)
