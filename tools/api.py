"""Write docs/reference/api.md and docs/reference/public-api.txt: everything that is public, by `make reference`.

Public is what the modules of MODULES offer by name, and every type of ours that stands in a public signature; but not what
INTERNAL lists. Signatures and docstrings are those of the source.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from tools.definitions import Definition, definition, offered, on_one_line

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "api.md"
LIST = PAGE.with_name("public-api.txt")
MODULES = {
    "callsheet": "What most programs import. Errors and events, which `callsheet` offers as well, have their own headings below.",
    "callsheet.errors": "What is raised, and [when](errors.md). `callsheet` offers each of these as well.",
    "callsheet.events": "What a listener is told. `callsheet` offers each of these as well.",
    "callsheet.auth": "For [functions of your own](../guides/authentication.md#a-function-of-your-own), and for webhooks.",
    "callsheet.testing": "What stands in for the network and for time [in your tests](../guides/testing-your-app.md).",
    "callsheet.testing.pytest_plugin": "[Fixtures](../guides/testing-your-app.md#fixtures-for-pytest), which pytest finds by"
    " itself; its option `--callsheet-record` and its ini value `callsheet_record` are `none`, `once` or `all`.",
    "callsheet.transports.base": "What a [transport of your own](../ARCHITECTURE.md#how-to-add-a-transport) fills.",
    "callsheet.practice": "The practice API, to try everything on. Needs the extra `practice`.",
    "callsheet.practice.models": "What the practice API takes and gives, as the sheets of the guides name it.",
}
SETTINGS, GIVEN = "Records of settings", "Types in signatures"
SECTIONS = MODULES | {
    SETTINGS: "What `ServiceSheet.settings` gives, to be read. Fields are named as [the keys of the sheet](sheet.md).",
    GIVEN: "What the names above take or give. You need not import any of these, and the modules they stand in are internal.",
}
INTERNAL = {
    "": "BodySource SecretSource",
    "ASGITransport": "forget",
    "AsyncASGITransport": "sent",
    "AsyncItems": "__init__",
    "AsyncOutcomes": "__init__",
    "AsyncPages": "__init__",
    "AsyncService": "__init__",
    "AsyncStreamedResponse": "__init__",
    "BreakerControl": "__init__",
    "Cassette": "__call__ interactions learned path records save strict taken",
    "Client": "forget",
    "Clock": "asleep new_task_ticket new_ticket now sleep under_way wall",
    "FakeTransport": "agree_on asynchronous close is_closed routes send step_for",
    "Faults": "aclose agree_on asend asynchronous close send",
    "FrozenClock": "new_task_ticket new_ticket under_way",
    "Headers": "added_to has is_constant plus wire_lines without",
    "Items": "__init__",
    "Outcomes": "__init__",
    "Page": "__init__",
    "Pages": "__init__",
    "PracticeServer": "listener server thread",
    "Request": "is_transfer masks redacted",
    "Response": "decode_with document drop_content facts field from_cache history json_line lines_with masked masked_data not_json"
    " summary undone",
    "Route": "matches method next_step pattern unused",
    "Secret": "as_line fingerprint is_asked is_constant known_parts now reveal_parts shapes",
    "Service": "__init__",
    "ServiceSheet": "operations secrets stores",
    "Paginate": "is_link is_number",
    "Settings": "all_tls origin other_origins written",
    "Sheet": "outline salvage stores",
    "StreamedResponse": "__init__",
    "TLS": "elsewhere",
    "_AnyClient": "forget",
}
"""What is no promise although its name has no underscore: what our own modules ask of these classes; under "" whole types."""
SYNTAX = {
    "__enter__": "`with`",
    "__aenter__": "`async with`",
    "__iter__": "`for`",
    "__aiter__": "`async for`",
    "__str__": "`str()`",
}
METHODS = ("def", "async def", "classmethod", "staticmethod")
HEAD = """\
# The public API

