"""Reading requests: query parameters within bounds, and JSON bodies as models, or a problem that says what is wrong."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from callsheet.practice.problems import Problem

Model = TypeVar("Model", bound=BaseModel)
Number = TypeVar("Number", int, float)


def integer(request: Request, name: str, default: int, *, least: int = 0, most: int) -> int:
    """A whole number from the query."""
    text = request.query_params.get(name, str(default))
    return within(name, read_as(int, "a whole number", name, text), least, most)


def number(request: Request, name: str, default: float, *, least: float = 0.0, most: float) -> float:
    """A number from the query, such as a count of seconds."""
    text = request.query_params.get(name, str(default))
    return within(name, read_as(float, "a number", name, text), least, most)


def read_as(kind: Callable[[str], Number], expected: str, name: str, text: str) -> Number:
    """The text of a query parameter as a number. Raises Problem naming what was expected."""
    try:
        return kind(text)
    except ValueError:
        raise unreadable(name, text, expected) from None


def choice(request: Request, name: str, options: Sequence[str]) -> str:
    """A query parameter that is one of the options; the first option if it is left out."""
    text = request.query_params.get(name, options[0])
    if text not in options:
        raise unreadable(name, text, " or ".join(options))
    return text


def switch(request: Request, name: str, *, default: bool) -> bool:
    """`true` or `false` from the query."""
    return choice(request, name, ("true", "false") if default else ("false", "true")) == "true"


def header_values(request: Request, name: str) -> list[str]:
    """Every value of a query parameter, to be sent back in a header. Refuses characters that could end the header."""
    values = request.query_params.getlist(name)
    for value in values:
        if not (value.isascii() and value.isprintable()):
            raise unreadable(name, value, "printable ASCII")
    return values


def path_integer(request: Request, name: str, *, least: int = 0, most: int) -> int:
    """A whole number from the path."""
    text = request.path_params[name]
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise unreadable(name, text, "a whole number", place="path")
    return within(name, int(text), least, most, place="path")


def within(name: str, value: Number, least: Number, most: Number, *, place: str = "query") -> Number:
    """The value. Raises Problem if it does not lie between the bounds."""
    if not least <= value <= most:
        raise unreadable(name, str(value), f"from {least} to {most}", place=place)
    return value


def unreadable(name: str, text: str, expected: str, *, place: str = "query") -> Problem:
    """The 422 for a parameter that is not what was expected."""
    detail = f"{place} parameter `{name}` must be {expected}, not {text[:40]!r}"
    return Problem(422, detail, errors=[{"parameter": name, "detail": detail}])


async def json_body(request: Request, model: type[Model]) -> Model:
    """The body as a model; 415 if it is not declared as JSON, 400 if it does not parse, 422 if it does not fit."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json" and not declared.endswith("+json"):
        raise Problem(415, f"expected a body of type application/json, found {declared or 'none declared'}")
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        raise misfit(error) from None


def misfit(error: ValidationError) -> Problem:
    """The 400 or 422 for a body that does not fit its model, with a JSON pointer to each field that does not."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        return Problem(400, found[0]["msg"])
    errors = [{"pointer": pointer(fault["loc"]), "detail": fault["msg"]} for fault in found]
    return Problem(422, f"{len(errors)} of the body's fields do not fit", errors=errors)


def pointer(location: Sequence[str | int]) -> str:
    """A JSON pointer (RFC 6901) as a URI fragment."""
    return "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in location)
