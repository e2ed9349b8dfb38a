"""Each row of the guide's table, run against a stand-in for that API."""

import re
from pathlib import Path

import pytest

from tests.pages.stand_ins import BODIES, ROWS, STYLES

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "pages.md"
WRITTEN = dict(re.findall(r"^\| ([^|]+) \| `(paginate: \{.*\})`.*\|$", PAGE.read_text("utf-8"), re.MULTILINE))


def test_the_table_and_the_stand_ins_are_the_same():
    assert WRITTEN.keys() == STYLES.keys()


@pytest.mark.parametrize("name", STYLES)
def test_the_lines_of_the_guide_read_everything_once(name, shop):
    serve, operation = STYLES[name]
    world = shop(serve, f"{operation}, {WRITTEN[name]}")
    told = world.walk("items", "list", BODIES.get(name))
    assert told == ROWS
    assert len(world.asked) <= 7


@pytest.mark.parametrize("name", STYLES)
def test_each_goes_on_where_it_was_left(name, shop):
    serve, operation = STYLES[name]
    world = shop(serve, f"{operation}, {WRITTEN[name]}")
    second = world.walk("pages", "list", BODIES.get(name))[1]
    rest = world.walk("items", "list", BODIES.get(name), from_position=second.position)
    assert rest == ROWS[-len(rest) :]
    assert 0 < len(rest) < len(ROWS)
