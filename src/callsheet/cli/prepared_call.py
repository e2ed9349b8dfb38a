"""One call from the command line: the engine's own call, whose answer is kept as it came."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from callsheet.cli.screen import Screen
from callsheet.client.maker import CallMaker
from callsheet.client.wiring import ThreadWiring
from callsheet.engine.io import finish
from callsheet.engine.log import unverified
from callsheet.engine.perform import open_stream, perform
from callsheet.engine.streamed import StreamedResponse
from callsheet.events import Listener
from callsheet.plan.service import ServicePlans
from callsheet.sheet import ServiceSheet

if TYPE_CHECKING:
    from callsheet.call import Call
    from callsheet.engine.answer import Answer
    from callsheet.http.request import Request
    from callsheet.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call that has been checked and not been sent."""

    call: Call
    plan: Plan
    maker: CallMaker

    def request(self) -> Request:
        """The request as it would leave now, with the token that is made for it. Raises AuthError."""
        return self.plan.previewed(self.call.request)

    def open(self) -> StreamedResponse:
        """The answer, to be read as it comes. Raises APIError."""
        return StreamedResponse(finish(open_stream(self.call, self.plan, self.maker.io, raises=True)))

    def send(self) -> Answer[Any]:
        """The answer, found to be of the declared type, or what a fallback puts in its place. Raises APIError."""
        return finish(perform(self.call, self.plan, self.maker.io, raises=True))


Make = Callable[[Mapping[str, str]], Prepared]
"""Makes the call that a command line means, with these header fields beside its own."""


@contextmanager
def maker_of(
    service: ServiceSheet,
    code: Mapping[str, Any],
    screen: Screen,
    *listeners: Listener,
    left_out: Collection[str] = (),
) -> Iterator[CallMaker]:
    """What makes the calls of a service, without the header fields in `left_out`; its connections end with the block."""
    names = frozenset(name.lower() for name in left_out)
    wiring = ThreadWiring()
    plans = ServicePlans(service, code, listeners, left_out=names, **wiring.for_plans(service))
    for each in plans.settings.all_tls:
        if not each.verify:
            screen.complain(f"warning: {unverified(service.name, each.insecure_reason)}")
    try:
        yield CallMaker(plans, wiring)
    finally:
        wiring.close()
