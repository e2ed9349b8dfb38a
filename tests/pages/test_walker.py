"""Whatever a service does, a walk ends, and tells no item twice."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.errors import APIError, PageLoop, Refused
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.many.pages import PageAnswer, Walker
from callsheet.many.positions import Position, read, written
from callsheet.settings.pages import Paginate
from callsheet.values.page_items import PageReader

MOST = 30
TOTALS = st.one_of(st.none(), st.integers(0, 40), st.just("7"))
FLAGS = st.sampled_from([None, True, False])


def settings_of(kind, **more):
    name = {"link": "next", "next": "next"}.get(kind, kind)
    return Paginate(
        kind, name, source="next" if kind == "cursor" else None, items="results", total="total", has_more="more",
        max_pages=MOST, **more,
    )  # fmt: skip


def answered(settings, document, url, link=None):
    headers = [("Content-Type", "application/json"), *([("Link", f'<{link}>; rel="next"')] if link else [])]
    content = json.dumps(document).encode()
    response = Response(200, request=Request("GET", url, Headers()), headers=Headers(headers), content=content)
    return PageAnswer(response, PageReader(settings, None)(response), url, lambda found: f"https://x.example{found}")


def walked(settings, serve):
    """The items that a walk tells, how many requests it made, and the error that ended it."""
    walker, told, requests = Walker(settings), [], 0
    position, last = walker.first(), None
    try:
        while position is not None:
            if last is not None:
                walker.admit(position, last.response)
            requests += 1
            last = serve(position.at)
            following = walker.after(position, last)
            walker.check(position, last)
            told += last.content.items
            position = following
    except APIError as error:
        return told, requests, error
    return told, requests, None


@st.composite
def graphs(draw):
    """Pages that lead to each other in any way: to themselves, in circles, past empty ones; totals and flags say anything."""
    count = draw(st.integers(1, 7))
    sizes = draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
    edges = draw(st.lists(st.one_of(st.none(), st.just(""), st.integers(0, count - 1)), min_size=count, max_size=count))
    first = iter(range(1000))
    rows = [[{"id": next(first)} for _ in range(size)] for size in sizes]
    return [(rows[at], edges[at], draw(TOTALS), draw(FLAGS), draw(st.booleans())) for at in range(count)]


@given(graphs(), st.sampled_from(["cursor", "next", "link"]), st.sampled_from(["empty", "absent"]))
def test_whatever_leads_where_the_walk_ends_and_tells_no_item_twice(graph, kind, end):
    settings = settings_of(kind, **({"end": end} if kind == "cursor" else {}))
    noise = iter(range(10_000))

    def serve(at):
        number = 0 if at in (None, "") else int(str(at).rpartition("/")[2])
        rows, edge, total, more, is_noisy = graph[number]
        token = edge if kind == "cursor" or not isinstance(edge, int) else f"/pages/{edge}"
        document = {"results": rows, "next": token, "total": total, "more": more}
        if is_noisy:
            document["request_id"] = next(noise)
        url = at if isinstance(at, str) and at.startswith("https") else "https://x.example/first"
        return answered(settings, document, url, link=token if kind == "link" else None)

    told, requests, error = walked(settings, serve)
    ids = [item["id"] for item in told]
    assert len(ids) == len(set(ids))
    assert requests <= len(graph) + 1
    assert error is None or isinstance(error, PageLoop)


@given(
    st.sampled_from(["page", "offset"]), st.lists(st.integers(0, 4), max_size=12), TOTALS, FLAGS,
    st.sampled_from(["plain", "clamps", "ignores", "caps"]),
)  # fmt: skip
def test_whatever_numbers_give_the_walk_ends_and_tells_no_item_twice(kind, sizes, total, more, habit):
    settings = settings_of(kind)
    everything = [{"id": number} for number in range(sum(sizes))]

    def page(number):
        at = {"clamps": min(number, len(sizes)), "ignores": 1}.get(habit, number)
        return everything[sum(sizes[: at - 1]) : sum(sizes[:at])]

    def offset(number):
        at = {"clamps": min(number, max(len(everything) - 1, 0)), "ignores": 0}.get(habit, number)
        return everything[at : at + (2 if habit == "caps" else 3)]

    def serve(at):
        rows = page(at) if kind == "page" else offset(at)
        return answered(settings, {"results": rows, "total": total, "more": more}, "https://x.example/first")

    told, requests, error = walked(settings, serve)
    ids = [item["id"] for item in told]
    assert requests <= MOST + 1
    if habit != "clamps":  # a service that moves the start of a page may well give an item twice
        assert len(ids) == len(set(ids))
    assert error is None or isinstance(error, PageLoop)


@given(st.integers(1, 8), st.integers(1, 30))
def test_no_item_of_an_honest_service_is_lost(size, count):
    rows = [{"id": number} for number in range(count)]
    for kind, settings in (("page", settings_of("page")), ("offset", settings_of("offset"))):

        def serve(at, kind=kind, settings=settings):
            start = (at - 1) * size if kind == "page" else at
            return answered(settings, {"results": rows[start : start + size], "total": count}, "https://x.example/")

        told, requests, error = walked(settings, serve)
        assert (told, error) == (rows, None)
        assert requests == -(-count // size)


def test_pages_of_things_without_identity_may_be_alike():
    settings = settings_of("page")
    pages = [["ok"] * 5, ["ok"] * 5, [{"v": 0}] * 3, [{"v": 0}] * 3, []]

    def serve(at):
        return answered(settings, {"results": pages[at - 1]}, "https://x.example/")

    assert walked(settings, serve) == ([each for page in pages for each in page], 5, None)


def test_a_walk_without_end_is_ended():
    settings = settings_of("page")
    told, requests, error = walked(settings, lambda at: answered(settings, {"results": [at]}, "https://x.example/"))
    assert (len(told), requests, type(error)) == (MOST, MOST, Refused)


ATS = {"page": st.integers(0, 10**12), "cursor": st.one_of(st.none(), st.text(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)), "next": st.one_of(st.none(), st.text())}  # fmt: skip


@pytest.mark.parametrize("kind", ATS)
@given(st.data())
def test_a_position_survives_being_written(kind, data):
    position = Position(data.draw(ATS[kind]), data.draw(st.integers(1, 10**9)), data.draw(st.integers(0, 10**12)))
    text = written(position, "shop.list", kind)
    assert read(text, "shop.list", settings_of(kind)) == position
    assert text.isascii()
    assert not set(text) & set("=+/ ")