Everything that a program may rely on, each name with its signature. `make reference` writes this page, and [the same as a
list](public-api.txt) of one line a name, from the code; a test compares them, so that nothing public changes unnoticed.

**What stands here is public.** Until 1.0 a minor version may change it. [CHANGELOG.md](../../CHANGELOG.md) then says so, and where
that is possible the old form works for one more minor version, with a `DeprecationWarning` that names the new one.

**What does not stand here is internal**, and any version may change it without a word: other modules, other names, and whatever
begins with an underscore. So import a name from the module under which it stands here, not from where its code is.

Public as well: [the keys of the sheet](sheet.md), [the command line](../guides/command-line.md) and its exit codes, and [what a
failure of the network is raised as](transport-errors.md).
"""


@cache
def public() -> dict[Definition, str]:
    """Everything public, in order, each with the section of the page that it stands in."""
    offers = ((definition(name, where), where) for where in MODULES for name in offered(where))
    homes = {each: where for each, where in offers if each}
    queue = list(homes)
    for each in queue:
        new = [other for other in types_in(each, homes) if other not in homes]
        homes |= {other: SETTINGS if other.module.name.startswith("callsheet.settings.") else GIVEN for other in new}
        queue += new
    return {each: homes[each] for each in sorted(homes, key=order)}


def types_in(each: Definition, homes: dict[Definition, str]) -> list[Definition]:
    """The types of ours that stand in the signatures of a name and its parts."""
    signed = [(part, name) for part in (each, *parts(each, homes)) for name in sorted(part.types)]
    named = dict.fromkeys(definition(name, part.module.name) for part, name in signed)
    return [other for other in named if other and is_type(other)]


def is_type(each: Definition) -> bool:
    """Whether it is a class, or the alias of a type."""
    is_alias = each.kind == "value" and re.fullmatch(r"[A-Z]\w*[a-z]\w*", each.name) is not None
    return each.name not in INTERNAL[""].split() and (each.kind == "class" or is_alias)


def order(each: Definition) -> tuple[str, str]:
    """By name, `AsyncClient` behind `Client`."""
    plain = each.name.removeprefix("Async")
    return plain.lower(), each.name.removesuffix(plain)


def parts(each: Definition, homes: dict[Definition, str]) -> dict[Definition, Definition]:
    """The public parts of a class, each with the class it is written in. A base that is public shows its own parts."""
    if each.kind != "class":
        return {}
    family = [each, *each.bases]
    hidden = {"model_config"}.union(*(INTERNAL.get(one.name, "").split() for one in family))
    if homes[each] == GIVEN:
        hidden.add("__init__")  # our own code makes it, and no other
    known: dict[str, tuple[Definition, Definition]] = {}
    for owner in (one for one in family if one is each or one not in homes):
        for part in owner.own:
            if part.name not in hidden and (part.name[0] != "_" or part.name in ("__init__", *SYNTAX)):
                known.setdefault(part.name, (part, owner))
    return dict(known.values())


def head(each: Definition) -> str:
    """The first line of a class; of anything else its whole signature."""
    if each.kind != "class":
        return f"@{each.kind}\n{each.code}" if each.kind in ("classmethod", "staticmethod") else each.code
    written, above = each.module.written, []
    for base in each.node.bases:
        ours = definition(written(base), each.module.name)
        above += [written(base)] if ours is None or ours in public() else []
    above += [f"{keyword.arg}={written(keyword.value)}" for keyword in each.node.keywords]
    return f"class {each.name}({', '.join(above)})" if above else f"class {each.name}"


def fenced(each: Definition, inside: Iterable[Definition] = ()) -> str:
    """The signature in a fenced block; that of a class with its constructor and fields. `py`, since `python` blocks are run."""
    decorators = map(each.module.written, getattr(each.node, "decorator_list", ()))
    lines = [f"@{written}" for written in decorators if written.startswith("dataclass")]
    fields = [part.code for part in inside if part.name == "__init__"]
    fields += [part.code for part in inside if part.kind == "value" or (part.kind == "attribute" and not part.doc)]
    lines += [head(each) + (":" if fields else ""), *(textwrap.indent(code, "    ") for code in fields)]
    return "\n".join(["```py", *lines, "```"])


def entry(each: Definition, links: dict[Definition, str], told: dict[Definition, str]) -> Iterator[str]:
    """What the page says of a name. The parts of the bases in `told` were explained before, where their link leads."""
    inside = parts(each, public())
    yield fenced(each, inside)
    yield each.doc
    if public()[each] == GIVEN:
        yield f"In the signatures of {', '.join(links[one] for one in links if each in types_in(one, public()))}."
    yield from explained([part for part, owner in inside.items() if owner not in told])
    for link in dict.fromkeys(told[owner] for owner in inside.values() if owner in told):
        names = [f"`{part.name}`" for part, owner in inside.items() if told.get(owner) == link and part.name[0] != "_"]
        yield f"As {link} has them: {', '.join(names)}."
    syntax = [word for name, word in SYNTAX.items() if name in {part.name for part in inside}]
    yield f"Supports {' and '.join(syntax)}." if syntax else ""


def explained(inside: list[Definition]) -> Iterator[str]:
    """The docstrings of a class's parts: values as a list, then the methods."""
    values = [part for part in inside if part.doc and part.kind in ("property", "value", "attribute")]
    yield "\n".join(f"- `{shown(part)}`: {textwrap.indent(part.doc, '  ').lstrip()}" for part in values)
    for part in inside:
        if part.kind in METHODS and part.name[0] != "_":
            yield fenced(part)
            yield part.doc


