"""What an upstream does with each connection and request: one class per fault.

Which connections or requests are struck is fixed, by time or by a draw with a fixed seed, so that every client meets
the same. An order is carried out when the upstream says 200, and where the text says so.
"""

import asyncio
import random
import time
from collections import Counter

from bench.faults.connection import ANSWER, head

SEED = 7
THIRD, HALF, THREE_OF_TEN, ALL = 1 / 3, 0.5, 0.3, 1.0
THROTTLED = 5
"""Seconds, longer than the deadline of a call."""
DRIP_PAUSE = 0.25
DRIPS = 24
SLOW = 2.0
CAPACITY = 100
"""Answers per second of a service that is asked for more."""
REFUSING = 0.2
"""The work of a refusal, as a share of that of an answer."""
LONGEST_QUEUE = 0.5
"""Seconds of work that may wait."""
SILENCE = 15
"""Seconds after which a silent upstream closes, longer than anybody waits here."""


class Down(Exception):
    """The connection was ended by the upstream."""


class Healthy:
    """Carries everything out and says so; connections are kept. `share` is how many a fault strikes."""

    fields = ()
    share = 0.0

    def __init__(self):
        self.draw = random.Random(SEED).random

    async def accepts(self, connection):
        """False where the connection ends before its request."""
        return True

    async def __call__(self, connection, request, ledger):
        if self.strikes(request):
            await self.strike(connection, request, ledger)
        else:
            carry_out(request, ledger)
            await connection.answer(200, *self.fields)

    def strikes(self, request):
        # Drawn, so that it is never in step with the methods, which take turns.
        return self.draw() < self.share

    async def strike(self, connection, request, ledger):
        """What the fault does to a request."""
        raise NotImplementedError


def carry_out(request, ledger):
    if request.method == "POST":
        ledger.carried_out(request.order)


class ResetBefore(Healthy):
    """A third of the connections is reset as soon as it stands; none is kept, so that every attempt makes one."""

    fields = ("Connection: close",)

    async def accepts(self, connection):
        if self.draw() >= THIRD:
            return True
        connection.reset()
        return False


class ResetAfter(Healthy):
    """A third of the requests is read and carried out; then the connection is reset.

    Drawn for each order and each of its tries, so that the first try of every order ends the same for every client.
    """

    share = THIRD

    def __init__(self):
        super().__init__()
        self.tries = Counter()

    def strikes(self, request):
        self.tries[request.order] += 1
        return random.Random(f"{SEED} {request.order} {self.tries[request.order]}").random() < self.share

    async def strike(self, connection, request, ledger):
        carry_out(request, ledger)
        connection.reset()


class KeptClosed(Healthy):
    """The second request of each connection is read, half of the time carried out, and the connection closed."""

    def strikes(self, request):
        return request.place > 0

    async def strike(self, connection, request, ledger):
        if self.draw() < HALF:
            carry_out(request, ledger)
        connection.close()


class Burst(Healthy):
    """503 for everything in the second second; nothing of that is carried out."""

    def strikes(self, request):
        return 1 <= request.at < 2

    async def strike(self, connection, request, ledger):
        await connection.answer(503)


class RetryAfter(Healthy):
    """429 with `Retry-After: 5` in the first five seconds; nothing of that is carried out."""

    def strikes(self, request):
        return request.at < THROTTLED

    async def strike(self, connection, request, ledger):
        await connection.answer(429, f"Retry-After: {THROTTLED}")


class Drip(Healthy):
    """The head at once, then a byte every quarter of a second."""

    share = ALL

    async def strike(self, connection, request, ledger):
        body = ANSWER.ljust(DRIPS)
        await connection.send(head(200, length=len(body)))
        for byte in body:
            if connection.reader.at_eof():
                raise Down
            await connection.send(bytes([byte]))
            await asyncio.sleep(DRIP_PAUSE)


class Errors(Healthy):
    """500 for three of ten requests; nothing of that is carried out."""

    share = THREE_OF_TEN

    async def strike(self, connection, request, ledger):
        await connection.answer(500)


class AnswerLost(Healthy):
    """Everything is carried out, and of a third nothing ever comes back."""

    share = THIRD

    async def strike(self, connection, request, ledger):
        carry_out(request, ledger)
        try:
            await asyncio.wait_for(connection.reader.read(1), SILENCE)
        except TimeoutError:
            pass
        raise Down


class Slow(Healthy):
    """Every answer takes two seconds, however many are in work."""

    share = ALL

    async def strike(self, connection, request, ledger):
        await asyncio.sleep(SLOW)
        carry_out(request, ledger)
        await connection.answer(200)


class Overloaded(Healthy):
    """Answers so many requests per second one after another, lets some wait, and refuses further ones with a 503.

    A refusal is sent at once and costs a fifth of the work of an answer: a service reads a request before it refuses it.
    """

    def __init__(self):
        super().__init__()
        self.free = 0.0
        """When all the work that was taken on is done."""

    async def __call__(self, connection, request, ledger):
        now = time.monotonic()
        waits = max(0.0, self.free - now)
        is_taken = waits <= LONGEST_QUEUE
        self.free = now + waits + (1.0 if is_taken else REFUSING) / CAPACITY
        if not is_taken:
            await connection.answer(503)
            return
        await asyncio.sleep(self.free - now)
        carry_out(request, ledger)
        await connection.answer(200)


BEHAVIOURS = {
    "healthy": Healthy,
    "reset-before": ResetBefore,
    "reset-after": ResetAfter,
    "kept-closed": KeptClosed,
    "burst-503": Burst,
    "retry-after": RetryAfter,
    "drip": Drip,
    "flapping": Healthy,
    "errors-30": Errors,
    "answer-lost": AnswerLost,
    "slow": Slow,
    "overload-1": Overloaded,
    "overload-2": Overloaded,
}
