"""`paginate` on the sheet: what is read, and what each mistake is told."""

import json

import jsonschema_rs
import pytest

from callsheet import Client, SheetError
from callsheet.settings.pages import PageSize, Paginate
from callsheet.sheet.schema import json_schema
from callsheet.testing import FakeTransport
from tests.sheet.sheets import HEAD, errors, parse


def shop(line):
    """A sheet whose service `shop` has this line, the fifth."""
    return f"{HEAD}    {line}\n"


MISTAKES = [
    ("{page: page, cursor: c}", "5:28: `paginate` of service `shop`: `cursor` beside `page`", "one kind of position: keep one"),
    ("{link: next, next: next}", "5:28: `paginate` of service `shop`: `next` beside `link`", "keep one"),
    ("{items: results}", "5:15: `paginate` of service `shop`: no kind of pages", "write one of `page`, `offset`, `cursor`, `next` or `link`"),
    ("{}", "no kind of pages", ""),
    ("{page: null}", "no kind of pages", ""),
    ("link", "5:15: `paginate` of service `shop`: expected `off` or a mapping", "write `{link: ...}`"),
    ("true", "5:15: `paginate` of service `shop`: expected `off` or a mapping", ""),
    ("[page]", "expected `off` or a mapping", ""),
    ("{cursor: c}", "5:16: `paginate` of service `shop`: `cursor` without `from`", 'write where the next cursor stands: `from: next_cursor`, or `from: "header:X-Next"`'),
    ("{page: p, from: x}", "5:25: `paginate` of service `shop`: `from` beside `page`", "it belongs to `cursor`: remove it"),
    ("{page: p, end: absent}", "`end` beside `page`", "it belongs to `cursor`"),
    ("{cursor: c, from: n, start: 1}", "`start` beside `cursor`", "it belongs to `page` or `offset`"),
    ("{link: next, step: 1}", "`step` beside `link`", ""),
    ("{link: next, into: json}", "`into` beside `link`", "the URL of the next page has its position: remove it"),
    ("{page: p, total: total_pages}", "5:32: `paginate.total` of service `shop`: expected where the number of items stands", "write `total: {pages: total_pages}`"),
    ("{page: p, total: meta.pageCount}", "`paginate.total` of service `shop`", "write `total: {pages: meta.pageCount}`"),
    ("{page: p, total: {count: x}}", "unknown key `count` in `paginate.total`", "did you mean `pages`"),
    ("{page: p, total: {}}", "`paginate.total` of service `shop`: `pages` is missing", "write where the number of pages stands"),
    ("{page: p, size: 100}", "5:31: `paginate.size` of service `shop`: expected a mapping such as `{name: size, value: 100}`", ""),
    ("{page: p, size: {name: s}}", "`name` or `value` is missing", "write both: `size: {name: size, value: 100}`"),
    ("{page: p, size: {name: s, value: 0}}", "`paginate.size.value` of service `shop`: expected a whole number from 1", ""),
    ("{page: p, into: body}", "expected `query`, `json`, `form` or `header`, found `body`", ""),
    ("{cursor: 'a b', from: n, into: header}", "`a b` is no name of a header", ""),
    ("{cursor: 'a..b', from: n, into: json}", "`a..b` is no path in a body", "single dots"),
    ("{next: $.next}", "`paginate.next` of service `shop`: expected a dotted path", "did you mean `next`?"),
    ("{next: 'header:'}", "expected a dotted path", "the name of a header stands behind `header:`"),
    ("{cursor: c, from: 'data[-1].id'}", "`paginate.from` of service `shop`", "did you mean `data.-1.id`?"),
    ("{page: p, items: 'a[]b'}", "`paginate.items` of service `shop`", "`edges[].node`"),
    ("{page: p, items: '$.a'}", "`paginate.items` of service `shop`", "did you mean `a`?"),
    ("{page: p, start: -1}", "`paginate.start` of service `shop`: expected a whole number from 0", ""),
    ("{page: p, max_pages: 0}", "`paginate.max_pages` of service `shop`: expected a whole number from 1", ""),
    ("{page: p, max_time: soon}", "`paginate.max_time` of service `shop`: expected a duration", ""),
    ("{page: p, direction: back}", "expected `next` or `previous`, found `back`", ""),
    ("{offset: o, direction: previous}", "offsets that count down need a step", "write `step`, or the `size` of a page"),
    ("{page: p, next_url_path: x}", "unknown key `next_url_path` in `paginate` of service `shop`", "did you mean `next`?"),
    ("{page: p, data_selector: x}", "unknown key `data_selector` in `paginate`", "did you mean `items`?"),
    ("{type: page_number}", "unknown key `type` in `paginate`", "write the kind as a key: `page: ...`"),
    ("{offset: o, limit: 100}", "unknown key `limit` in `paginate`", "did you mean `size: {name: limit, value: 100}`?"),
    ("{page: p, total_pages: x}", "unknown key `total_pages` in `paginate`", "did you mean `total: {pages: total_pages}`?"),
    ("{page: p, stop_after_empty_page: true}", "unknown key `stop_after_empty_page`", "write nothing: an empty page ends"),
    ("{page: p, itms: x}", "unknown key `itms` in `paginate`", "did you mean `items`?"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "told", "hint"), MISTAKES)
