"""A quote that is not closed is told where it opened: the parser complains at the next one, or at the end of the file."""

import pytest

from callsheet import Sheet, SheetError

TEXT = """\
callsheet: 1
services:
  shop:
    base_url: "https://shop.test"
    headers: {"X-A": "b"}
    operations:
      get_user: {get: "/users/{id}", path: {id: integer}}
      find: {get: "/find"}
"""
TOLD = "not YAML: a quote that is not closed"


def told(text):
    with pytest.raises(SheetError) as caught:
        Sheet.parse(text)
    return caught.value.findings


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize(
    ("closed", "line", "column"),
    [('"https://shop.test"', 4, 15), ('"X-A"', 5, 15), ('"b"', 5, 22), ('"/users/{id}"', 7, 23), ('"/find"', 8, 19)],
)
def test_where_it_opened(quote, closed, line, column):
    text = TEXT.replace(closed, closed[:-1]).replace('"', quote)
    (finding,) = told(text)
    assert (finding.line, finding.column, finding.message) == (line, column, TOLD)


@pytest.mark.parametrize("other", ["'", '"'])
def test_where_no_other_quote_of_its_kind_follows(other):
    mine = '"' if other == "'" else "'"
    text = TEXT.replace('"', other).replace(f"{other}https://shop.test{other}", f"{mine}https://shop.test")
    assert [(found.line, found.column, found.message) for found in told(text)] == [(4, 15, TOLD)]


def test_what_the_quote_holds_is_not_shown():
    text = TEXT.replace("    headers:", '    auth: {bearer: "canary-123}\n    headers:')
    (finding,) = told(text)
    assert (finding.line, finding.message) == (5, TOLD)
    assert "canary" not in str(finding)


def test_a_text_of_several_lines_is_no_fault():
    text = TEXT.replace("    headers:", '    description: "a text\n      of two lines"\n    headers:')
    assert Sheet.parse(text).services["shop"].description == "a text of two lines"
    (finding,) = told(text.replace("  operations:", "  operations: a: b"))
    assert finding.message != TOLD


@pytest.mark.parametrize(
    ("written", "meant"), [("GETT", "get"), ("GET", "get"), ("Gett", "get"), ("psot", "post"), ("DELET", "delete")]
)
def test_a_misspelt_method_is_told_once(written, meant):
    (finding,) = told(TEXT.replace('find: {get: "/find"}', f'find: {{{written}: "/find"}}'))
    assert finding.message == f"unknown key `{written}` in operation `shop.find`"
    assert f"did you mean `{meant}`?" in finding.excerpt
