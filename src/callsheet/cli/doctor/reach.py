"""`--online`: looks up each service, sends it one HEAD, and reads its certificate; each step within a time limit."""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import datetime
from typing import Any, TypeVar

from callsheet.cli.attempts import milliseconds
from callsheet.cli.doctor.clock_skew import of_skew, skew_of
from callsheet.cli.doctor.found import Found, counted, ok, problem, skipped, warning
from callsheet.cli.doctor.on_trust import SOON
from callsheet.cli.screen import Screen
from callsheet.errors import APIError, TLSError
from callsheet.events import AttemptEnded, Event, WireFacts
from callsheet.http.public import is_localhost
from callsheet.http.request import Origin
from callsheet.http.response import Response
from callsheet.new_thread import new_thread
from callsheet.settings import TLS, Settings
from callsheet.sheet import ServiceSheet
from callsheet.tls.certificate import Certificate, read_certificate
from callsheet.tls.pem import problem_of

PATIENCE = 5.0
"""Seconds for each step."""
AT_ONCE = 8
GOOD_KINDS = frozenset({"bearer", "basic", "api_key", "jwt"})
"""Kinds of `auth` for which nothing has to be fetched first: a probe makes one request, and never a POST."""
ONE_REQUEST: dict[str, Any] = {"retry": "off", "breaker": "off", "redirects": "off"}
T = TypeVar("T")
PHASES = (("resolved", "name"), ("connected", "TCP"), ("secured", "TLS"), ("first_byte", "first byte"))


def reach(service: ServiceSheet, now: Callable[[], datetime]) -> Iterator[Found]:
    """Check one service: its host name, its answer, its clock, its certificate."""
    settings = service.settings()
    origin = settings.origin
    is_direct = settings.proxy is None and not settings.trust_env
    if is_direct:
        yield _looked_up(origin)
    answered = list(_answered(service, settings))
    yield from answered
    # A server that could not be connected to shows no certificate either.
    spoke = "status" in answered[0].data or answered[0].data["error"] == "TLSError"
    if is_direct and origin.scheme == "https" and spoke:
        # Show our client certificate only to a server that answered, and so passed the sheet's own verification.
        tls = settings.tls if "status" in answered[0].data else settings.tls.elsewhere()
        yield of_server(origin, tls, now(), verdict=_verdict(settings.tls, answered[0]))


def _verdict(tls: TLS, answered: Found) -> str:
    """The result of verifying the server's certificate in the request; empty if it failed, which the request reports."""
    if not tls.verify:
        return "not verified (tls.verify)"
    return "accepted" if "status" in answered.data else ""


def _looked_up(origin: Origin) -> Found:
    """The addresses of the host, from the system's resolver, which has no time limit of its own."""
    began = time.perf_counter()
    try:
        found = bounded(lambda: socket.getaddrinfo(_asked_for(origin), origin.port, type=socket.SOCK_STREAM))
    except TimeoutError:
        return problem(f"DNS: no answer for {origin.host} within {PATIENCE:g} s", "is the resolver reachable?")
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "not a host name"
        return problem(f"DNS: {origin.host}: {why}", "mend base_url, or the resolver")
    spent = time.perf_counter() - began
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    told = ", ".join(addresses[:4]) + (f" and {len(addresses) - 4} more" if len(addresses) > 4 else "")
    return ok(f"DNS: {origin.host} is {told}, in {milliseconds(spent)}", addresses=addresses, **_ms(spent))


def _asked_for(origin: Origin) -> str:
    """The host as the system's resolver takes it: resolvers do not know the subdomains of `localhost` (RFC 6761 6.3)."""
    return "localhost" if is_localhost(origin.host) else origin.host.replace("%25", "%")


def bounded(ask: Callable[[], T], seconds: float = PATIENCE) -> T:
    """Run `ask` in a thread, and return or raise what it does. Raises TimeoutError, leaving the thread, when time is up."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(ask())
        except Exception as error:  # noqa: BLE001 - it is raised again, where the answer is waited for
            future.set_exception(error)

    new_thread("doctor", run).join(seconds)
    if not future.done():
        raise TimeoutError(f"not within {seconds:g} s")
    return future.result()


def _ms(seconds: float) -> dict[str, float]:
    return {"milliseconds": round(seconds * 1000, 1)}


def _answered(service: ServiceSheet, settings: Settings) -> Iterator[Found]:
    """Send one HEAD with the service's own settings; give its answer, its phases, and its `Date` beside our clock."""
    events: list[AttemptEnded] = []

    def listen(event: Event) -> None:
        if isinstance(event, AttemptEnded):
            events.append(event)

    code, note = probe_of(settings)
    asked = time.time()
    try:
        response = _head(service, code, listen)
    except APIError as error:
        yield _failed(error, events)
        return
    yield of_answer(response, events[-1].wire if events else WireFacts(), note)
    yield of_skew(skew_of(response.field(b"date"), asked, time.time()))


