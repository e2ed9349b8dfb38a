"""The table of cases: what the sheet says, how the service answers, and what a walk must give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from callsheet.errors import APIError, OriginRefused, PageLoop, Refused, ValidationError
from tests.pages.worlds import Asked

SEVEN = [{"id": number} for number in range(1, 8)]


@dataclass(frozen=True)
class Case:
    """`gives` are the ids that come, `ends` the error that follows them, `told` a part of its message, `sent` how many requests there are."""

    name: str
    paginate: str
    serve: Callable[[Asked], Any]
    gives: list[Any]
    sent: int
    ends: type[APIError] | None = None
    told: str = ""
    method: str = "get: /items"


def number(asked: Asked, name: str, default: int) -> int:
    return int(asked.query.get(name, default))


def numbered(size: int = 3, *, rows: list[dict] = SEVEN, first: int = 1, name: str = "page", **more: Any) -> Callable:
    """Pages by number, with further members: values, or functions of the number."""

    def serve(asked: Asked) -> Any:
        at = number(asked, name, first) - first
        told = {key: value(at + first) if callable(value) else value for key, value in more.items()}
        return {"results": rows[at * size : (at + 1) * size], **told}

    return serve


def by_offset(size: int = 3, name: str = "offset", start: int = 0, **more: Any) -> Callable:
    def serve(asked: Asked) -> Any:
        at = number(asked, name, start) - start
        return {"results": SEVEN[at : at + size], **more}

    return serve


def scripted(pages: dict[Any, Any], where: Callable[[Asked], Any]) -> Callable:
    """The document of each position, None for the first."""
    return lambda asked: pages[where(asked)]


def in_query(name: str = "cursor") -> Callable[[Asked], Any]:
    return lambda asked: asked.query.get(name)


def tokens(**pages: tuple[list[int], Any]) -> Callable:
    """Pages by cursor: `first=([1, 2], "a"), a=([3], None)`."""

    def serve(asked: Asked) -> Any:
        ids, token = pages[asked.query.get("cursor") or "first"]
        told = {} if token is ... else {"next": token}
        return {"results": [{"id": each} for each in ids], **told}

    return serve


def linked(**pages: tuple[list[int], str | None]) -> Callable:
    """Bare lists by path, each with the `Link` field of the next page: `items=([1], "</two>; rel=next")`."""

    def serve(asked: Asked) -> Any:
        ids, link = pages[asked.path.rpartition("/")[2]]
        return [{"id": each} for each in ids], {"Link": link} if link else {}

    return serve


def urls(**pages: tuple[list[int], Any]) -> Callable:
    """Pages whose body gives the URL of the next one."""

    def serve(asked: Asked) -> Any:
        ids, following = pages[asked.path.rpartition("/")[2]]
        return {"results": [{"id": each} for each in ids], "next": following}

    return serve


ALL = [1, 2, 3, 4, 5, 6, 7]
CURSOR = "{cursor: cursor, from: next, items: results"
CASES = [
    # Numbers
    Case("page: ends at an empty page", "{page: page, items: results}", numbered(), ALL, 4),
    Case("page: a short page is no end", "{page: page}", lambda a: [[{"id": 1}, {"id": 2}], [{"id": 3}], [{"id": 4}], []][number(a, "page", 1) - 1], [1, 2, 3, 4], 4),
    Case("page: ends at the total", "{page: page, items: results, total: total}", numbered(total=7), ALL, 3),
    Case("page: ends at the total, told as a text", "{page: page, items: results, total: total}", numbered(total="7"), ALL, 3),
    Case("page: ends at the number of pages", "{page: page, items: results, total: {pages: pages}}", numbered(pages=3), ALL, 3),
    Case("page: ends where there are no more", "{page: page, items: results, has_more: more}", numbered(more=lambda n: n < 3), ALL, 3),
    Case("page: `more` of a text", "{page: page, items: results, has_more: more}", numbered(more=lambda n: str(n < 3)), ALL, 3),
    Case("page: `more` of a number", "{page: page, items: results, has_more: more}", numbered(more=lambda n: int(n < 3)), ALL, 3),
    Case("page: begins at 0", "{page: page, items: results, start: 0}", numbered(first=0), ALL, 4),
    Case("page: a step", "{page: page, items: results, step: 2}", numbered(2), [1, 2, 5, 6], 3),
    Case("page: a total that is null says nothing", "{page: page, items: results, total: total}", numbered(total=None), ALL, 4),
    Case("page: a total that is missing says nothing", "{page: page, items: results, total: total}", numbered(), ALL, 4),
    Case("page: a total that grows", "{page: page, items: results, total: total}", numbered(total=lambda n: 3 + n), [1, 2, 3, 4, 5, 6], 2),
    Case("page: a total that is too large", "{page: page, items: results, total: total}", numbered(total=70), ALL, 4),
    Case("page: a total that is too small ends it", "{page: page, items: results, total: total}", numbered(total=1), [1, 2, 3], 1),
    Case("page: an empty page ends it although there are more", "{page: page, items: results, has_more: more}", numbered(more=True), ALL, 4),
    Case("page: nothing at all", "{page: page, items: results}", numbered(rows=[]), [], 1),
    Case("page: the list is null", "{page: page, items: results}", lambda a: {"results": None}, [], 1),
    Case("page: 204", "{page: page, items: results}", lambda a: ({"results": SEVEN}, {}) if number(a, "page", 1) == 1 else (b"", {}, 204), ALL, 2),
    Case("page: the total in a header", '{page: page, total: "header:X-Total-Count"}', lambda a: (SEVEN[(number(a, "page", 1) - 1) * 3 :][:3], {"X-Total-Count": "7"}), ALL, 3),
    Case("page: the parameter is ignored", "{page: page, items: results}", lambda a: {"results": SEVEN}, ALL, 2, PageLoop, "page 2 has the items of an earlier page"),
    Case("page: the last page again and again", "{page: page, items: results}", lambda a: {"results": SEVEN[(min(number(a, "page", 1), 2) - 1) * 3 :][:3], "page": a.query["page"]}, [1, 2, 3, 4, 5, 6], 3, PageLoop, "page 3 has the items of an earlier page"),
    Case("page: more than max_pages", "{page: page, max_pages: 2}", lambda a: [{"id": number(a, "page", 1)}], [1, 2], 2, Refused, "paginate.max_pages"),
    Case("page: backwards", "{page: page, items: results, start: 3, direction: previous}", numbered(), [7, 4, 5, 6, 1, 2, 3], 3),
    Case("page: in the path of each element", "{page: page, items: 'edges[].node'}", lambda a: {"edges": [{"node": each} for each in SEVEN[(number(a, "page", 1) - 1) * 4 :][:4]]}, ALL, 3),
    Case("page: lists of lists", "{page: page, items: 'groups[].users'}", lambda a: {"groups": [{"users": SEVEN[:2]}, {"users": SEVEN[2:3]}]} if number(a, "page", 1) == 1 else {"groups": []}, [1, 2, 3], 2),
    Case("offset: by what came", "{offset: offset, items: results}", by_offset(), ALL, 4),
    Case("offset: to the total", "{offset: offset, items: results, total: total}", by_offset(total=7), ALL, 3),
    Case("offset: counted from 1", "{offset: startIndex, start: 1, items: results, total: total}", by_offset(name="startIndex", start=1, total=7), ALL, 3),
    Case("offset: a step", "{offset: offset, step: 4, items: results}", by_offset(), [1, 2, 3, 5, 6, 7], 3),
    Case("offset: back", "{offset: offset, start: 6, step: 3, items: results, direction: previous}", by_offset(), [7, 4, 5, 6, 1, 2, 3], 3),
    Case("offset: no more", "{offset: offset, items: results, has_more: more}", by_offset(more=False), [1, 2, 3], 1),
    # Cursors
    Case("cursor: ends with null", CURSOR + "}", tokens(first=([1, 2], "a"), a=([3], "b"), b=([4], None)), [1, 2, 3, 4], 3),
    Case("cursor: ends where there is none", CURSOR + "}", tokens(first=([1, 2], "a"), a=([3], ...)), [1, 2, 3], 2),
    Case("cursor: ends empty", CURSOR + "}", tokens(first=([1, 2], "a"), a=([3], "")), [1, 2, 3], 2),
    Case("cursor: ends with false", CURSOR + "}", tokens(first=([1, 2], "a"), a=([3], False)), [1, 2, 3], 2),
    Case("cursor: ends with 0", CURSOR + "}", tokens(first=([1, 2], "a"), a=([3], 0)), [1, 2, 3], 2),
    Case("cursor: an empty one may be a cursor", CURSOR + ", end: absent}", lambda a: {"results": [{"id": 2}]} if "cursor" in a.query else {"results": [{"id": 1}], "next": ""}, [1, 2], 2),
    Case("cursor: 0 may be a cursor", CURSOR + ", end: absent}", lambda a: {"results": [{"id": 2}]} if "cursor" in a.query else {"results": [{"id": 1}], "next": 0}, [1, 2], 2),
    Case("cursor: an empty page is no end", CURSOR + "}", tokens(first=([1], "a"), a=([], "b"), b=([], "c"), c=([2], None)), [1, 2], 4),
    Case("cursor: a page may leave its empty list out", CURSOR + "}", lambda a: {None: {"next": "a"}, "a": {"results": [{"id": 1}], "next": "b"}, "b": {}}[a.query.get("cursor")], [1], 3),
    Case("cursor: a number", CURSOR + "}", tokens(**{"first": ([1], 12), "12": ([2], 13), "13": ([3], None)}), [1, 2, 3], 3),
    Case("cursor: no more, although there is one", CURSOR + ", has_more: more}", lambda a: {"results": [{"id": 1}], "next": "a", "more": False}, [1], 1),
    Case("cursor: more, but none", CURSOR + ", has_more: more}", lambda a: {"results": [{"id": 1}], "more": True}, [1], 1),
    Case("cursor: the total ends it, too", CURSOR + ", total: total}", lambda a: {"results": [{"id": 1}], "total": 1, "next": "a"}, [1], 1),
    Case("cursor: of the last item", "{cursor: after, from: results.-1.id, items: results}", lambda a: {"results": [e for e in SEVEN if e["id"] > number(a, "after", 0)][:3]}, ALL, 4),
    Case("cursor: in a header", '{cursor: cursor, from: "header:X-Next"}', lambda a: ([{"id": 1}], {"X-Next": "a"}) if "cursor" not in a.query else [{"id": 2}], [1, 2], 2),
    Case("cursor: the same twice", CURSOR + "}", tokens(first=([1], "a"), a=([2], "a")), [1, 2], 2, PageLoop, "the cursor to page 3 leads back"),
    Case("cursor: a circle of three", CURSOR + "}", tokens(first=([1], "a"), a=([2], "b"), b=([3], "c"), c=([4], "a")), [1, 2, 3, 4], 4, PageLoop, "the cursor to page 5"),
    Case("cursor: ignored by the service", CURSOR + "}", lambda a: {"results": SEVEN, "next": f"{len(a.query.get('cursor', ''))}x"}, ALL, 2, PageLoop, "page 2 has the items of an earlier page"),
    Case("cursor: -1 and -2 are not the same", CURSOR + "}", tokens(**{"first": ([1], -1), "-1": ([2], -2), "-2": ([3], None)}), [1, 2, 3], 3),
    Case("cursor: put into a body", "{cursor: page.after, from: next, items: results, into: json}", lambda a: {"results": [{"id": 2}]} if a.json == {"q": "x", "page": {"after": "a", "size": 9}} else {"results": [{"id": 1}], "next": "a"}, [1, 2], 2, method="post: /items, json: object"),
    Case("cursor: put into a header", "{cursor: X-Cursor, from: next, items: results, into: header}", lambda a: {"results": [{"id": 2}]} if a.headers.get("x-cursor") == "a" else {"results": [{"id": 1}], "next": "a"}, [1, 2], 2),
    Case("cursor: put into a form", "{cursor: cursor, from: next, items: results, into: form}", lambda a: {"results": [{"id": 2}]} if a.form == {"q": "x", "cursor": "a"} else {"results": [{"id": 1}], "next": "a"}, [1, 2], 2, method="post: /items, form: {q: {type: string, value: x}, cursor: {type: string}}"),
    Case("cursor: put into a field whose name is no identifier", "{cursor: next-page, from: next, items: results, into: form}", lambda a: {"results": [{"id": 2}]} if a.form.get("next-page") == "a" else {"results": [{"id": 1}], "next": "a"}, [1, 2], 2, method="post: /items, form: {next-page: {type: string}}"),
    # Links
    Case("next: a path", "{next: next, items: results}", urls(items=([1], "/two?x=1"), two=([2], "three"), three=([3], None)), [1, 2, 3], 3),
    Case("next: only a query", "{next: next, items: results}", lambda a: {"results": [{"id": 2}], "next": ""} if a.query.get("p") else {"results": [{"id": 1}], "next": "?p=2"}, [1, 2], 2),
    Case("next: a fragment is no part of it", "{next: next, items: results}", urls(items=([1], "/two#x"), two=([2], "/two#y")), [1, 2], 2, PageLoop, "the link to page 3 leads back"),
    Case("next: a circle of three", "{next: next, items: results}", urls(items=([1], "/b"), b=([2], "/c"), c=([3], "/d"), d=([4], "/b")), [1, 2, 3, 4], 4, PageLoop, "the link to page 5"),
    Case("next: back to the first page by another address", "{next: next, items: results}", urls(items=([1], "/b"), b=([2], "/items?page=1")), [1, 2], 3, PageLoop, "page 3 has the items of an earlier page"),
    Case("next: elsewhere", "{next: next, items: results}", urls(items=([1], "https://evil.example/two")), [1], 1, OriginRefused, "https://evil.example is not the origin of this service"),
    Case("next: elsewhere, with a name before the host", "{next: next, items: results}", urls(items=([1], "https://api.example.com@evil.example/two")), [1], 1, OriginRefused, "the link to the next page"),
    Case("next: another scheme", "{next: next, items: results}", urls(items=([1], "ftp://api.example.com/two")), [1], 1, OriginRefused, "the link to the next page"),
    Case("next: `//` is another host", "{next: next, items: results}", urls(items=([1], "//evil.example/two")), [1], 1, OriginRefused),
    Case("next: no URL at all", "{next: next, items: results}", urls(items=([1], "http://[")), [1], 1, OriginRefused),
    Case("next: a number is no URL", "{next: next, items: results}", urls(items=([1], 5)), [], 1, ValidationError, "`next` of the page: expected a URL, found 5"),
    Case("next: in a header", '{next: "header:X-Next"}', lambda a: ([{"id": 1}], {"X-Next": "/two"}) if a.path.endswith("items") else [{"id": 2}], [1, 2], 2),
    Case("link: to the end", "{link: next}", linked(items=([1], '</two>; rel="next"'), two=([2], '</items>; rel="prev", </three>; rel="next"'), three=([3], None)), [1, 2, 3], 3),
    Case("link: an empty page is no end", "{link: next}", linked(items=([], "</two>; rel=next"), two=([2], None)), [2], 2),
    Case("link: back", "{link: next, direction: previous}", linked(items=([3], '</two>; rel="prev"'), two=([2], '</three>; rel="previous"'), three=([1], None)), [3, 2, 1], 3),
    Case("link: a circle", "{link: next}", linked(items=([1], "</two>; rel=next"), two=([2], "</two>; rel=next")), [1, 2], 2, PageLoop),
    Case("link: elsewhere", "{link: next}", linked(items=([1], "<https://evil.example/two>; rel=next")), [1], 1, OriginRefused),
    # What is wrong
    Case("no list there", "{page: page, items: results}", lambda a: {"data": [], "meta": {}}, [], 1, ValidationError, "the page has no `results`; it has `data`, `meta` (page 1)"),
    Case("no list there, on a later page", "{page: page, items: results}", lambda a: {"results": SEVEN} if number(a, "page", 1) == 1 else {"error": "x"}, ALL, 2, ValidationError, "the page has no `results`; it has `error` (page 2)"),
    Case("no list but a text", "{page: page, items: results}", lambda a: {"results": "none"}, [], 1, ValidationError, "`results` of the page is a text, where a list of items was expected"),
    Case("no `items:` for an object", "{page: page}", lambda a: {"results": []}, [], 1, ValidationError, "the page is an object and not a list; write `items:` with the path of the list; it has `results`"),
    Case("a list where an object was meant", "{page: page, items: results}", lambda a: [1], [], 1, ValidationError, "the page has no `results`; it is a list"),
    Case("a list that may be left out", "{page: page, items: results?}", lambda a: {"kind": "x"}, [], 1),
    Case("a total that is no number", "{page: page, items: results, total: total}", numbered(total="many"), [], 1, ValidationError, "`total` of the page: expected a number of items, found 'many' (page 1)"),
    Case("a total of too many digits", "{page: page, items: results, total: total}", numbered(total="9" * 5000), [], 1, ValidationError, "expected a number of items"),
    Case("a total below 0", "{page: page, items: results, total: total}", numbered(total=-1), [], 1, ValidationError, "found -1"),
    Case("a total that is true", "{page: page, items: results, total: total}", numbered(total=True), [], 1, ValidationError, "found True"),
    Case("`more` is a list", "{page: page, items: results, has_more: more}", numbered(more=[]), [], 1, ValidationError, "expected true or false"),
    Case("a cursor that is an object", CURSOR + "}", tokens(first=([1], {"x": 1})), [], 1, ValidationError, "expected a text or a number"),
]  # fmt: skip
