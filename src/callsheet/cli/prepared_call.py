"""A call of the command line: made and checked first, then shown or sent by the engine."""

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
    """A call that was checked and can be shown or sent."""

    call: Call
    plan: Plan
    maker: CallMaker

    def request(self) -> Request:
        """The request as it would be sent now, with its credentials. Raises AuthError."""
        return self.plan.previewed(self.call.request)

    def open(self) -> StreamedResponse:
        """Send the call, and give the answer as a stream. Raises APIError."""
        return StreamedResponse(finish(open_stream(self.call, self.plan, self.maker.io, raises=True)))

    def send(self) -> Answer[Any]:
        """Send the call, and give the answer with its typed value, or the value of a fallback. Raises APIError."""
        return finish(perform(self.call, self.plan, self.maker.io, raises=True))


Make = Callable[[Mapping[str, str]], Prepared]
"""Makes the call that the command line describes, with further header fields."""


@contextmanager
def maker_of(
    service: ServiceSheet, code: Mapping[str, Any], screen: Screen, *listeners: Listener, left_out: Collection[str] = ()
) -> Iterator[CallMaker]:
    """The maker of a service's calls, which do not send the header fields in `left_out`; closed at the end of the block."""
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
