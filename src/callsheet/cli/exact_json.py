"""JSON whose numbers keep their digits, typed or answered: as a float, `12345678901234567890.123` would be another number."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any


def loads(content: str | bytes, fraction: Callable[[str], Any] | None = None) -> Any:
    """The value of a document; what `fraction` makes of those in it, by default what is sent as it is written. Raises ValueError."""
    from callsheet.http.json import loads as checked
    from callsheet.values.text import SpelledDecimal

    content = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    checked(content)
    return json.loads(content, parse_float=fraction or SpelledDecimal)


def shown(fraction: str) -> float | Decimal:
    """A fraction of an answer: a float, if that is the same number, so that `1.50` is shown as `1.5`."""
    value, exact = float(fraction), Decimal(fraction)
    return value if Decimal(repr(value)) == exact else exact


def dumps(value: Any, **layout: Any) -> str:
    """The value as JSON; `layout` is that of `json.dumps`."""
    from callsheet.http.json import marked, unmarked

    text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=marked, **layout)
    return unmarked(text.encode("utf-8", "replace")).decode()


def coloured(text: str) -> Any:
    """A document in the colours of JSON; rich's own class for that would parse it."""
    from rich.highlighter import JSONHighlighter

    return JSONHighlighter()(text)
