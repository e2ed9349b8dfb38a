"""Short ways to write a sheet in a test."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from callsheet.errors import SheetError
from callsheet.sheet import ServiceSheet, Sheet

HEAD = 'callsheet: 1\nservices:\n  shop:\n    base_url: "https://shop.example"\n'


def parse(text: str, **given: Any) -> Sheet:
    """A sheet of a text, with no variables but those given."""
    return Sheet.parse(textwrap.dedent(text), name="s.yaml", **{"variables": {}, **given})


def shop(lines: str = "", **given: Any) -> ServiceSheet:
    """The service `shop` with these lines of YAML: the first is line 5, and each is indented by four."""
    return parse(HEAD + textwrap.indent(textwrap.dedent(lines), "    "), **given).services["shop"]


def operation(lines: str, **given: Any) -> ServiceSheet:
    """The service `shop` with one operation `op`, whose lines begin on line 7, indented by eight."""
    body = textwrap.indent(textwrap.dedent(lines), "        ")
    return parse(f"{HEAD}    operations:\n      op:\n{body}", **given).services["shop"]


def errors(build: Any, *arguments: Any, **given: Any) -> str:
    """What a sheet is refused with."""
    with pytest.raises(SheetError) as caught:
        build(*arguments, **given)
    return str(caught.value)
