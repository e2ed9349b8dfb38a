"""One call from the command line: the engine's own call, whose answer is kept as it came."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from callsheet.cli.screen import Screen
from callsheet.client.maker import CallMaker
from callsheet.engine.io import ThreadIo, finish
from callsheet.engine.later import Worker
from callsheet.engine.log import unverified
from callsheet.engine.perform import open_stream, perform
from callsheet.engine.streamed import StreamedResponse
from callsheet.errors import APIError
from callsheet.events import Listener
from callsheet.http.request import origin_of
from callsheet.http.response import Response
from callsheet.plan.service import ServicePlans
from callsheet.policies.credential import Credential
from callsheet.policies.rate_limit import SharedStore
from callsheet.settings.tls import TLS
from callsheet.sheet import ServiceSheet
from callsheet.stores.valkey import ValkeyStore
from callsheet.transports.base import Transport
from callsheet.transports.curl.blocking import CurlTransport
from callsheet.transports.curl.elsewhere import (
    HomeAndElsewhere,
    for_exchange,
    home_beside_others,
    wiring_of,
    without_identity,
)

if TYPE_CHECKING:
    from callsheet.call import Call
    from callsheet.http.request import Request
    from callsheet.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class FellBack:
    """What stands in for the answer of a call that failed with `error`."""

    value: Any
    error: APIError


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call that has been checked and not been sent."""

    call: Call
    plan: Plan
    maker: CallMaker

    def without(self, names: Iterable[str]) -> Prepared:
        """The same call without these header fields, whoever wrote them."""
        request = self.call.request
        taken_out = frozenset(name.lower() for name in names)
        if not taken_out:
            return self
        request.headers = request.headers.without(taken_out)
        return replace(self, plan=_without_tokens(self.plan, taken_out))

    def request(self) -> Request:
        """The request as it would leave now, with the token that is made for it. Raises AuthError."""
        request, settings = self.call.request, self.plan.settings
        is_elsewhere = bool(settings.allow_origins) and request.origin != origin_of(settings.base_url)
        for policy in self.plan.policies:
            if isinstance(policy, Credential) and not is_elsewhere:
                request = policy.preview(request)
        return request

    def open(self) -> StreamedResponse:
        """The answer, to be read as it comes. Raises APIError."""
        return StreamedResponse(finish(open_stream(self.call, self.plan, self.maker.io, raises=True)))

    def send(self) -> Response | FellBack:
        """The answer, after it was found to be of the declared type, or the fallback. Raises APIError."""
        plan, stand_in = self.plan, self.plan.fallback

        def read(response: Response) -> Response:
            plan.read(response)
            return response

        def fall_back(error: APIError) -> FellBack:
            assert stand_in is not None
            return FellBack(stand_in(error), error)

        kept = replace(plan, read=read, read_ignored=lambda r: r, fallback=fall_back if stand_in else None)
        answer: Response | FellBack = finish(perform(self.call, kept, self.maker.io, raises=True, typed=True))
        return answer


def _without_tokens(plan: Plan, headers: frozenset[str]) -> Plan:
    """The plan without what would fill one of these headers."""
    dropped = [each for each in plan.policies if isinstance(each, Credential) and each.header.lower() in headers]
    if not dropped:
        return plan
    asks = {ask for each in dropped for ask in (each.before, each.attach)}
    return replace(
        plan,
        policies=tuple(each for each in plan.policies if each not in dropped),
        before_call=tuple(ask for ask in plan.before_call if ask not in asks),
        before_attempt=tuple(ask for ask in plan.before_attempt if ask not in asks),
        attach=tuple(ask for ask in plan.attach if ask not in asks),
    )


Make = Callable[[Mapping[str, str]], Prepared]
"""Makes the call that a command line means, with these header fields beside its own."""


@contextmanager
def maker_of(
    service: ServiceSheet, code: Mapping[str, Any], screen: Screen, *listeners: Listener
) -> Iterator[CallMaker]:
    """What makes the calls of a service; its connections end with the block."""
    limits = service.stores.limits
    store = ValkeyStore(limits.url, limits.prefix) if limits else None
    shared = SharedStore(store, limits.on_failure == "refuse") if limits else None
    plans = ServicePlans(service, code, listeners, store=shared)
    chosen = plans.settings
    for each in chosen.all_tls:
        if not each.verify:
            screen.complain(f"warning: {unverified(service.name, each.insecure_reason)}")
    transports: dict[TLS | None, Transport] = {}
    worker = Worker()

    def io(tls: TLS | None = None) -> ThreadIo:
        """What sends the service's requests, or those of an exchange with others under the TLS of that."""
        if tls not in transports:
            wiring, home = wiring_of(chosen), home_beside_others(chosen)
            if tls is not None:
                wiring, home = for_exchange(wiring, tls), None
            transport: Transport = CurlTransport(wiring)
            if home is not None:
                transport = HomeAndElsewhere(home, transport, CurlTransport(without_identity(wiring)))
            transports[tls] = transport
        return ThreadIo(transports[tls], worker, beside=io)

    try:
        yield CallMaker(plans, io(), lambda: False)
    finally:
        worker.stop()
        for transport in list(transports.values()):
            transport.close()
        worker.close()
        if store is not None:
            store.close()
