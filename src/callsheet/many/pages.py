"""Which page follows which: the walk over pages, without sending anything.

Theory of operation. `first()` is where to begin; `after(now, answer)` says where the next page is, or None: the walk is
over as soon as one of the rules that the sheet declares says so, whatever the others say. `check(answer)` refuses a page
that came before. A walk never goes on for ever: positions that are numbers only ever move one way and end at an empty
page, others may not come twice, and `max_pages` bounds them all.

What is remembered to find a loop is a number of 64 bits for each page, so that memory does not grow with the items.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from callsheet.errors import ArgumentError, PageLoop, Refused, ValidationError
from callsheet.http.json_path import MISSING
from callsheet.http.response import Response
from callsheet.many.positions import Position
from callsheet.settings.pages import Paginate
from callsheet.values.page_items import PageContent, Source

FIRST = {"page": 1, "offset": 0}
BACK = {"next": ("prev", "previous")}
"""The relations of the page before, where the sheet names that of the page after."""


@dataclass(slots=True)
class PageAnswer:
    """An answer and what was read of it. `resolve` makes a link in it absolute; `url`, that of its request, is made by it, too."""

    response: Response
    content: PageContent
    url: str
    resolve: Callable[[str], str]


class Walker:
    """The rules of one walk. `start` is what the caller gave as the position of the first page, `size` as that of a page."""

    def __init__(self, settings: Paginate, start: Any = None, size: Any = None) -> None:
        self.settings = settings
        self._start = start
        self._back = settings.direction == "previous"
        self._step = settings.step or (size if self._back and isinstance(size, int) else None)
        self._sources = {
            name: Source(text)
            for name in ("source", "total", "total_pages", "has_more")
            if (text := getattr(settings, name)) is not None
        }
        if settings.kind == "next":
            self._sources["source"] = Source(settings.name)
        self._positions: set[int] = set()
        self._samples: set[int] = set()
        self._pages = 0

    def first(self) -> Position:
        """Where the walk begins. Raises ArgumentError for a number that is none."""
        settings, start = self.settings, self._start
        if not settings.is_number:
            return Position(start)
        if start is None:
            if self._back and settings.start is None:
                raise ArgumentError(f"`{settings.name}`: a walk to previous pages begins at one: give its number")
            start = FIRST[settings.kind] if settings.start is None else settings.start
        number = int(start) if isinstance(start, str) and DIGITS.fullmatch(start) else start
        if type(number) is not int or number < 0:
            raise ArgumentError(f"`{settings.name}`: expected a whole number, 0 or more, found {str(start)[:40]!r}")
        if self._back and settings.kind == "offset" and number % (self._step or 1):
            raise ArgumentError(
                f"`{settings.name}`: {number} is no multiple of {self._step}, the step of this walk back"
            )
        return Position(number)

    def check(self, now: Position, answer: PageAnswer) -> None:
        """Raise PageLoop for a page that has come before, however it was asked for."""
        self._pages += 1
        self._positions.add(_mark(answer.url if now.at is None else now.at))
        sample = _sample(answer.content.items)
        if sample is None:
            return
        if sample in self._samples:
            hint = "does the service ignore the parameter that asks for another page?"
            raise _loop(answer.response, f"page {now.number} has the items of an earlier page; {hint}")
        self._samples.add(sample)

    def after(self, now: Position, answer: PageAnswer) -> Position | None:
        """Where the next page is, None at the end. Raises ValidationError for a total or a cursor that cannot be one."""
        items = answer.content.items
        seen = now.seen + len(items)
        if self._has_more(answer) is False or self._is_complete(now, answer):
            return None
        at = self._number_after(now.at, len(items)) if self.settings.is_number else self._token_in(answer)
        return None if at is None else Position(at, now.number + 1, seen)

    def admit(self, position: Position, last: Response) -> None:
        """Raise PageLoop for a position that was visited, Refused for one page more than `max_pages`."""
        if _mark(position.at) in self._positions:
            what = "the link" if self.settings.is_link else "the cursor"
            raise _loop(last, f"{what} to page {position.number} leads back to an earlier page")
        if self._pages >= self.settings.max_pages:
            most = self.settings.max_pages
            raise Refused(
                f"there are more than {most:,} pages; raise `paginate.max_pages` ({most}) if they are all wanted",
                stopped_by="max_pages",
            )

    def known_positions(self, now: Position, answer: PageAnswer) -> range:
        """The numbers of the pages after this one, if it tells how many there are; else none of them."""
        count = len(answer.content.items)
        pages, total = self.count("total_pages", answer), self.count("total", answer)
        if self._back or not count or (pages is None and total is None):
            return range(0)
        number, seen = self._reached(now, count)
        more = pages - number if pages is not None else -(-((total or 0) - seen) // count)
        step = self._step or (1 if self.settings.kind == "page" else count)
        return range(now.at + step, now.at + step * (min(more, self.settings.max_pages) + 1), step)

    def _number_after(self, at: int, count: int) -> int | None:
        """The next number; none behind an empty page, nor before the first one."""
        if not count:
            return None
        kind = self.settings.kind
        step = self._step or (1 if kind == "page" else count)
        if not self._back:
            return at + step
        return at - step if at - step >= FIRST[kind] else None

    def _token_in(self, answer: PageAnswer) -> Any:
        """The cursor of the next page, or its absolute URL; None if there is none."""
        settings = self.settings
        if settings.kind == "link":
            links = answer.response.links
            names = BACK.get(settings.name, (settings.name,)) if self._back else (settings.name,)
            found: Any = next((links[name]["url"] for name in names if name in links), None)
        else:
            found = self._sources["source"].find(answer.content.document, answer.response)
        if found is MISSING or found is None or found is False:
            return None
        if settings.is_link:
            if not isinstance(found, str):
                raise self._misfit("source", "a URL", found, answer)
            return answer.resolve(found) if found.strip() else None
        if isinstance(found, bool) or not isinstance(found, str | int | float):
            raise self._misfit("source", "a text or a number", found, answer)
        return None if settings.end == "empty" and found in ("", 0) else found

    def _has_more(self, answer: PageAnswer) -> bool | None:
        """Whether the answer says that there are more; None if it says nothing of it."""
        if "has_more" not in self._sources:
            return None
        found = self._sources["has_more"].find(answer.content.document, answer.response)
        if found is MISSING or found is None:
            return None
        said = WORDS.get(str(found).strip().lower())
        if said is None:
            raise self._misfit("has_more", "true or false", found, answer)
        return said

    def _is_complete(self, now: Position, answer: PageAnswer) -> bool:
        """Whether as many items or pages came as there are."""
        total, pages = self.count("total", answer), self.count("total_pages", answer)
        number, seen = self._reached(now, len(answer.content.items))
        return (total is not None and seen >= total) or (pages is not None and number >= pages)

    def _reached(self, now: Position, count: int) -> tuple[int, int]:
        """How many pages and items lie behind this page, those before the one that the caller began with included."""
        number, seen, first = now.number, now.seen + count, self.settings.start
        if self.settings.kind == "page" and not self._back:
            number = max(number, now.at - (1 if first is None else first) + 1)
        if self.settings.kind == "offset" and not self._back:
            seen = max(seen, now.at - (first or 0) + count)
        return number, seen

    def count(self, name: str, answer: PageAnswer) -> int | None:
        """The `total`, or the `total_pages`, that an answer tells; None if it tells none. Raises ValidationError."""
        if name not in self._sources:
            return None
        found = self._sources[name].find(answer.content.document, answer.response)
        if found is MISSING or found is None:
            return None
        if isinstance(found, str) and DIGITS.fullmatch(found.strip()):
            return int(found)
        if isinstance(found, float) and found.is_integer():
            found = int(found)
        if type(found) is not int or found < 0:
            raise self._misfit(name, "a number of items" if name == "total" else "a number of pages", found, answer)
        return found

    def _misfit(self, name: str, expected: str, found: Any, answer: PageAnswer) -> ValidationError:
        response, where = answer.response, self._sources[name].text
        shown = response.masked(repr(found))[:60]
        message = f"{response.status_code}: `{where}` of the page: expected {expected}, found {shown}"
        error = {"type": "page", "loc": tuple(where.split(".")), "msg": f"expected {expected}"}
        return ValidationError(message, errors=(error,), **response.facts())


DIGITS = re.compile(r"[0-9]{1,18}")
WORDS = {"true": True, "false": False, "1": True, "0": False}


def _mark(at: Any) -> int:
    """By what a position is remembered. Not its own hash: those of -1 and -2 are equal."""
    return hash(repr(at))


def _sample(items: list[Any]) -> int | None:
    """By what a page is known again: how many items it has, and four of them. None if these do not differ: then they have no
    identity, and two pages of them may well be alike.
    """
    count = len(items)
    shown = [repr(items[at]) for at in sorted({0, count // 3, 2 * count // 3, count - 1})] if items else []
    return hash((count, *shown)) if shown and len(set(shown)) == len(shown) else None


def _loop(response: Response, message: str) -> PageLoop:
    return PageLoop(message, **response.facts())
