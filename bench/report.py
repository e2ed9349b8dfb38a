"""The numbers as tables, and what was aimed at."""

from typing import NamedTuple

OURS = "callsheet"
BEGIN, END = "<!-- {half}: written by `make bench` with --page -->", "<!-- end of {half} -->"


class Target(NamedTuple):
    """Our CPU per call is at most `share` of what this client needs."""

    colour: str
    at_once: int
    client: str
    share: float


TARGETS = (
    Target("blocking", 1, "requests", 1 / 5),
    Target("blocking", 1, "httpx2", 1 / 2),
    Target("blocking", 1, "pycurl", 1.3),
    Target("asyncio", 32, "aiohttp", 0.85),
    Target("asyncio", 32, "httpx2", 1 / 6),
)
TARGET_SERVER = "granian"
COLUMNS = ("server", "mode", "at once", "client", "CPU us/call", "quartiles", "calls/s", "ours / theirs", "server busy")


def table(results):
    """One line per client, as a Markdown table."""
    cpu = {result.setup: result.cpu for result in results}
    lines = [COLUMNS, tuple("---" for _ in COLUMNS)]
    for result in results:
        setup = result.setup
        ours = cpu.get(setup._replace(client=OURS))
        busy = result.server_busy
        lines.append(
            (
                setup.server,
                setup.colour,
                str(setup.at_once),
                setup.client,
                f"{result.cpu:.1f}",
                f"{result.low:.0f}-{result.high:.0f}",
                f"{result.per_second:,.0f}",
                "" if ours is None or setup.client == OURS else f"{ours / result.cpu:.2f}",
                "" if busy is None else f"{busy:.0%}",
            )
        )
    return aligned(lines)


def targets(results):
    """What was aimed at, what came out, and whether it was met."""
    cpu = {result.setup[1:]: result.cpu for result in results if result.setup.server == TARGET_SERVER}
    lines = [("mode", "at once", "callsheet's CPU against", "at most", "measured", ""), ("---",) * 6]
    for target in TARGETS:
        ours, theirs = cpu.get((*target[:2], OURS)), cpu.get(target[:3])
        if ours is None or theirs is None:
            continue
        ratio = ours / theirs
        verdict = "met" if ratio <= target.share else f"missed by {ours - theirs * target.share:.1f} us"
        lines.append(
            (target.colour, str(target.at_once), target.client, f"{target.share:.2f}", f"{ratio:.3f}", verdict)
        )
    return aligned(lines) if len(lines) > 2 else ""


def aligned(lines):
    """A Markdown table that reads well as plain text, too."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    rows = []
    for line in lines:
        cells = (f"{'-' * width if cell == '---' else cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def conditions(found, amount):
    """Machine, versions and amount of work in two sentences."""
    machine, versions = found["machine"], found["versions"]
    named = ", ".join(f"{name} {number}" for name, number in versions.items())
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, {machine['python']}, "
        f"load {machine['load']} at the start; {amount}.\n{named}."
    )


def whole(results, found):
    """Everything that is printed at the end."""
    amount = f"medians of {found['rounds']} rounds of {found['calls']} calls"
    return "\n\n".join(part for part in (conditions(found, amount), table(results), targets(results)) if part)


def with_numbers(page, text, half):
    """The page with what stands between the two marks of this half replaced."""
    return between(page, text, BEGIN.format(half=half), END.format(half=half))


def between(page, text, begin, end):
    """The page with what stands between these two marks replaced."""
    before, mark, rest = page.partition(begin)
    _, end_mark, after = rest.partition(end)
    if not mark or not end_mark:
        raise SystemExit(f"the page has no lines {begin!r} and {end!r}")
    return f"{before}{mark}\n{text}\n{end}{after}"
