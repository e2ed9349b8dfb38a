"""The YAML parser's errors, reworded to say what to do, and without the text of the sheet, which may hold a credential."""

from __future__ import annotations

import re
from typing import NamedTuple

import yaml

from callsheet.sheet.tree.findings import Misfit
from callsheet.sheet.tree.node import DEEPEST
from callsheet.sheet.tree.place import SheetText

QUOTES_FORGOTTEN = re.compile(r"\$\{|(?<![\w\"'])\{\w+\}/|/\{\w+\}|\{\{|list\[")
VARIABLE_BARE = re.compile(r"(?<![\"'\w])\$\{[A-Za-z_][A-Za-z0-9_]*\}(?=\s*[,}\]]|\s*$)")
TAB_INDENTS = re.compile(r" *\t\s*\S")
NO_COLON = re.compile(r"\s*[A-Za-z_][\w-]*(?:\s(?:(?!: |:$)[^#])*)?\s*(?P<comment>#.*)?")
FORGOTTEN = "did you forget the quotes?"
SECOND_COLON = "a second `:` where a value is expected"
MISPLACED = "a line that does not fit the mapping it stands in"
KEY_ALONE = "a key without `:`"
CLOSE_IT = "close it; a text of several lines is written behind `|`"

PROBLEMS: tuple[tuple[str, str, str], ...] = (
    ("cannot start any token", "a character that cannot begin a value", "quote the text; indent with spaces, not tabs"),
    ("mapping values are not allowed", SECOND_COLON, "quote a text that holds `: `, or mend the indentation"),
    ("expected ',' or ']'", "a list that is not closed here", "close it with `]`, or put a comma between its values"),
    ("expected ',' or '}'", "a mapping that is not closed here", "close it with `}`, or put a comma between its keys"),
    ("could not find expected ':'", KEY_ALONE, "write `key: value`"),
    ("expected key", MISPLACED, "mend the indentation, or quote the value"),
    (
        "expected <block end>",
        "a line that does not fit the block it stands in",
        "mend the indentation, or quote the value",
    ),
    ("expected '-' indicator", "a line that does not fit the list it stands in", "mend the indentation"),
    (
        "unknown escape character",
        "an unknown escape in double quotes",
        "write `\\\\` for a backslash, or use single quotes",
    ),
    ("node content", "no value where one is expected", "write one, or quote it"),
    (
        "alphabetic or numeric character",
        "an anchor or alias without a name",
        "a text that begins with `&` or `*` needs quotes",
    ),
    ("comment or line break", "text after `|` or `>`", "put the text on the next lines, or quote it"),
    ("chomping or indentation", "text after `|` or `>`", "put the text on the next lines, or quote it"),
    ("tag", "a tag that cannot be read", "a text that begins with `!` needs quotes"),
    ("URI", "a tag that cannot be read", "a text that begins with `!` needs quotes"),
    ("duplicate anchor", "an anchor that is already taken", "give it another name"),
    ("document start", "text after the end of the document", "a sheet is one YAML document"),
    ("incompatible YAML document", "a YAML version that is not 1.x", "remove the `%YAML` line"),
    ("directive", "a directive that cannot be read", "remove the line that begins with `%`"),
    ("indent", "an indentation that fits nothing above", "align it with its neighbours"),
)


class Quoted(NamedTuple):
    """Where a quoted text begins and ends: line and column, from 0."""

    start: tuple[int, int]
    end: tuple[int, int]

    def misleads(self, at: tuple[int, int]) -> bool:
        """Whether an error there comes of it: its quote was forgotten, and so it ends where the next one should begin."""
        has_lines = self.start[0] < self.end[0] and 0 <= at[0] - self.end[0] <= 1
        return has_lines or at == self.end


def problem_of(error: yaml.YAMLError, source: SheetText, quoted: Quoted | None = None) -> Misfit:
    """The finding for an error of the YAML parser. `quoted` is the last quoted text before it."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    opened = getattr(error, "context_mark", None)
    is_open = "end of stream" in str(getattr(error, "problem", ""))
    mark = opened if is_open and opened else mark
    if mark and quoted and quoted.misleads((mark.line, mark.column)):
        return _unclosed(source, *quoted.start)
    if mark and is_open:
        return _unclosed(source, mark.line, mark.column)
    said = " ".join(str(getattr(error, name, None) or "") for name in ("problem", "context"))
    if "nesting depth" in said and mark:  # the parser looks ahead, and so may notice before we do
        at = mark.line, mark.column
        return Misfit(source.place(at, (mark.line, mark.column + 1)), f"nested more than {DEEPEST} deep")
    what, hint = next(
        ((what, hint) for word, what, hint in PROBLEMS if word in said), ("this cannot be read", "quote it")
    )
    line, column = (mark.line, mark.column) if mark else (0, 0)
    line, column = _where_text_is(source, line, column)
    suspects = (line + 1, _opened(error) + 1)
    tabbed = next((number for number in suspects if TAB_INDENTS.match(source.line(number))), None)
    if tabbed:
        return _of_line(source, tabbed, "a tab indents this line", "use spaces")
    if what in (SECOND_COLON, KEY_ALONE, MISPLACED) and (bare := _line_without_colon(source, line + 1, what)):
        return _of_line(source, bare, KEY_ALONE, "write `key: value`, or `key:` where lines below belong to it")
    if any(QUOTES_FORGOTTEN.search(source.line(number)) for number in suspects):
        variable = next((found for number in suspects if (found := VARIABLE_BARE.search(source.line(number)))), None)
        hint = f'{FORGOTTEN} write "{variable[0]}"' if variable else FORGOTTEN
    return Misfit(source.place((line, column), (line, column + 1)), f"not YAML: {what}", hint)


def _unclosed(source: SheetText, line: int, column: int) -> Misfit:
    return Misfit(source.place((line, column), (line, column + 1)), "not YAML: a quote that is not closed", CLOSE_IT)


def _of_line(source: SheetText, number: int, what: str, hint: str) -> Misfit:
    text = source.line(number)
    first = 0 if what.startswith("a tab") else len(text) - len(text.lstrip())
    last = len(text) - len(text.lstrip()) if first == 0 else len(text.rstrip())
    return Misfit(source.place((number - 1, first), (number - 1, max(last, first + 1))), f"not YAML: {what}", hint)


def _line_without_colon(source: SheetText, number: int, what: str) -> int | None:
    """The number of the line that lacks its `:`; the parser joins it to the next line, and reports that one."""
    if source.line(number).count(": ") > 1:
        return None
    if NO_COLON.fullmatch(source.line(number)):
        return number
    above = (
        n for n in range(number - 1, 0, -1) if source.line(n).strip() and not source.line(n).lstrip().startswith("#")
    )
    before = next(above, None)
    found = NO_COLON.fullmatch(source.line(before)) if before else None
    # Without a comment at its end, the line may be a text that goes on in the next line, and so no mistake.
    return before if found and (found["comment"] or what != MISPLACED) else None


def _opened(error: yaml.YAMLError) -> int:
    """The line on which the construct that could not be read began; -1 if the parser does not say."""
    mark = getattr(error, "context_mark", None)
    return mark.line if mark else -1


def _where_text_is(source: SheetText, line: int, column: int) -> tuple[int, int]:
    """The position, or the end of the last line with text before it: the parser may stop past the end of the file."""
    if source.line(line + 1).strip():
        return line, column
    while line > 0 and not source.line(line + 1).strip():
        line -= 1
    return line, max(0, len(source.line(line + 1).rstrip()) - 1)
