"""Shows an answer on the screen: its bytes as they came, or laid out for a person."""

from __future__ import annotations

import re
from typing import Any, Literal

from callsheet.cli import exact_json
from callsheet.cli.screen import Screen, visible
from callsheet.http.response import REASONS, Response

OutputForm = Literal["auto", "json", "ndjson", "csv", "raw", "headers"]
LOOKED_AT = 64 * 1024
"""Characters of a body that are looked at to tell whether it is binary."""
STEERING = re.compile(r"[\x7f-\x9f]")
"""Control characters that JSON allows unescaped, and that some terminals obey."""


def show_answer(response: Response, screen: Screen, form: OutputForm = "auto") -> None:
    """Put an answer on the data stream: as it came if that is piped, laid out and made harmless on a terminal."""
    if form == "headers":
        screen.print(head_of(response))
    elif form == "json":
        _show_json(response, screen)
    elif form == "ndjson":
        screen.write(ndjson_in(response, screen))
    elif screen.is_terminal and is_binary(response.text[:LOOKED_AT], _kind(response)):
        screen.say(unshown(f"{len(response.content)} bytes of {_kind(response)}"))
    elif form == "raw" or not screen.is_terminal:
        screen.write(response.content)
    else:
        _show_to_a_person(response, screen)


def is_binary(text: str, kind: str) -> bool:
    """Whether decoded bytes of this media type are no text for a terminal."""
    lost = text.count("\ufffd")
    return "\0" in text or lost * 10 > len(text) or (lost > 0 and not kind.startswith("text/"))


def unshown(what: str) -> str:
    """The line that stands for binary data on a terminal."""
    return f"{what}, not shown on a terminal: redirect them, or give --download FILE"


def show_value(value: Any, screen: Screen, form: OutputForm = "auto") -> None:
    """Put a result without an answer, such as a fallback, on the data stream as JSON; nothing for the form `headers`."""
    from callsheet.http.json import dumps

    if form == "headers":
        return
    try:
        plain = exact_json.loads(dumps(value), exact_json.shown)
    except ValueError:  # a type of the program's that JSON does not know
        screen.print(visible(str(value)))
        return
    if form == "ndjson":
        screen.write(b"".join(map(ndjson_of, plain if isinstance(plain, list) else [plain])))
    elif form == "json" or screen.is_terminal:
        show_json(plain, screen)
    else:
        screen.write(dumps(plain) + b"\n")


def head_of(response: Response) -> str:
    """The status line and the header fields."""
    reason = response.reason_phrase or REASONS.get(response.status_code, "")
    lines = [f"HTTP/{response.http_version} {response.status_code} {reason}".rstrip()]
    lines += [f"{name}: {value}" for name, value in response.headers.multi_items()]
    return visible(response.masked("\n".join(lines)))


def _show_json(response: Response, screen: Screen) -> None:
    if not response.content:
        return
    try:
        show_json(exact_json.loads(response.content, exact_json.shown), screen)
    except ValueError:
        screen.say(f"the body is not JSON but {_kind(response)}; here it is as it came")
        show_answer(response, screen)


def ndjson_in(response: Response, screen: Screen) -> bytes:
    """Each element of a JSON array, else each document of the body, on a line of its own; another body is shown as it is."""
    if not response.content:
        return b""
    try:
        return b"".join(map(ndjson_of, documents_in(response.content)))
    except ValueError:
        screen.say(f"the body is not JSON but {_kind(response)}; here it is as it came")
        show_answer(response, screen)
        return b""


def documents_in(content: bytes) -> list[Any]:
    """The elements of an array, or the documents of a body that has one per line. Raises ValueError."""
    try:
        whole = exact_json.loads(content, exact_json.shown)
    except ValueError:
        lines = [line for line in content.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        return [exact_json.loads(line, exact_json.shown) for line in lines]
    return whole if isinstance(whole, list) else [whole]


def ndjson_of(value: Any) -> bytes:
    """A value as one line of JSON."""
    text = exact_json.dumps(value, separators=(",", ":"))
    return STEERING.sub(_as_escape, text).encode("utf-8", "replace") + b"\n"


def show_json(value: Any, screen: Screen) -> None:
    """Put a value on the data stream as JSON on several lines, coloured where that is wanted."""
    screen.write(laid_out(value, screen))


def laid_out(value: Any, screen: Screen) -> bytes:
    """A value as JSON on several lines, coloured where that is wanted."""
    text = json_text(value)
    if screen.has_colour:
        text = screen.rendered(exact_json.coloured(text)).removesuffix("\n")
    return f"{text}\n".encode("utf-8", "replace")


def json_text(value: Any) -> str:
    """A value as JSON on several lines; control characters are escaped, other letters stay."""
    return STEERING.sub(_as_escape, exact_json.dumps(value, indent=2))


def _as_escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _show_to_a_person(response: Response, screen: Screen) -> None:
    if not response.content:
        screen.say(f"{response.status_code} {response.reason_phrase}".rstrip() + " (no body)")
    elif _is_json(response):
        try:
            show_json(exact_json.loads(response.content, exact_json.shown), screen)
        except ValueError:
            screen.print(visible(response.text))
    else:
        screen.print(visible(response.text.removesuffix("\n")))


def _kind(response: Response) -> str:
    return response.field(b"content-type") or "an unnamed type"


def _is_json(response: Response) -> bool:
    kind = (response.field(b"content-type") or "").partition(";")[0].strip().lower()
    return kind.endswith(("/json", "+json"))
