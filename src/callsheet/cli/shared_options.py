"""The options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from callsheet.cli.find_sheet import Wanted

Command = Callable[..., Any]
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}


class Duration(click.ParamType[float]):
    """`5`, `5s`, `250ms`, `2m`: a number of seconds above 0."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The duration in seconds. Fails with a usage error."""
        found = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|m|h|)", str(value))
        seconds = float(found[1]) * SECONDS[found[2]] if found else 0.0
        if seconds <= 0:
            self.fail(f"{value!r}: expected a duration above 0, such as 5s, 250ms or 2m", param, ctx)
        return seconds


class Parts(click.ParamType[str]):
    """`HhBb`: of the request (capitals) and the answer the heads (h) and the bodies (b)."""

    name = "HhBb"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The letters. Fails with a usage error."""
        if set(value) - set("HhBb"):
            self.fail(
                f"{value!r}: expected some of H, B (the request's head and body), h, b (the answer's)", param, ctx
            )
        return str(value)


FILE = click.option(
    "--file", "file", metavar="FILE", help="The sheet; else CALLSHEET_FILE, else the nearest callsheet.yaml."
)
ENV = click.option("--env", "-e", metavar="NAME", help="The environment; else CALLSHEET_ENV, else the sheet's default.")
ENV_FILES = click.option(
    "--env-file", "env_files", multiple=True, metavar="FILE", help="A .env file with variables for ${NAME}."
)


def sheet_options(function: Command) -> Command:
    """Give a command the options `--file --env --env-file`, from before or after its name, as one argument `wanted`."""

    @FILE
    @ENV
    @ENV_FILES
    @wraps(function)
    def command(file: str | None, env: str | None, env_files: tuple[str, ...], **rest: Any) -> Any:
        before = click.get_current_context().find_root().params
        wanted = Wanted(
            file or before.get("file"), env or before.get("env"), (*before.get("env_files", ()), *env_files)
        )
        return function(wanted=wanted, **rest)

    return command


def call_options(function: Command) -> Command:
    """Give a command the options that `call` and `request` share."""
    for option in reversed(CALL_OPTIONS):
        function = option(function)
    return function


CALL_OPTIONS = (
    click.option("--json", "body", metavar="JSON", help="The whole body: JSON, @FILE or @- for stdin."),
    click.option("--form", "-f", is_flag=True, help="Fields are a form, not JSON; with files multipart, as always."),
    click.option("--ignore-stdin", "-I", is_flag=True, help="Do not take a pipe or file on stdin for the body."),
    click.option("--timeout", "-t", type=Duration(), metavar="TIME", help="The call ends within this: 5s, 250ms, 2m."),
    click.option("--attempts", type=click.IntRange(min=1), metavar="N", help="Tries in all."),
    click.option("--no-retry", is_flag=True, help="One try only."),
    click.option("--idempotency-key", metavar="KEY", help="Sent as Idempotency-Key; makes a POST safe to repeat."),
    click.option(
        "--cache", type=click.Choice(["refresh", "off", "only", "no-store"]), help="What is wanted of stored answers."
    ),
    click.option(
        "--output",
        "-o",
        type=click.Choice(["json", "ndjson", "csv", "raw", "headers"]),
        help="How the answer is shown.",
    ),
    click.option("--stream", "-S", is_flag=True, help="Print the answer line by line, as it comes."),
    click.option("--download", "-d", metavar="PATH", help="Write the answer to this file, or into this folder."),
    click.option("--continue", "-c", "resume", is_flag=True, help="Resume a download that broke off."),
    click.option("--print", "-p", "parts", type=Parts(), help="Print of request (HB) and answer (hb) head and body."),
    click.option("--verbose", "-v", is_flag=True, help="Show each attempt, and request and answer, on stderr."),
    click.option("--dry-run", is_flag=True, help="Print the request, secrets masked, and send nothing."),
    click.option("--curl", is_flag=True, help="Print an equivalent curl command, and send nothing."),
)