def test_a_mistake_is_told_with_its_place(written, told, hint):
    text = errors(parse, shop(f"paginate: {written}"))
    assert told in text
    assert hint in text


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("paginator", "did you mean `paginate`?"),
        ("data_selector", "did you mean `paginate: {items: ...}`?"),
        ("next_url_path", "did you mean `paginate: {next: ...}`?"),
        ("cursor_path", "did you mean `paginate: {cursor: ..., from: ...}`?"),
    ],
)
def test_words_of_other_tools_are_known(word, hint):
    assert hint in errors(parse, shop(f"{word}: x"))


READ = [
    ("off", None),
    ("false", None),
    ("{page: page}", Paginate("page", "page")),
    ("{link: Next}", Paginate("link", "next")),
    ('{next: "@odata.nextLink", items: value}', Paginate("next", "@odata.nextLink", items="value")),
    ('{cursor: c, from: "HEADER: X-Next"}', Paginate("cursor", "c", source="header:X-Next")),
    ("{page: p, total: {pages: n}, max_time: 5m, max_pages: 7}", Paginate("page", "p", total_pages="n", max_time=300.0, max_pages=7)),
    ("{offset: o, size: {name: limit, value: 50}}", Paginate("offset", "o", size=PageSize("limit", 50))),
    ("{page: p, size: null, items: null}", Paginate("page", "p")),
]  # fmt: skip


@pytest.mark.parametrize(("written", "read"), READ)
def test_what_is_read(written, read):
    assert parse(shop(f"paginate: {written}")).services["shop"].settings().paginate == read


def test_it_replaces_what_is_above_whole():
    text = """
callsheet: 1
defaults: {paginate: {page: p, items: results}}
services:
  shop:
    base_url: https://api.example.com
    operations:
      a: {get: /a}
      b: {get: /b, paginate: {link: next}}
      c: {get: /c, paginate: off}
environments:
  dev: {services: {shop: {operations: {b: {paginate: {page: q}}}}}}
"""
    service = parse(text, env="dev").services["shop"]
    assert [service.settings(name).paginate for name in "abc"] == [
        Paginate("page", "p", items="results"),
        Paginate("page", "q"),
        None,
    ]


def test_a_client_takes_it_as_a_setting_too():
    sheet = parse(shop("operations: {list: {get: /}}"))
    fake = FakeTransport()
    fake.on("GET", "/").respond(json=[1]).respond(json=[])
    with Client(sheet, transport=fake) as client:
        assert list(client.service("shop", paginate={"page": "page"}).items("list")) == [1]


@pytest.mark.parametrize("written", [written for written, _ in READ])
def test_the_schema_for_editors_allows_what_is_read(written):
    import yaml

    sheet = yaml.safe_load(shop(f"paginate: {written}"))
    assert list(jsonschema_rs.validator_for(json_schema()).iter_errors(sheet)) == []


@pytest.mark.parametrize(
    "written", ["{page: p, cursor: c}", "{items: x}", "5", "{page: p, size: 5}", "{page: p, nope: 1}"]
)
def test_the_schema_for_editors_refuses_what_is_not(written):
    import yaml

    assert list(jsonschema_rs.validator_for(json_schema()).iter_errors(yaml.safe_load(shop(f"paginate: {written}"))))


def test_explain_shows_it_as_it_would_be_written():
    text = shop("paginate: {page: p, total: {pages: n}, size: {name: s, value: 5}}\n    operations: {list: {get: /}}")
    with Client(parse(text), transport=FakeTransport()) as client:
        explanation = client.explain("list")
    found = next(setting for setting in explanation.settings if setting.name == "paginate")
    assert found.written == "{page: p, size: {name: s, value: 5}, total: {pages: n}}"
    assert found.origin.where.endswith(":5:15")
    json.dumps(explanation.as_dict())


def test_an_outline_leaves_open_what_a_variable_holds():
    from callsheet import Sheet

    sheet = Sheet.outline(shop('paginate: {page: "${PAGE}", items: results}'), variables={})
    assert sheet.services["shop"]


def test_several_mistakes_are_told_at_once():
    with pytest.raises(SheetError) as wrong:
        parse(shop("paginate: {page: p, max_pages: 0, into: x}"))
    assert len(wrong.value.findings) == 2
