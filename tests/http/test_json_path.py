"""Dotted paths into a JSON document."""

import pytest

from callsheet.http.json_path import MISSING, JSONPath

DOCUMENT = {
    "code": 0,
    "error": {"code": "E1", "message": None},
    "items": [{"id": 7}, {"id": 8}],
    "1": {"2": "digits may be names"},
    "wörter": {"a b": 1},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("code", 0),
        ("error.code", "E1"),
        ("error.message", None),
        ("items.1.id", 8),
        ("items", [{"id": 7}, {"id": 8}]),
        ("1.2", "digits may be names"),
        ("wörter.a b", 1),
    ],
)
def test_it_finds_what_stands_there(path, value):
    assert JSONPath(path).find(DOCUMENT) == value


@pytest.mark.parametrize(
    "path", ["nope", "code.deeper", "error.message.deeper", "items.2", "items.-1", "items.id", "items.²"]
)
def test_what_leads_nowhere_is_missing(path):
    assert JSONPath(path).find(DOCUMENT) is MISSING


@pytest.mark.parametrize("document", [None, 5, "text", True, [], MISSING])
def test_a_document_without_members_has_nothing(document):
    assert JSONPath("code").find(document) is MISSING


def test_an_array_may_be_the_document():
    assert JSONPath("0.id").find([{"id": 7}]) == 7


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("$.error.code", "did you mean `error.code`?"),
        ("$['error'].items[0]", "did you mean `error.items.0`?"),
        ("/error/code", "did you mean `error.code`?"),
        ("items[0].id", "did you mean `items.0.id`?"),
        ("$", "write the name of a member"),
        ("a..b", "single dots"),
        (".a", "single dots"),
        ("a.", "single dots"),
        ("a. b", "single dots"),
        ("", "single dots"),
    ],
)
def test_what_is_no_path_is_refused_with_what_to_write(text, hint):
    with pytest.raises(ValueError, match=r".") as caught:
        JSONPath(text)
    assert hint in str(caught.value)


def test_a_hint_is_short():
    with pytest.raises(ValueError, match=f"did you mean `{'a' * 60}`"):
        JSONPath("$" + "a" * 1000)


def test_the_steps_one_by_one():
    assert JSONPath("items.0.id").names == ("items", 0, "id")
