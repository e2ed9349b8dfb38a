"""The security page names tests that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.findall(r"`(tests/[\w/.]+)`", (ROOT / "docs" / "security.md").read_text("utf-8"))


@pytest.mark.parametrize("path", sorted(set(NAMED)))
def test_what_shows_a_promise_is_there(path):
    assert (ROOT / path).exists()


def test_there_are_some():
    assert len(NAMED) > 20
