"""The transfers as tables, and what was aimed at."""

from bench.report import aligned, conditions
from bench.transfers import MIB, OURS

MOST_CPU = 1.3
"""Of the curl command's."""
MOST_MEMORY = 64
"""MiB above an idle process."""
COLUMNS = (
    "transfer",
    "mode",
    "client",
    "CPU s",
    "least-most",
    "MiB/s",
    "of curl's CPU",
    "MiB above idle",
    "twice as long",
)


def table(results):
    """One line per client, as a Markdown table."""
    lines = [COLUMNS, tuple("---" for _ in COLUMNS)]
    for result in results:
        twice = result.peak_at_twice
        lines.append(
            (
                *result.setup,
                f"{result.cpu:.2f}",
                f"{result.low:.2f}-{result.high:.2f}",
                f"{result.more['mib_per_second']:,.0f}",
                share(result, results),
                f"{result.peak:.1f}",
                "" if twice is None else f"{twice:.1f}",
            )
        )
    return aligned(lines)


def share(result, results):
    of_curl = cpu_of_curl(result, results)
    return "" if of_curl is None or result.setup.client == "curl" else f"{result.cpu / of_curl:.2f}"


def cpu_of_curl(result, results):
    direction = result.setup.direction
    return next((each.cpu for each in results if each.setup[::2] == (direction, "curl")), None)


def targets(results):
    """What was aimed at, what came out, and whether it was met."""
    lines = [("transfer", "mode", "aimed at", "measured", ""), ("---",) * 5]
    for result in results:
        if result.setup.client != OURS:
            continue
        where = result.setup[:2]
        of_curl = cpu_of_curl(result, results)
        if of_curl is not None:
            over = result.cpu - of_curl * MOST_CPU
            verdict = "met" if over <= 0 else f"missed by {over:.2f} s"
            lines.append((*where, f"{MOST_CPU} of curl's CPU", f"{result.cpu / of_curl:.2f}", verdict))
        most = max(result.peak, result.peak_at_twice)
        verdict = "met" if most < MOST_MEMORY else f"missed by {most - MOST_MEMORY:.0f} MiB"
        size = 2 * result.size / MIB
        lines.append((*where, f"{MOST_MEMORY} MiB for {size:,.0f} MiB", f"{most:.1f} MiB", verdict))
    return aligned(lines) if len(lines) > 2 else ""


def whole(results, found):
    """Everything that is printed at the end."""
    amount = f"medians of {found['runs']} runs of {found['MiB']:,} MiB"
    return "\n\n".join(part for part in (conditions(found, amount), table(results), targets(results)) if part)
