"""How the pages of a collection follow each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from callsheet.settings.reasons import chosen

PageKind = Literal["page", "offset", "cursor", "next", "link"]
PAGE_KINDS: tuple[PageKind, ...] = get_args(PageKind)
NUMBERS = ("page", "offset")
"""The kinds whose positions are numbers that we count ourselves."""
LINKS = ("next", "link")
"""The kinds whose positions are URLs that the service gives."""


@dataclass(frozen=True, slots=True)
class PageSize:
    """The parameter that asks for so many items on a page."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class Paginate:
    """How one page leads to the next.

    `name` is the parameter that takes the position; of `next` it is the path of the URL, of `link` the relation. `source`
    (`from` on the sheet), `total`, `total_pages` and `has_more` are paths into the body, or `header:NAME`.
    """

    kind: PageKind
    name: str
    source: str | None = chosen(None, "Where the next cursor stands")
    into: Literal["query", "json", "form", "header"] = chosen("query", "The part of the request that has the position")
    items: str | None = chosen(None, "The list of items (None: the whole body)")
    size: PageSize | None = chosen(None, "How many items to ask for (None: as many as the service likes)")
    start: int | None = chosen(None, "The first number (None: page 1, offset 0)")
    step: int | None = chosen(None, "From one number to the next (None: 1, or as many items as came)")
    total: str | None = chosen(None, "How many items there are; the walk ends there")
    total_pages: str | None = chosen(None, "How many pages there are; the walk ends there")
    has_more: str | None = chosen(None, "Whether there are more; false ends the walk")
    end: Literal["empty", "absent"] = chosen("empty", "The cursor of the last page (empty, null or none)")
    direction: Literal["next", "previous"] = chosen("next", "Which way")
    max_pages: int = chosen(10_000, "More pages are an error (10,000: a walk that long is rather one without end)")
    max_time: float | None = chosen(None, "A longer walk is an error (None: each page has its own timeout)")

    @property
    def is_number(self) -> bool:
        """Whether positions are numbers."""
        return self.kind in NUMBERS

    @property
    def is_link(self) -> bool:
        """Whether positions are URLs."""
        return self.kind in LINKS
