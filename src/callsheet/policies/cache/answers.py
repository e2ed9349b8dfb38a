"""Answers made of stored ones, and the requests that ask if those are still good."""

from __future__ import annotations

from callsheet.http.caching import cache_status
from callsheet.http.caching.dates import http_date
from callsheet.http.caching.fields import directives, first, storable_fields, values
from callsheet.http.caching.freshness import Facts
from callsheet.http.caching.reuse import is_met
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.stores.base import Entry


def made(
    status: int, request: Request, fields: tuple[tuple[str, str], ...], content: bytes = b"", reason: str = ""
) -> Response:
    """An answer whose codings need not be undone any more."""
    answer = Response(status, request=request, headers=Headers(fields), content=content, reason_phrase=reason)
    answer.undone = None
    return answer


def shown_fields(entry: Entry) -> tuple[tuple[str, str], ...]:
    """The fields of a stored answer but for its age, which is reckoned anew."""
    return tuple(field for field in entry.fields if field[0].lower() != "age")


def answer_of(entry: Entry, shown: tuple[tuple[str, str], ...], request: Request, age: float) -> Response:
    """The answer that an entry stands for, with the `shown` fields and its age (RFC 9111 5.1)."""
    content = b"" if request.method == "HEAD" else entry.body
    answer = made(entry.status, request, (*shown, ("Age", str(max(0, int(age))))), content, entry.reason)
    answer.from_cache = True
    return answer


def if_changed(answer: Response, entry: Entry, request: Request) -> Response:
    """The stored answer, or a 304 where the caller's own copy is still good (RFC 9111 4.3.2)."""
    fields = request.headers
    since = http_date(fields["If-Modified-Since"]) if "If-Modified-Since" in fields else None
    changed = http_date(first(entry.fields, "last-modified") or first(entry.fields, "date") or "")
    if not is_met(fields.get_list("If-None-Match"), since, first(entry.fields, "etag"), changed):
        return answer
    short = made(304, request, tuple(answer.headers.multi_items()), reason="Not Modified")
    short.from_cache, short.cache_status = True, answer.cache_status
    return short


def shared(failure: Response, request: Request, why: str) -> Response:
    """The failure that another call was answered with, as this one's."""
    fields = tuple(failure.headers.multi_items())
    answer = made(failure.status_code, request, fields, failure.content, failure.reason_phrase)
    answer.cache_status = cache_status.forwarded(why, collapsed=True)
    return answer


def conditional(request: Request, facts: Facts) -> Request:
    """The request, asked for an answer only if the stored one is no longer good (RFC 9111 4.3.1)."""
    fields = [("If-None-Match", facts.etag), ("If-Modified-Since", facts.last_modified)]
    return request.with_headers(request.headers.with_fields([(name, value) for name, value in fields if value]))


def stored_fields(answer: Response) -> tuple[tuple[str, str], ...]:
    """The header fields of an answer that are stored."""
    fields = answer.headers.multi_items()
    return storable_fields(fields, directives(values(fields, "cache-control")))
