"""Server-sent events, by the rules and examples of the HTML standard."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.values.lines import LineSplitter, TooLongError
from callsheet.values.sse import EventParser, ServerSentEvent
from tests.bodies.test_lines import CUTS, cut


def events_of(pieces: list[bytes]) -> tuple[list[ServerSentEvent], EventParser]:
    splitter, parser = LineSplitter(), EventParser()
    lines = [*(line for piece in pieces for line in splitter.feed(piece)), *splitter.end()]
    return [event for line in lines if (event := parser.feed(line))], parser


def seen(stream: str) -> list[tuple[str, str, str]]:
    return [(event.event, event.data, event.id) for event in events_of([stream.encode()])[0]]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        ("", []),
        ("data: a\n\n", [("message", "a", "")]),
        ("data:a\n\n", [("message", "a", "")]),
        ("data:  a\n\n", [("message", " a", "")]),
        ("data: YHOO\ndata: +2\ndata: 10\n\n", [("message", "YHOO\n+2\n10", "")]),
        ("data\n\ndata\ndata\n\ndata:", [("message", "", ""), ("message", "\n", "")]),
        ("data:test\n\ndata: test\n\n", [("message", "test", ""), ("message", "test", "")]),
        ("event: add\ndata: 1\n\ndata: 2\n\n", [("add", "1", ""), ("message", "2", "")]),
        ("event: add\nevent: drop\ndata: 1\n\n", [("drop", "1", "")]),
        ("event: add\nevent\ndata: 1\n\n", [("message", "1", "")]),
        # no data: nothing is dispatched, and the type is forgotten
        ("event: add\n\ndata: 1\n\n", [("message", "1", "")]),
        ("id: 7\n\ndata: 1\n\n", [("message", "1", "7")]),
        ("data: 1\n", []),
        ("data: 1", []),
        ("data: 1\n\ndata: 2\n", [("message", "1", "")]),
        (": comment\ndata: 1\n:\n:data: 2\n\n", [("message", "1", "")]),
        ("data: a:b: c\n\n", [("message", "a:b: c", "")]),
        ("Data: 1\ndatum: 2\n data: 3\n\n", []),
        ("data: 1\r\n\r\ndata: 2\r\rdata: 3\n\n", [("message", "1", ""), ("message", "2", ""), ("message", "3", "")]),
        ("\n\n\n", []),
        ("data: a\u2028b\n\n", [("message", "a\u2028b", "")]),
    ],
)
def test_the_events_of_a_stream(stream: str, events: list[tuple[str, str, str]]) -> None:
    assert seen(stream) == events


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        ("\ufeffdata: 1\n\n", [("message", "1", "")]),
        ("\ufeff\ufeffdata: 1\n\n", []),
        ("data: 1\n\n\ufeffdata: 2\n\n", [("message", "1", "")]),
        ("\ufeff: comment\ndata: 1\n\n", [("message", "1", "")]),
    ],
)
def test_one_byte_order_mark_at_the_start_is_left_out(stream: str, events: list[tuple[str, str, str]]) -> None:
    assert seen(stream) == events


def test_the_last_event_id_persists_until_it_is_set_again() -> None:
    assert seen("id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\nid: 2\ndata: d\n\n") == [
        ("message", "a", "1"),
        ("message", "b", "1"),
        ("message", "c", ""),
        ("message", "d", "2"),
    ]


def test_an_id_with_nul_is_ignored() -> None:
    assert seen("id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n") == [("message", "a", "1"), ("message", "b", "1")]


@pytest.mark.parametrize(
    ("stream", "last"),
    [("id: 1\n\n", "1"), ("id: 1\n", ""), ("id: 1\n\nid: 2\ndata: x\n", "1"), ("id: 1\n\nid:\n\n", "")],
)
def test_the_id_of_an_event_that_never_ended_is_not_the_last(stream: str, last: str) -> None:
    assert events_of([stream.encode()])[1].last_event_id == last


@pytest.mark.parametrize(
    ("value", "retry"),
    [("1500", 1.5), ("0", 0.0), ("007", 0.007), ("", None), ("1.5", None), ("-1", None), ("+1", None), ("1s", None),
     ("\u0661", None), ("²", None), ("1_000", None), ("9" * 400, None), ("9" * 10_000, None)],
)  # fmt: skip
def test_retry_is_ascii_digits_only(value: str, retry: float | None) -> None:
    events, parser = events_of([f"retry: {value}\ndata: x\n\n".encode()])
    assert (parser.retry, events[0].retry) == (retry, retry)


def test_retry_outlasts_its_event() -> None:
    events, _ = events_of([b"retry: 10\n\ndata: a\n\nretry: x\ndata: b\n\n"])
    assert [event.retry for event in events] == [0.01, 0.01]


def test_an_event_without_end_is_stopped() -> None:
    parser = EventParser(longest=100)
    with pytest.raises(TooLongError, match="longer than 100 characters"):
        [parser.feed("data:") for _ in range(200)]
    parser = EventParser(longest=100)
    for _ in range(200):
        parser.feed("data: abc")
        parser.feed("")


STREAMS = st.lists(
    st.sampled_from(
        ["data", "data: a", "event: e", "id: 1", "id: \0", "retry: 5", ":c", "x", "", "\ufeff", "data:é😀"]
    ),
    max_size=12,
).flatmap(lambda lines: st.sampled_from(["\n", "\r\n", "\r"]).map(lambda end: "".join(line + end for line in lines)))


@given(STREAMS, CUTS)
def test_any_pieces_give_the_events_of_the_whole(stream: str, places: list[int]) -> None:
    content = stream.encode()
    assert events_of(cut(content, places))[0] == events_of([content])[0]


PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=8)


@given(st.lists(st.tuples(PLAIN.filter(bool), st.lists(PLAIN, min_size=1, max_size=3), PLAIN)))
def test_any_events_are_read_back(events) -> None:
    stream = "".join(
        f"id: {given}\nevent: {kind}\n" + "".join(f"data: {line}\n" for line in data) + "\n"
        for kind, data, given in events
    )
    assert seen(stream) == [(kind, "\n".join(data), given) for kind, data, given in events]


def test_an_event_of_many_short_lines_takes_the_memory_of_its_data() -> None:
    count = 10_000
    parser = EventParser()
    tracemalloc.start()
    try:
        for number in range(count):
            parser.feed(f"data:{number % 90 + 10}")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    event = parser.feed("")
    assert event is not None
    assert event.data.count("\n") == count - 1
    assert peak < 12 * 3 * count + 20_000
