"""The layers of a sheet (defaults, service, operation, code), merged and made into Settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, get_args, get_type_hints

from callsheet.secret import Secret
from callsheet.settings import Backoff, Budget, Retry, Settings
from callsheet.sheet.forms.reading import Spot, Unread
from callsheet.sheet.forms.record import Layer, Written, layered, plain
from callsheet.sheet.tree.findings import Findings, Misfit
from callsheet.sheet.words.breaker import breaker_from
from callsheet.sheet.words.envelope import envelope_from
from callsheet.sheet.words.idempotency_key import idempotency_key_from
from callsheet.sheet.words.proxy import secrets_of
from callsheet.sheet.words.rate_limit import rate_limit_from
from callsheet.sheet.words.timeouts import WrittenSteps

RECORDS: dict[str, Any] = {
    name: kind
    for name, hint in get_type_hints(Settings).items()
    for kind in (hint, *get_args(hint))
    if is_dataclass(kind)
}
"""The settings that are a record, by the type of their field; what was read of one is a mapping of its fields."""
AGENT = "User-Agent"


def merged(*layers: Layer) -> dict[str, Written]:
    """The layers merged; the first is the lowest."""
    result: dict[str, Written] = {}
    for layer in layers:
        result = layered(result, _with_agent(layer))
    return result


def names_in(layer: Layer) -> frozenset[str]:
    """The names of the settings that a layer writes, dotted where they are keys of a mapping: `rate_limit.rates`."""
    inner = [f"{name}.{key}" for name, each in layer.items() if isinstance(each.value, dict) for key in each.value]
    return frozenset((*layer, *inner))


def _with_agent(layer: Layer) -> Layer:
    """The layer with its `user_agent` moved to `headers`, where a `User-Agent` written in the same layer wins."""
    agent = layer.get("user_agent")
    if agent is None or isinstance(agent.value, Unread):
        return layer
    headers = layer.get("headers")
    field = Written((AGENT, agent.value), agent.node, agent.key)
    fields = {AGENT.lower(): field, **(headers.value if headers else {})}
    rest = {name: written for name, written in layer.items() if name != "user_agent"}
    return {**rest, "headers": Written(fields, headers.node if headers else agent.node)}


def settings_from(layer: Layer, spot: Spot, findings: Findings) -> Settings:
    """The settings that merged layers make. Contradictions among them are noted."""
    values: dict[str, Any] = {}
    for name, written in layer.items():
        if isinstance(written.value, Unread):
            continue
        if name in MADE:
            values[name] = MADE[name](written, spot, findings)
        elif name in RECORDS and isinstance(written.value, dict):
            values[name] = RECORDS[name](**plain(written.value))
        elif name == "timeout":
            steps: WrittenSteps = written.value
            steps.check(spot.under("timeout"), findings)
            said, _ = steps.folded()
            values |= {"timeout": said.resolved(), "written": said}
        elif name == "headers":
            values[name] = dict(field.value for field in written.value.values())
        elif name == "params":
            values[name] = plain(written.value)
        elif name in _FIELDS:
            values[name] = written.value
    return Settings(**{"base_url": "", **values})


_FIELDS = frozenset(field.name for field in fields(Settings))


def _retry(written: Written, spot: Spot, findings: Findings) -> Retry | None:
    if written.value is None:
        return None
    values = plain(written.value)
    if "backoff" in values:
        values["backoff"] = _backoff(written.value["backoff"].value, spot, findings)
    if values.get("budget") is not None:
        values["budget"] = Budget(**values["budget"])
    for name in ("statuses", "methods"):
        if name in values:
            values[name] = frozenset(values[name])
    return Retry(**values)


def _backoff(written: Mapping[str, Written], spot: Spot, findings: Findings) -> Backoff:
    backoff = Backoff(**plain(written))
    if backoff.first > backoff.max:
        place = (written.get("first") or written["max"]).node.place
        ceiling = written["max"].node.place if "max" in written else "built-in"
        message = (
            f"{spot.under('retry.backoff')}: the first pause, {backoff.first:g} s, "
            f"is above the ceiling `max`, {backoff.max:g} s ({ceiling})"
        )
        findings.add_once(Misfit(place, message, "write both, `first` below `max`"))
    # After a 429 the first pause is no shorter than after any other failure, and no longer than the ceiling.
    return replace(backoff, throttled=min(max(backoff.throttled, backoff.first), backoff.max))


MADE: dict[str, Callable[[Written, Spot, Findings], Any]] = {
    "retry": _retry,
    "breaker": breaker_from,
    "rate_limit": rate_limit_from,
    "idempotency_key": idempotency_key_from,
    "envelope": envelope_from,
}


def secrets_in(value: Any) -> Iterator[Secret]:
    """Every secret in settings, or in any plain data."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Settings):
        auth = value.auth.options if value.auth else {}
        sign = value.sign.options if value.sign else {}
        for part in (value.headers, value.params, auth, sign):
            yield from secrets_in(part)
        yield from secrets_in(value.tls.key_password)
        if isinstance(value.proxy, Secret):
            yield from secrets_of(value.proxy)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from secrets_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from secrets_in(item)
