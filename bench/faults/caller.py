"""One client under one fault, in a process of its own: `python -m bench.faults.caller COLOUR CLIENT WARM URL SCENARIO`.

SCENARIO is one as JSON. A first call goes to the address WARM, which loads whatever the library loads late; then a new
client waits for a line on the input, makes the calls, and what its callers met is written as JSON.
"""

import asyncio
import json
import logging
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from bench.faults import blocking, tasks
from bench.faults.scenarios import Limits, Scenario
from bench.mover import peak_of

MOST_THREADS = 512


class Made(NamedTuple):
    """One call: when it was due, begun and over, and the name of the error that it raised, if any."""

    due: float
    begun: float
    over: float
    error: str = ""


def main():
    colour, client, warm, url, text = sys.argv[1:]
    scenario = Scenario(**json.loads(text))
    scenario = scenario._replace(limits=Limits(*scenario.limits))
    # Libraries log what they try again and what failed; nobody reads it here.
    logging.getLogger().addHandler(logging.NullHandler())
    opened = (tasks if colour == "asyncio" else blocking).CLIENTS[client.partition(",")[0]]
    opened = partial(opened, **dict(scenario.variants).get(client, {}))
    if colour == "asyncio":
        made = asyncio.run(in_tasks(opened, warm, url, scenario))
    else:
        made = in_threads(opened, warm, url, scenario)
    print(json.dumps(told(made)))


def orders(scenario):
    """Each call: its method, its number, and the seconds after the beginning when it is due."""
    for number in range(scenario.calls):
        yield scenario.methods[number % len(scenario.methods)], number, number / scenario.rate


def wait_for_the_word():
    print("ready", flush=True)
    sys.stdin.readline()


def in_threads(opened, warm, url, scenario):
    with opened(warm, scenario.limits) as send:
        send("POST", 0)
    with opened(url, scenario.limits) as send, ThreadPoolExecutor(MOST_THREADS) as threads:

        def made(method, order, due):
            begun = time.perf_counter()
            try:
                send(method, order)
            except Exception as error:  # noqa: BLE001 whatever a library raises is what its caller meets
                return Made(due, begun, time.perf_counter(), name_of(error))
            return Made(due, begun, time.perf_counter())

        wait_for_the_word()
        began, waiting = time.perf_counter(), []
        for method, order, after in orders(scenario):
            due = began + after
            time.sleep(max(0, due - time.perf_counter()))
            waiting.append(threads.submit(made, method, order, due))
        return [each.result() for each in waiting]


async def in_tasks(opened, warm, url, scenario):
    async with opened(warm, scenario.limits) as send:
        await send("POST", 0)
    async with opened(url, scenario.limits) as send:

        async def made(method, order, due):
            begun = time.perf_counter()
            try:
                await send(method, order)
            except Exception as error:  # noqa: BLE001 whatever a library raises is what its caller meets
                return Made(due, begun, time.perf_counter(), name_of(error))
            return Made(due, begun, time.perf_counter())

        wait_for_the_word()
        began, waiting = time.perf_counter(), []
        for method, order, after in orders(scenario):
            due = began + after
            await asyncio.sleep(max(0, due - time.perf_counter()))
            waiting.append(asyncio.create_task(made(method, order, due)))
        return await asyncio.gather(*waiting)


def name_of(error):
    # A mistake of this program must not pass for something that a library let its caller have.
    if isinstance(error, AttributeError | ImportError | NameError | TypeError):
        raise error
    return type(error).__name__


def told(made):
    """Waits in seconds from when the call was due, names of errors, calls per second reached, calls at once, memory."""
    begun = [each.begun for each in made]
    return {
        "waits": [round(each.over - each.due, 4) for each in made],
        "errors": [each.error for each in made if each.error],
        "rate": (len(made) - 1) / (max(begun) - min(begun)),
        "at_once": most_at_once(made),
        "memory": peak_of(os.getpid()),
    }


def most_at_once(made):
    changes = sorted([*((each.due, 1) for each in made), *((each.over, -1) for each in made)])
    now = most = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


if __name__ == "__main__":
    main()