def probe_of(settings: Settings) -> tuple[dict[str, Any], str]:
    """The settings for the one request, over the sheet's own, and a note if it has no credential."""
    if settings.sign is not None:
        # Signing for AWS may fetch credentials, or run a program for them.
        return ONE_REQUEST | {"auth": "off", "sign": "off"}, ", asked without signature and credential"
    if settings.auth is None or settings.auth.kind in GOOD_KINDS:
        return ONE_REQUEST, ""
    why = "which a function of yours makes" if settings.auth.kind == "python" else "which would be fetched first"
    return ONE_REQUEST | {"auth": "off"}, f", asked without its credential, {why}"


def _head(service: ServiceSheet, code: dict[str, Any], listen: Callable[[Event], None]) -> Response:
    from callsheet.cli.prepared_call import maker_of
    from callsheet.engine.io import finish
    from callsheet.engine.perform import perform

    seconds = min(PATIENCE, service.settings().timeout.attempt)
    # Its warnings go to a screen that is not shown, as the doctor lists them already.
    with maker_of(service, code, Screen(io.BytesIO(), io.StringIO()), listen) as maker:
        call, plan, _ = maker.undeclared("HEAD", "/", {"timeout": seconds}, is_stream=False)
        response: Response = finish(perform(call, plan, maker.io, raises=False)).value
    return response


def of_answer(response: Response, wire: WireFacts, note: str = "") -> Found:
    """What the doctor says of an answer: whatever its status, the service is there."""
    status = response.status_code
    data: dict[str, Any] = {"status": status, **_timings(wire)}
    text = f"HEAD: {status} {response.masked(response.reason_phrase)}".rstrip() + f"{note}{_phases(wire)}"
    if status >= 500:
        return warning(text, "it is there, and says that it does not work", **data)
    if status in (401, 403) and not note:
        return ok(text, "there; whether it took the credential cannot be told from this address", **data)
    return ok(text, **data)


def _phases(wire: WireFacts) -> str:
    """How long each phase took; the transport measures the moments from the start of the attempt."""
    told, before = [], 0.0
    for field, what in PHASES:
        at = getattr(wire, field)
        if at > 0:
            told.append(f"{what} {milliseconds(max(0.0, at - before))}")
            before = at
    through = f", {wire.address} port {wire.port}" if wire.address else ""
    return f" ({', '.join(told)}{through})" if told else ""


def _timings(wire: WireFacts) -> dict[str, float]:
    return {f"{field}_at_ms": round(getattr(wire, field) * 1000, 1) for field, _ in PHASES if getattr(wire, field) > 0}


def _failed(error: APIError, events: list[AttemptEnded]) -> Found:
    wire = events[-1].wire if events else WireFacts()
    advice = "see its certificate below" if isinstance(error, TLSError) else ""
    kind = type(error).__name__
    return problem(f"HEAD: {kind}: {error}{_phases(wire)}", advice, error=kind, **_timings(wire))


def of_server(origin: Origin, tls: TLS, now: datetime, *, verdict: str) -> Found:
    """The certificate that a server shows: its issuer and its dates. `verdict` is whether the request trusted it."""
    try:
        certificate, version, spent = bounded(lambda: _shown_by(origin, tls))
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        return skipped(f"TLS: its certificate could not be read: {str(why).replace('_', ' ').lower()}")
    days = (certificate.not_after - now).days
    until = f"{certificate.not_after:%Y-%m-%d}"
    data = {"tls": version, "issuer": certificate.issuer, "not_after": certificate.not_after.isoformat(), **_ms(spent)}
    text = f"{version}, certificate by `{certificate.issuer}`" + (f", {verdict}" if verdict else "")
    if now < certificate.not_before:
        return problem(f"{text}, not valid before {certificate.not_before:%Y-%m-%d}", "is the clock right?", **data)
    if now >= certificate.not_after:
        return problem(f"{text}, expired on {until}", "only the service can renew it", **data)
    valid = f"{text}, valid until {until}, {counted(days, 'day')} from now"
    # Warn late: the service renews it, often automatically in the last month.
    return warning(valid, "ask the service to renew it", **data) if days < SOON // 4 else ok(valid, **data)


def _shown_by(origin: Origin, tls: TLS) -> tuple[Certificate, str, float]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the certificate is only looked at: nothing is sent or trusted
    if tls.cert is not None and problem_of(tls.cert, tls.key, tls.key_password) is None:
        password = tls.key_password
        context.load_cert_chain(tls.cert, tls.key, password=lambda: "" if password is None else password.reveal())
    began = time.perf_counter()
    with (
        socket.create_connection((_asked_for(origin), origin.port), PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=origin.host.partition("%")[0]) as secured,
    ):
        der = secured.getpeercert(binary_form=True) or b""
        return read_certificate(der), secured.version() or "TLS", time.perf_counter() - began
