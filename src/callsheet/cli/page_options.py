"""The options of `call` that walk over pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal

import click

from callsheet.errors import UsageError

if TYPE_CHECKING:
    from callsheet.cli.preview_or_send import Wishes

ItemForm = Literal["ndjson", "json", "csv"]
NOT_WITH_ALL = ("stream", "download", "resume", "idempotency_key")


@dataclass(slots=True)
class PageWishes:
    """The options, as they were given; `form` is how items are shown."""

    everything: bool = False
    from_position: str | None = None
    max_pages: int | None = None
    form: ItemForm = "ndjson"

    def check(self, wishes: Wishes) -> None:
        """Take the form from the other options. Raises UsageError for options that contradict."""
        if not self.everything:
            if self.from_position is not None or self.max_pages is not None:
                raise UsageError("--from and --max-pages are for a walk over pages: give --all")
            wishes.check()
            return
        others = [name for name in NOT_WITH_ALL if getattr(wishes, name)]
        if others:
            name = {"resume": "continue"}.get(others[0], others[0].replace("_", "-"))
            raise UsageError(f"--all and --{name} contradict each other: give one")
        if wishes.output in ("raw", "headers"):
            raise UsageError(f"--all prints items, and `-o {wishes.output}` an answer: choose ndjson, json or csv")
        self.form = wishes.output or "ndjson"  # type: ignore[assignment]


def page_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a walk over pages, as one argument `walk`."""

    @click.option("--all", "everything", is_flag=True, help="Every item, page by page, as the sheet's `paginate` says.")
    @click.option("--from", "from_position", metavar="POSITION", help="Go on where an earlier --all ended.")
    @click.option("--max-pages", type=click.IntRange(min=1), metavar="N", help="End after so many pages.")
    @wraps(function)
    def command(everything: bool, from_position: str | None, max_pages: int | None, **rest: Any) -> Any:
        """Call the command with PageWishes in place of the three options."""
        return function(walk=PageWishes(everything, from_position, max_pages), **rest)

    return command
