"""`-v` and `-p HhBb`: the heads and bodies of request and answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from callsheet.cli import exact_json
from callsheet.cli.output import OutputForm, head_of, json_text, show_answer
from callsheet.cli.preview import head_of_request
from callsheet.cli.screen import Screen
from callsheet.cli.shown_body import shown_body

if TYPE_CHECKING:
    from callsheet.http.request import Request
    from callsheet.http.response import Response

FIELD = re.compile(r"(?m)^([!#-9;-~]+):(?= |$)")


class Shown(NamedTuple):
    """What is shown of an exchange: the `parts` that are data, of `HhBb`, and whether to tell all else on the error stream."""

    parts: str
    form: OutputForm
    tells: bool


def show_exchange(
    sent: Request, response: Response | None, shown: Shown, screen: Screen, *, with_body: bool = True
) -> None:
    """Show the parts that are wanted. `sent` is the request with its body; None stands for no answer.

    Without `with_body` the answer's body is shown by another.
    """
    if shown.tells:
        _show_heads(sent, response, "HBh", screen, as_data=False)
    _show_heads(sent, response, shown.parts, screen, as_data=True)
    if response is not None and with_body and "b" in shown.parts:
        show_answer(response, screen, shown.form)


def _show_heads(sent: Request, response: Response | None, parts: str, screen: Screen, *, as_data: bool) -> None:
    request = sent if response is None else response.request
    texts = {
        "H": _painted(head_of_request(request), screen, as_data=as_data) if "H" in parts else "",
        "B": _coloured_json(shown_body(sent, screen), screen, as_data=as_data) if "B" in parts else "",
        "h": _painted(head_of(response), screen, as_data=as_data) if response and "h" in parts else "",
    }
    for part in filter(texts.get, texts):
        screen.put(texts[part] if parts == part else f"{texts[part]}\n", as_data=as_data)


def _coloured_json(text: str, screen: Screen, *, as_data: bool) -> str:
    """The text, with the colours of JSON if it is that and they are wanted."""
    if not (screen.has_colour and (as_data or screen.errors_have_colour)):
        return text
    try:
        return screen.rendered(exact_json.coloured(json_text(exact_json.loads(text)))).rstrip("\n")
    except ValueError:
        return text


def _painted(head: str, screen: Screen, *, as_data: bool) -> str:
    if not (screen.has_colour if as_data else screen.errors_have_colour):
        return head
    first, *fields = head.split("\n")
    return "\n".join([f"\x1b[1m{first}\x1b[0m", *(FIELD.sub("\x1b[36m\\1\x1b[0m:", field) for field in fields)])
