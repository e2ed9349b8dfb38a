"""Patterns for text that a service sends."""

from __future__ import annotations

import pytest

from callsheet.settings.envelope import BodyTest
from callsheet.values.envelope import ValueTest
from callsheet.values.pattern import LOOKED_AT, Pattern


@pytest.mark.parametrize(
    ("pattern", "text", "is_found"),
    [
        ("quota.*exceeded", "your quota is exceeded.", True),
        ("quota.*exceeded", "quota " * 32_000, False),
        ("^(a+)+$", "a" * 16_000 + "!", False),
        ("^4[0-9]{3}$", "4001", True),
        ("^4[0-9]{3}$", "4001\n", False),
        ("(?i)QUOTA", "Quota", True),
        (r"^\w+$", "größe", True),
        ("", "", True),
    ],
)
def test_a_pattern_is_found_anywhere(pattern: str, text: str, is_found: bool) -> None:
    assert Pattern(pattern).is_in(text) is is_found
    assert ValueTest(BodyTest("a", None, pattern)).holds(text) is is_found


def test_the_beginning_of_a_text_is_looked_at() -> None:
    assert Pattern("b").is_in("a" * (LOOKED_AT - 1) + "b")
    assert not Pattern("b").is_in("a" * LOOKED_AT + "b")


@pytest.mark.parametrize("value", [4001, 4001.0, "x4001"])
def test_numbers_are_looked_at_as_json(value: object) -> None:
    assert ValueTest(BodyTest("a", None, "4001")).holds(value)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(?=a)", "look-around"),
        ("(?<!a)b", "look-around"),
        (r"(a)\1", "backreferences"),
        ("a++", "possessive"),
        ("a*+b", "possessive"),
        ("a{2}+", "possessive"),
        ("(?>a)", "unrecognized"),
        (r"a\Z", "unrecognized escape"),
        ("(", "unclosed group"),
        ("[", "unclosed"),
        ("a{,3}", "repetition"),
        ("(?:(?:[a-d]{1,50}){1,50}){1,4}", "2000 parts"),
        ("(?:[ab][a-d]{1,100}){1,30}", "2000 parts"),
        ("(?:x(?:a{40}){3}){20}", "2000 parts"),
        ("a{1000}" * 3, "2000 parts"),
        ("a{99999}", "2000 parts"),
        (r"\w{900}", "size limit"),
    ],
)
def test_what_cannot_be_read_or_is_too_large_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        Pattern(pattern)
    assert "SchemaError" not in str(caught.value)


@pytest.mark.parametrize(
    "pattern",
    [
        "a{2000}",
        "(?:a{1,40}){1,40}",
        r"\d{4}-\d{2}-\d{2}",
        r"a\++",
        "[*+]+",
        "[)]{3}",
        "[]]{3}",
        r"\{2}\+",
        "a{0}",
        "(?x) a # )",
    ],
)
def test_what_is_large_but_bounded_is_taken(pattern: str) -> None:
    Pattern(pattern)
