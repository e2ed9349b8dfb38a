"""JSON whose numbers keep their digits, typed or answered: as a float, `12345678901234567890.123` would be another number."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.text import Text


def loads(content: str | bytes) -> Any:
    """The value of a document; its fractions are decimals that are sent, and shown, as they are written. Raises ValueError."""
    from callsheet.values.text import SpelledDecimal

    return _parsed(content, SpelledDecimal.of)


def loads_values(content: str | bytes) -> Any:
    """The same, but a fraction is a decimal only where a float is another number: `1.50` is shown as `1.5`."""
    from callsheet.values.text import SpelledDecimal

    def fraction(text: str) -> float | SpelledDecimal:
        """The float, if it is the same number."""
        exact, value = SpelledDecimal.of(text), float(text)
        return value if Decimal(repr(value)) == exact else exact

    return _parsed(content, fraction)


def _parsed(content: str | bytes, fraction: Callable[[str], Any]) -> Any:
    from callsheet.http import json as checked

    checked.loads(content)
    text = content if isinstance(content, str) else content.decode()
    return json.loads(text.removeprefix("\ufeff"), parse_float=fraction)


def dumps(value: Any, **layout: Any) -> str:
    """The value as JSON; `layout` is that of `json.dumps`."""
    from callsheet.http.json import marked, unmarked

    text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=marked, **layout)
    return unmarked(text.encode("utf-8", "replace")).decode()


def coloured(text: str) -> Text:
    """A document in the colours of JSON."""
    from rich.highlighter import JSONHighlighter
    from rich.text import Text

    found = Text(text, no_wrap=True, overflow="ignore")
    JSONHighlighter().highlight(found)
    return found
