"""`--stream`: prints an answer as it comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from callsheet.cli.output import OutputForm, head_of, is_binary, laid_out, ndjson_in, ndjson_of, unshown
from callsheet.cli.screen import Screen, visible

if TYPE_CHECKING:
    from callsheet.engine.streamed import StreamedResponse


def show_stream(answer: StreamedResponse, screen: Screen, form: OutputForm) -> None:
    """Put an answer on the data stream as it comes, flushing each part; stop when the reader of the stream is gone."""
    with answer:
        if form == "headers":
            screen.print(head_of(answer.response))
            return
        for part in _parts(answer, screen, form):
            screen.write(part)
            if screen.is_over:
                return


def _parts(answer: StreamedResponse, screen: Screen, form: OutputForm) -> Iterator[bytes]:
    if form == "ndjson":
        return _documents(answer, screen)
    if form == "json":
        return (laid_out(value, screen) for value in answer.iter_json_lines())
    if not screen.is_terminal:
        return answer.iter_bytes()
    return _lines(answer, screen, form)


def _lines(answer: StreamedResponse, screen: Screen, form: OutputForm) -> Iterator[bytes]:
    """The lines for a terminal; binary data end it."""
    kind = answer.headers.get("content-type", "")
    for line in answer.iter_lines():
        if is_binary(line, kind):
            length = answer.headers.get("content-length")
            screen.say(unshown(f"{length or 'some'} bytes of {kind or 'an unnamed type'}"))
            return
        yield f"{line if form == 'raw' else visible(line)}\n".encode("utf-8", "replace")


def _documents(answer: StreamedResponse, screen: Screen) -> Iterator[bytes]:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.reads == "lines":
        yield from map(ndjson_of, answer.iter_lines())
    elif answer.reads == "events" or (answer.reads == "bytes" and kind == "text/event-stream"):
        for event in answer.iter_events():
            yield ndjson_of({"id": event.id, "event": event.event, "data": event.data})
    elif answer.reads == "bytes" and (kind == "application/json" or kind.endswith("+json")):
        answer.read()
        yield ndjson_in(answer.response, screen)
    else:
        yield from map(ndjson_of, answer.iter_json_lines())