def shown(part: Definition) -> str:
    """How a value is named in the list; the class's own block has the type of a field already."""
    return part.name if part.kind == "value" else part.code


@cache
def page() -> str:
    """The whole page."""
    sections = {where: [each for each, home in public().items() if home == where] for where in SECTIONS}
    links: dict[Definition, str] = {}
    slugs: list[str] = []
    for each in (each for names in sections.values() for each in names):
        slug = slug_of(each.name)
        links[each] = f"[`{each.name}`](#{slug}{f'-{slugs.count(slug)}' if slug in slugs else ''})"
        slugs.append(slug)
    blocks = [HEAD + "\n## Contents"]
    contents = (
        f"- **[{where}](#{slug_of(where)})**: {', '.join(links[each] for each in names)}"
        for where, names in sections.items()
    )
    blocks += ["\n".join(contents)]
    told: dict[Definition, str] = {}
    for where, names in sections.items():
        blocks += [f"## {where}", SECTIONS[where]]
        for each in names:
            blocks += [f"### `{each.name}`", *entry(each, links, told)]
            told |= {owner: links[each] for owner in parts(each, public()).values() if owner not in told}
    return "\n\n".join(filter(None, blocks)) + "\n"


def slug_of(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def listed() -> Iterator[tuple[str, str]]:
    """The lines of the list, each behind the name by which it is sorted."""
    for each, where in public().items():
        name = each.name if where in (SETTINGS, GIVEN) else f"{where}.{each.name}"
        yield name, line(each, name)
        yield from ((f"{name}.{part.name}", line(part, f"{name}.{part.name}")) for part in parts(each, public()))
    for where in MODULES:
        homes = ((name, public()[known]) for name in offered(where) if (known := definition(name, where)))
        yield from ((f"{where}.{name}", f"{where}.{name} = {home}.{name}") for name, home in homes if home != where)


def line(each: Definition, name: str) -> str:
    """A signature on one line, with the whole name."""
    return re.sub(rf"\b{each.name}\b", name, on_one_line(head(each)).removeprefix("@"), count=1)


def the_list() -> str:
    """The whole list."""
    return "".join(f"{text}\n" for _, text in sorted(listed()))


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    LIST.write_text(the_list(), "utf-8")
