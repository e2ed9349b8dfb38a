"""Runs one command line: an exception becomes a line on stderr and an exit code, never a traceback."""

from __future__ import annotations

import os
import sysconfig
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from callsheet.cli.app import commands
from callsheet.cli.screen import Screen
from callsheet.errors import APIError

REPORT = "this is a defect in Callsheet: please report it with the output of CALLSHEET_DEBUG=1, which shows where"


def run(arguments: Sequence[str], screen: Screen) -> int:
    """Run a command line, write everything to the screen, and return the exit code."""
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
    """Say what went wrong, and return the exit code."""
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
    """Say whether the user's code (a module that the sheet names) or Callsheet is at fault, and return the exit code."""
    if os.environ.get("CALLSHEET_DEBUG"):
        screen.say("".join(traceback.format_exception(error)).rstrip())
    file, line = place_of(error)
    if is_of_the_user(file):
        screen.complain(f"{file}:{line}: {type(error).__name__}: {error}; this is code that the sheet names")
        return 2
    screen.complain(f"{type(error).__name__} in {Path(file).name}:{line}; {REPORT}")
    return 1


def place_of(error: Exception) -> tuple[str, int]:
    """The file and the line where an error was raised; for a SyntaxError those of the faulty code."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno or 0
    place = traceback.extract_tb(error.__traceback__)[-1]
    return place.filename, place.lineno or 0


def is_of_the_user(file: str) -> bool:
    """Whether a file is neither part of Callsheet nor installed."""
    ours = (Path(__file__).parents[1], *map(Path, sysconfig.get_paths().values()))
    return Path(file).is_file() and not any(Path(file).resolve().is_relative_to(place.resolve()) for place in ours)
