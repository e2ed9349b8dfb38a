"""All that a user, a log, a debugger or a crash reporter could see of a call, and how a secret may be spelled there."""

import base64
import json
import pickle
import re
import traceback
import warnings
from typing import get_args
from urllib.parse import quote

from rich.pretty import pretty_repr
from rich.traceback import Traceback

from callsheet import APIError, Event
from callsheet.http.response import Response


class Hidden:
    """Holds what a test knows and no frame of its own may show: the frames of a test are in the traceback, too."""

    def __init__(self, value):
        self.value = value

    def __repr__(self):
        return "<hidden>"


def spellings(canary: str) -> list[str]:
    """A text as it is, in URLs, in JSON, in `repr`, in Base64 (alone, and as the password of `ada`)."""
    quoted = quote(canary, safe="", errors="replace")
    lower = re.sub("%..", lambda found: found[0].lower(), quoted)
    coded = [base64.b64encode(text.encode()).decode().rstrip("=") for text in (canary, f"ada:{canary}")]
    found = [canary, quoted, lower, quoted.replace("%20", "+"), quote(canary), json.dumps(canary)[1:-1]]
    found += [repr(canary)[1:-1], json.dumps(canary, ensure_ascii=False)[1:-1], *coded]
    return list(dict.fromkeys([*found, *(each.encode().decode("latin-1") for each in found)]))


class Seen:
    """Collects texts, each with where it was seen."""

    def __init__(self):
        self.texts: list[tuple[str, str]] = []

    def __repr__(self):
        return "<seen>"

    def text(self, where, text):
        self.texts.append((where, text))

    def thing(self, where, thing):
        self.text(where, f"{thing!r} {thing} {pretty_repr(thing, max_string=None)}")

    def listen(self, event):
        self.thing("event", event)

    listen.wants = get_args(Event)

    def answer(self, answer):
        if not isinstance(answer, Response):
            return
        for where in ("request", "headers", "url", "problem", "links"):
            if where != "links":
                self.thing(f"response.{where}", getattr(answer, where))
        self.thing("response", answer)
        self.thing("request.headers", answer.request.headers)
        self.text("pickled response", pickle.dumps(answer).decode("latin-1"))

    def error(self, error):
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        self.text("traceback with locals", "".join(told.format()))
        self.text("traceback as rich shows it", rich_locals(error))
        self.text("pickled error", pickle.dumps(error).decode("latin-1"))
        for each in chain(error):
            self.thing("error", each)
            self.thing("arguments", each.args)
            self.thing("notes", getattr(each, "__notes__", ()))
            self.thing("facts", {name: value for name, value in vars(each).items() if name != "response"})
            if not isinstance(each, APIError):
                self.thing("foreign exception", vars(each))
        self.answer(getattr(error, "response", None))

    def leaks(self, canaries):
        """Where any spelling of any of them was seen."""
        wanted = [each for canary in canaries for each in spellings(canary)]
        return sorted({where for where, text in self.texts if any(each in text for each in wanted)})


def chain(error):
    """The error, its causes and contexts, also those that are not shown."""
    found, left = [], [error]
    while left:
        each = left.pop()
        if each is not None and each not in found:
            found.append(each)
            left += [each.__cause__, each.__context__]
    return found


def rich_locals(error) -> str:
    """Every local variable that rich would show, without the colours, which take most of its time."""
    trace = Traceback.extract(
        type(error), error, error.__traceback__, show_locals=True, locals_max_length=None, locals_max_string=None,
        locals_hide_dunder=False, locals_hide_sunder=False,
    )  # fmt: skip
    nodes = (node for stack in trace.stacks for frame in stack.frames for node in (frame.locals or {}).values())
    return "\n".join("".join(node.iter_tokens()) for node in nodes) + "".join(stack.exc_value for stack in trace.stacks)


def looked_at(seen: Seen, work) -> None:
    """Do it; what it raises, and what it warns of, is seen."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            seen.answer(work())
        except BaseException as error:
            seen.error(error)
    for warning in warned:
        seen.thing("warning", warning.message)
