"""The program that measures walks over pages: what it reads, and its table."""

from pathlib import Path

from bench import report
from bench.pages.command import BEGIN, COLOURS, END, WAYS, Upstream, measured, table, walk
from bench.pages.upstream import page

DOCS = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def test_every_way_reads_every_item():
    server = Upstream(250, 100)
    try:
        assert {walk(colour, way, server.url)["items"] for colour in COLOURS for way in WAYS} == {250}
    finally:
        server.stop()


def test_the_last_page_has_no_cursor():
    assert b'"next": "200"' in page(100, 250, 100)
    assert b'"next": null' in page(200, 250, 100)


def test_the_table_says_what_was_aimed_at_and_has_a_place_on_the_page():
    row = {"colour": "blocking", "low": 1, "high": 2, "peak_of_a_tenth": 50, "peak": 51}
    rows = [
        {**row, "way": "by hand", "cpu": 1.0},
        {**row, "way": "items", "cpu": 1.09},
        {**row, "way": "items", "cpu": 1.2},
    ]
    text = table(rows)
    assert text.splitlines()[-2].rstrip(" |").endswith("met")
    assert text.splitlines()[-1].rstrip(" |").endswith("missed")
    assert report.between(DOCS.read_text("utf-8"), "A TABLE", BEGIN, END).count("A TABLE") == 1


def test_a_measurement_has_a_row_for_each_colour_and_way():
    rows = measured(200, 100, 1)
    assert [(row["colour"], row["way"]) for row in rows] == [(colour, way) for colour in COLOURS for way in WAYS]
