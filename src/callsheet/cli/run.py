"""Running one command line: what it raises becomes a line on stderr and an exit code, never a traceback."""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence

import click

from callsheet.cli.app import commands
from callsheet.cli.screen import Screen
from callsheet.errors import APIError

REPORT = "this is a defect in Callsheet: please report it with the output of CALLSHEET_DEBUG=1, which shows where"


def run(arguments: Sequence[str], screen: Screen) -> int:
    """The exit code of a command line. Everything is written to the screen."""
    try:
        code = commands.main(list(arguments), prog_name="callsheet", standalone_mode=False, obj=screen)
    except click.Abort:
        screen.say("interrupted")
        return 130
    except (click.ClickException, APIError, OSError) as error:
        return failed(error, screen)
    except Exception as error:  # noqa: BLE001 - a foreign traceback never reaches the user
        return broken(error, screen)
    return code if isinstance(code, int) else 0


def failed(error: Exception, screen: Screen) -> int:
    """Say what went wrong; the exit code."""
    if os.environ.get("CALLSHEET_DEBUG"):
        screen.say("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, click.ClickException):
        return _misused(error, screen)
    if not isinstance(error, APIError):
        screen.complain(str(error))
        return 1
    from callsheet.cli.exits import code_of

    screen.complain(f"{type(error).__name__}: {error}")
    return code_of(error)


def _misused(error: click.ClickException, screen: Screen) -> int:
    context = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        screen.say(error.format_message())
        return 2
    screen.complain(error.format_message())
    if context is not None:
        screen.say(f"{context.get_usage()}\n`{context.command_path} --help` tells more")
    return error.exit_code


def broken(error: Exception, screen: Screen) -> int:
    """Say that the program is at fault, and how to tell us; the exit code."""
    if os.environ.get("CALLSHEET_DEBUG"):
        screen.say("".join(traceback.format_exception(error)).rstrip())
    place = traceback.extract_tb(error.__traceback__)[-1]
    screen.complain(f"{type(error).__name__} in {os.path.basename(place.filename)}:{place.lineno}; {REPORT}")  # noqa: PTH119
    return 1
