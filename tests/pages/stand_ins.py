"""Stand-ins for APIs that page, each written from the documentation of that API: names, defaults, and how a last page looks."""

from __future__ import annotations

import base64
from typing import Any

from tests.pages.worlds import Asked

ROWS = [{"id": f"id_{number}", "name": f"name {number}"} for number in range(1, 251)]
HOST = "https://api.example.com"


def opaque(start: int) -> str:
    return base64.b64encode(f"start:{start}".encode()).decode()


def start_of(token: str | None) -> int:
    return int(base64.b64decode(token).decode().partition(":")[2]) if token else 0


def github(asked: Asked) -> Any:
    """REST: 30 on a page, 100 at most; `next` and `last` in Link, none of them on the last page."""
    size, page = min(int(asked.query.get("per_page", 30)), 100), int(asked.query.get("page", 1))
    last = -(-len(ROWS) // size)
    names = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
    shown = [name for name, to in names.items() if 1 <= to <= last and not (name in ("next", "last") and page == last)]
    links = [f'<{HOST}{asked.path}?per_page={size}&page={names[name]}>; rel="{name}"' for name in shown]
    return ROWS[(page - 1) * size :][:size], {"Link": ", ".join(links)}


def github_search(asked: Asked) -> Any:
    """Search: an object with `total_count`, which counts more than is given, and now and then a shorter page."""
    rows, headers = github(asked)
    return {"total_count": 5000, "incomplete_results": False, "items": rows}, headers


def stripe(asked: Asked) -> Any:
    """Lists: `starting_after` is the id of an object, 10 on a page; `has_more`."""
    size, after = int(asked.query.get("limit", 10)), asked.query.get("starting_after")
    start = next(at for at, row in enumerate(ROWS, 1) if row["id"] == after) if after else 0
    return {
        "object": "list",
        "url": asked.path,
        "has_more": start + size < len(ROWS),
        "data": ROWS[start : start + size],
    }


def slack(asked: Asked) -> Any:
    """Web API: `ok`, and `response_metadata.next_cursor`, which is an empty text on the last page."""
    start, size = start_of(asked.query.get("cursor")), int(asked.query.get("limit", 100))
    more = opaque(start + size) if start + size < len(ROWS) else ""
    return {"ok": True, "channels": ROWS[start : start + size], "response_metadata": {"next_cursor": more}}


def google(asked: Asked) -> Any:
    """AIP-158: a page may be empty, or shorter than asked for, while there is a token; what is empty is left out."""
    if asked.query.get("pageToken") == "filtered":
        return {"kind": "list", "nextPageToken": opaque(100)}
    start, size = start_of(asked.query.get("pageToken")), int(asked.query.get("pageSize", 100))
    if start == 0:
        return {"kind": "list", "files": ROWS[:size], "nextPageToken": "filtered"}
    more = {"nextPageToken": opaque(start + size)} if start + size <= len(ROWS) + 50 else {}
    rows = {"files": ROWS[start : start + size]} if start < len(ROWS) else {}
    return {"kind": "list", **rows, **more}


def odata(asked: Asked) -> Any:
    """Server-driven paging (OData 4.01, 11.2.6.7): `@odata.nextLink`, absolute or relative, none on the last page."""
    start = int(asked.query.get("$skiptoken", 0))
    more = (
        {"@odata.nextLink": f"{asked.path.rpartition('/')[2]}?$skiptoken={start + 80}"}
        if start + 80 < len(ROWS)
        else {}
    )
    return {"@odata.context": f"{HOST}/$metadata#Rows", "value": ROWS[start : start + 80], **more}


def shopify(asked: Asked) -> Any:
    """REST: Link with `page_info`, beside which only `limit` may be given."""
    assert set(asked.query) <= {"limit", "page_info"}
    start, size = start_of(asked.query.get("page_info")), int(asked.query.get("limit", 50))
    size = min(size, 100)
    links = []
    if start:
        links.append(f'<{HOST}{asked.path}?limit={size}&page_info={opaque(start - size)}>; rel="previous"')
    if start + size < len(ROWS):
        links.append(f'<{HOST}{asked.path}?limit={size}&page_info={opaque(start + size)}>; rel="next"')
    return {"products": ROWS[start : start + size]}, {"Link": ", ".join(links)}


def shopify_graphql(asked: Asked) -> Any:
    """GraphQL (Relay's connections): `edges`, `pageInfo`; the last page has a cursor, too."""
    body = asked.json
    assert body["query"].startswith("query")
    start, size = start_of(body["variables"].get("after")), body["variables"]["first"]
    info = {"hasNextPage": start + size < len(ROWS), "endCursor": opaque(start + size)}
    edges = [{"cursor": opaque(at), "node": row} for at, row in enumerate(ROWS[start : start + size], start + 1)]
    return {"data": {"products": {"edges": edges, "pageInfo": info}}}


def notion(asked: Asked) -> Any:
    """Queries are POSTs; `start_cursor` may not be null; `next_cursor` is null on the last page."""
    body = asked.json
    assert body.get("start_cursor", "x") is not None
    start, size = start_of(body.get("start_cursor")), min(body.get("page_size", 100), 100)
    more = start + size < len(ROWS)
    told = {"next_cursor": opaque(start + size) if more else None, "has_more": more}
    return {"object": "list", "results": ROWS[start : start + size], **told, "type": "page"}


def drf_page(asked: Asked) -> Any:
    """PageNumberPagination; a page behind the last is a 404."""
    page = int(asked.query.get("page", 1))
    if (page - 1) * 100 >= len(ROWS):
        return {"detail": "Invalid page."}, {}, 404
    following = f"{HOST}{asked.path}?page={page + 1}" if page * 100 < len(ROWS) else None
    return {"count": len(ROWS), "next": following, "previous": None, "results": ROWS[(page - 1) * 100 :][:100]}


def drf_offset(asked: Asked) -> Any:
    """LimitOffsetPagination."""
    offset, limit = int(asked.query.get("offset", 0)), int(asked.query.get("limit", 100))
    return {"count": len(ROWS), "next": "unused", "previous": None, "results": ROWS[offset : offset + limit]}


def drf_cursor(asked: Asked) -> Any:
    """CursorPagination: the URL of the next page has the cursor."""
    start = start_of(asked.query.get("cursor"))
    following = f"{HOST}{asked.path}?cursor={opaque(start + 100)}" if start + 100 < len(ROWS) else None
    return {"next": following, "previous": None, "results": ROWS[start : start + 100]}


def datasette(asked: Asked) -> Any:
    """Tables as JSON: `_size` of 1,000 at most; `next` is null on the last page."""
    start, size = int(asked.query.get("_next", 0)), min(int(asked.query.get("_size", 100)), 100)
    more = str(start + size) if start + size < len(ROWS) else None
    return {"ok": True, "next": more, "rows": ROWS[start : start + size], "truncated": False}


def json_server(asked: Asked) -> Any:
    """0.17: bare lists, and Link as soon as `_page` is given."""
    page, size = int(asked.query["_page"]), int(asked.query.get("_limit", 10))
    link = f'<{HOST}{asked.path}?_page={page + 1}&_limit={size}>; rel="next"' if page * size < len(ROWS) else ""
    return ROWS[(page - 1) * size :][:size], {"Link": link} if link else {}


STYLES = {
    "GitHub": (github, "get: /items"),
    "GitHub, search": (github_search, "get: /items"),
    "Stripe": (stripe, "get: /items"),
    "Slack": (slack, "get: /items"),
    "Google": (google, "get: /items"),
    "OData": (odata, "get: /items"),
    "Shopify": (shopify, "get: /items"),
    "Shopify, GraphQL": (shopify_graphql, "post: /graphql, json: object"),
    "Notion": (notion, "post: /query, json: object"),
    "Django REST framework, by page": (drf_page, "get: /items"),
    "Django REST framework, by offset": (drf_offset, "get: /items"),
    "Django REST framework, by cursor": (drf_cursor, "get: /items"),
    "datasette": (datasette, "get: /items"),
    "json-server": (json_server, "get: /items, query: {_page: {type: integer, value: 1}}"),
}
BODIES = {
    "Shopify, GraphQL": {"query": "query($first: Int, $after: String) {...}", "variables": {"first": 100}},
    "Notion": {"filter": {"property": "Status"}},
}
