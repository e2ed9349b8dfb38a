"""The numbers as tables, and the page that shows them."""

import inspect

from bench import report
from bench.faults import blocking, tasks
from bench.faults.run import Setup
from bench.faults.scenarios import SCENARIOS

BEGIN, END = "<!-- {part}: written by `python -m bench faults` with --page -->", "<!-- end of {part} -->"
NAMES = {
    "callsheet": "callsheet",
    "requests": "requests + urllib3 Retry",
    "httpx2": "httpx2 + stamina",
    "aiohttp": "aiohttp + aiohttp-retry",
}
COLUMNS = (
    "client",
    "mode",
    "calls",
    "caller errors",
    "duplicate POSTs",
    "load factor",
    "worst wait, s",
    "median wait, s",
)
RAISED = "what callers got"
MORE = {
    "calls/s": lambda result: f"{result.rate:.0f}",
    "most requests/s": lambda result: f"{result.most_per_second}",
    "most in flight": lambda result: f"{result.most_in_flight}",
    "most callers waiting": lambda result: f"{result.at_once}",
    "MiB": lambda result: f"{result.memory:.0f}",
}


def table(scenario, results):
    """One line per client, as a Markdown table."""
    head = (*COLUMNS, *scenario.more, RAISED)
    return report.aligned([head, ("---",) * len(head), *(line(scenario, result) for result in results)])


def line(scenario, result):
    return (
        NAMES.get(result.client, result.client),
        result.colour,
        str(result.calls),
        str(result.errors),
        str(result.duplicates),
        load(result),
        f"{result.worst:.2f}",
        f"{result.median:.3f}",
        *(MORE[column](result) for column in scenario.more),
        raised(result),
    )


def load(result):
    return "" if result.load is None else f"{result.load:.2f}"


def raised(result):
    names = [f"{name} {count}" for name, count in result.raised.items()]
    answers = result.calls - result.errors
    return ", ".join([f"answers {answers}", *names] if answers else names)


def summary(results):
    """One line per fault and one column per client: errors / duplicates / load / worst wait."""
    setups = list(dict.fromkeys(Setup(result.client, result.colour) for result in results if result.client in NAMES))
    found = {(result.scenario, Setup(result.client, result.colour)): result for result in results}
    lines = [("fault", "calls", *(f"{NAMES[client]}, {colour}" for client, colour in setups))]
    lines.append(("---",) * len(lines[0]))
    for scenario in SCENARIOS:
        mine = [found.get((scenario.name, setup)) for setup in setups]
        if any(mine):
            lines.append((link(scenario), str(scenario.calls), *(cell(result) for result in mine)))
    return report.aligned(lines)


def link(scenario):
    """To the heading of the fault, as the usual hosts of Markdown name it."""
    kept = "".join(letter for letter in scenario.title.lower() if letter.isalnum() or letter in " -")
    return f"[{scenario.title}](#{kept.replace(' ', '-')})"


def cell(result):
    if result is None:
        return ""
    return " / ".join((str(result.errors), str(result.duplicates), load(result) or "?", f"{result.worst:.2f} s"))


def setups_as_code():
    """How each client is set up, as it stands in the source."""
    parts = []
    for colour, module in (("blocking", blocking), ("asyncio", tasks)):
        for client, opened in module.CLIENTS.items():
            parts.append(f"**{NAMES[client]}, {colour}**\n\n```py\n{inspect.getsource(opened).strip()}\n```")
    return "\n\n".join(parts)


def parts(results, found):
    """Everything that is measured, by the name of its place on the page."""
    made = {"summary": f"{report.conditions(found, 'one run')}\n\n{summary(results)}"}
    for scenario in SCENARIOS:
        mine = [result for result in results if result.scenario == scenario.name]
        if mine:
            made[scenario.name] = table(scenario, mine)
    return made


def written(page, texts):
    """The page with each of its parts replaced."""
    for part, text in {"clients": setups_as_code(), **texts}.items():
        page = report.between(page, text, BEGIN.format(part=part), END.format(part=part))
    return page
