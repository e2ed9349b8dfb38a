"""Runs the doctor's checks in order. A check that raises is reported as a problem, and the others still run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from callsheet.cli.doctor.examined import Examined
from callsheet.cli.doctor.found import Found, Topic, problem, skipped
from callsheet.cli.doctor.on_machine import check_versions
from callsheet.cli.doctor.on_proxies import check_proxies
from callsheet.cli.doctor.on_sheet import check_environment, check_sheet, check_types
from callsheet.cli.doctor.on_stores import check_stores
from callsheet.cli.doctor.on_trust import check_store, check_tls
from callsheet.cli.doctor.on_variables import check_variables
from callsheet.cli.doctor.shown import waiting
from callsheet.cli.screen import Screen
from callsheet.sheet import ServiceSheet

Check = Callable[[Examined], Iterable[Found]]


def now() -> datetime:
    """The time by this machine's clock."""
    return datetime.now(UTC)


def topics(examined: Examined, *, online: bool) -> list[Topic]:
    """Run every check that needs no network (with `online`, a remote store too); topics without findings are left out."""
    folder = str(examined.folder)
    if folder not in sys.path:  # as for every command: `module:Type` is found beside the sheet
        sys.path.insert(0, folder)
    checks: dict[str, Check] = {
        "sheet": check_sheet,
        "environment": check_environment,
        "operations": check_types,
        "variables": check_variables,
        "versions": check_versions,
        "trusted authorities": partial(check_store, now=now()),
        "certificates of the sheet": partial(check_tls, now=now()),
        "proxy": check_proxies,
        "store": partial(check_stores, online=online),
    }
    made = [Topic(name, guarded(partial(check, examined))) for name, check in checks.items()]
    return [topic for topic in made if topic.found]


def guarded(check: Callable[[], Iterable[Found]]) -> tuple[Found, ...]:
    """The findings of a check; if it raises, a problem with the error and its place comes last."""
    found: list[Found] = []
    try:
        found.extend(check())
    except Exception as error:
        if os.environ.get("CALLSHEET_DEBUG"):
            raise
        from callsheet.cli.run import place_of

        file, line = place_of(error)
        found.append(problem(f"{type(error).__name__} in {Path(file).name}:{line}", "CALLSHEET_DEBUG=1 shows more"))
    return tuple(found)


def online_topics(examined: Examined, screen: Screen) -> list[Topic]:
    """Ask the services, several at once; a topic for each."""
    from callsheet.cli.doctor.reach import AT_ONCE, reach
    from callsheet.many.threads import map_in_threads

    def asked(service: ServiceSheet) -> Topic:
        if not examined.is_whole(service.name):
            return Topic(f"online: {service.name}", (skipped("it is asked when its settings can be read whole"),))
        return Topic(f"online: {service.name}", guarded(lambda: reach(service, now)))

    services = examined.services
    if not services:
        return []
    made: list[Topic] = []
    with map_in_threads(asked, services, concurrency=AT_ONCE) as topics, waiting(screen, len(services)) as step:
        for topic in topics:
            made.append(topic.result())
            step(len(made))
    return made
