"""One collection in every style of paging: 250 items, the same every time."""

import base64
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callsheet.practice.problems import Problem
from callsheet.practice.request_values import integer, switch

ITEMS = 250
LARGEST_PAGE = 100


def routes() -> list[Route]:
    """Where the pages are served."""
    return [
        Route("/pages/numbered", numbered),
        Route("/pages/offset", by_offset),
        Route("/pages/cursor", by_cursor),
        Route("/pages/link", by_link),
        Route("/pages/next", by_next),
        Route("/pages/endless", endless),
    ]


async def numbered(request: Request) -> Response:
    """`?page=` and `?size=`; the body says `total` and `pages`."""
    page, size, total = page_of(request), size_of(request, "size"), total_of(request)
    rows = items((page - 1) * size, size, total)
    return JSONResponse({"results": rows, "page": page, "size": size, "total": total, "pages": -(-total // size)})


async def by_offset(request: Request) -> Response:
    """`?offset=` and `?limit=`; the body says `total`."""
    offset, limit, total = integer(request, "offset", 0, most=10**9), size_of(request, "limit"), total_of(request)
    return JSONResponse({"results": items(offset, limit, total), "offset": offset, "limit": limit, "total": total})


async def by_cursor(request: Request) -> Response:
    """`?cursor=` and `?limit=`; the body gives `next_cursor`, null on the last page."""
    limit, total = size_of(request, "limit"), total_of(request)
    start = after_cursor(request.query_params.get("cursor", ""))
    is_last = start + limit >= total
    cursor = None if is_last else cursor_after(start + limit)
    return JSONResponse({"results": items(start, limit, total), "next_cursor": cursor, "has_more": not is_last})


async def by_link(request: Request) -> Response:
    """`?page=` and `?size=`; the body is a bare list, the neighbours stand in the Link header (RFC 8288)."""
    page, size, total = page_of(request), size_of(request, "size"), total_of(request)
    last = max(1, -(-total // size))
    neighbours = {"first": 1, "prev": page - 1, "next": page + 1, "last": last}
    links = [f'<{address(request, n)}>; rel="{rel}"' for rel, n in neighbours.items() if 1 <= n <= last]
    headers = {"Link": ", ".join(links), "X-Total-Count": str(total)}
    return JSONResponse(items((page - 1) * size, size, total), headers=headers)


async def by_next(request: Request) -> Response:
    """The body gives `next`, a path (or a URL with `?absolute=true`), null on the last page."""
    page, size, total = page_of(request), size_of(request, "size"), total_of(request)
    absolute = switch(request, "absolute", default=False)
    origin = str(request.base_url).rstrip("/") if absolute else ""
    following = None if page * size >= total else origin + address(request, page + 1)
    return JSONResponse({"results": items((page - 1) * size, size, total), "next": following})


async def endless(request: Request) -> Response:
    """A broken service: every page names itself as the next one."""
    return JSONResponse({"results": items(0, 10, ITEMS), "next_cursor": "again", "next": address(request, 1)})


def items(start: int, size: int, total: int) -> list[dict[str, Any]]:
    """The items of one page."""
    return [{"id": number, "name": f"item {number}"} for number in range(start + 1, min(start + size, total) + 1)]


def page_of(request: Request) -> int:
    """The number of the page asked for."""
    return integer(request, "page", 1, least=1, most=1_000_000)


def size_of(request: Request, name: str) -> int:
    """How many items a page is to hold."""
    return integer(request, name, 20, least=1, most=LARGEST_PAGE)


def total_of(request: Request) -> int:
    """How large the collection is; `?total=` makes it another size."""
    return integer(request, "total", ITEMS, most=100_000)


def address(request: Request, page: int) -> str:
    """The path of another page, with the rest of the query kept."""
    rest = [(name, value) for name, value in request.query_params.multi_items() if name != "page"]
    return f"{request.url.path}?{urlencode([*rest, ('page', page)])}"


def cursor_after(start: int) -> str:
    """The opaque cursor of the page that begins after so many items."""
    return base64.urlsafe_b64encode(f"after:{start}".encode()).decode().rstrip("=")


def after_cursor(cursor: str) -> int:
    """How many items come before the page of this cursor. Raises Problem (422) for a cursor that was not given out."""
    if not cursor:
        return 0
    try:
        word, _, start = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(":")
        if word == "after":
            return int(start)
    except ValueError:
        pass
    raise Problem(422, "query parameter `cursor` must be the next_cursor of an earlier page")
