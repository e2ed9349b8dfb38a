"""The program that measures what the breaker costs and saves: how it counts, and that it runs."""

from pathlib import Path

from bench import report
from bench.breaker.caller import Group, Made
from bench.breaker.command import (
    BEGIN,
    END,
    SHARES,
    all_made,
    calling,
    last_lost,
    load_of,
    running,
    share_of_lost,
    urls_of,
)
from bench.breaker.command import table as table_of

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
MADE = [
    Made(0, 0, 9.0, 1, is_lost=False),
    Made(0, 0, 10.0, 3, is_lost=True),
    Made(0, 1, 12.0, 0, is_lost=True),
    Made(0, 1, 20.5, 0, is_lost=True),
    Made(0, 0, 21.0, 1, is_lost=False),
    Made(1, 0, 22.0, 1, is_lost=False),
]


def test_what_is_counted_of_calls():
    assert share_of_lost(MADE, 0) == 3 / 5
    assert load_of(MADE, 0, 10.0, 20.0) == 3 / 2
    assert last_lost(MADE, 0, 20.0) == 0.25
    assert last_lost(MADE, 1, 20.0) == 0.0


def test_clients_of_both_colours_meet_the_failures():
    for colour in ("blocking", "asyncio"):
        with running("bench.breaker.upstream", 0.0, 1.0) as upstreams:
            groups = [Group(url, 40, 2, 0.5, has_breaker=True) for url in urls_of(upstreams)]
            with calling(colour, groups) as caller:
                made = all_made(caller, 0.5)
        assert {each.client for each in made} == {0, 1}
        assert (share_of_lost(made, 0), share_of_lost(made, 1)) == (0.0, 1.0)
        assert {each.attempts for each in made if not each.is_lost} == {1}


def test_the_table_has_a_place_on_the_page():
    row = {
        "colour": "asyncio",
        "breaker": True,
        "lost": [[0.01, 0.2, 0.3]] * len(SHARES),
        "load": [1] * 3,
        "last": [2] * 3,
    }
    assert "| asyncio          | breaker | 1/20/30  |" in table_of([row])
    assert report.between(PAGE.read_text("utf-8"), "A TABLE", BEGIN, END).count("A TABLE") == 1
