"""`cache`: off, `http`, a duration, or the whole mapping."""

from __future__ import annotations

from callsheet.settings import Cache
from callsheet.sheet.forms.header_text import TOKEN
from callsheet.sheet.forms.quantities import spelled_seconds
from callsheet.sheet.forms.reading import FormOf, JsonSchema, Reading, Spot, misfit
from callsheet.sheet.forms.record import Key, Layer, Record, plain
from callsheet.sheet.forms.scalars import DURATION, SIZE, SWITCH, Choice, ListOf, Text, scalar
from callsheet.sheet.forms.shorthand import DURATION_OR_OFF, duration_or_off, is_off
from callsheet.sheet.tree.findings import Findings, Misfit, did_you_mean
from callsheet.sheet.tree.node import MappingNode, Node, Scalar

MODES = ("http", "ttl")
METHODS = ("GET", "HEAD", "POST")
READING_METHODS = ("GET", "HEAD")
NO_TIME = "an answer that serves for no time is never used: write `cache: off`"
EXPECTED = "`off`, `http`, a duration such as `5m`, or a mapping such as `{ttl: 5m, stale_if_error: 1h}`"


def _ttl(node: Node, spot: Spot, reading: Reading) -> float:
    filled = scalar(node, spot, reading, DURATION.expected)
    if _is_nothing(filled):
        raise misfit(filled, spot, DURATION.expected, NO_TIME)
    return DURATION.read(node, spot, reading)  # type: ignore[no-any-return]


def _is_nothing(filled: Scalar) -> bool:
    text = filled.text.strip()
    return not filled.hidden and text.rstrip("smh. ").strip("0.") == "" and text[:1] == "0"


class _Window:
    """A time after the end of an answer, or `off`; not written, the answer says it."""

    when_none = "none"

    def read(self, node: Node, spot: Spot, reading: Reading) -> float:
        """Seconds; 0.0 for `off`."""
        return duration_or_off(node, spot, reading) or 0.0

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        return DURATION_OR_OFF.schema()

    def spell(self, seconds: float) -> str:
        """The time as a sheet writes it."""
        return spelled_seconds(seconds) if seconds else "off"


_WINDOW = _Window()
RECORD = Record(
    (
        Key("mode", Choice(MODES), "`http`: as the answer's own fields say; `ttl`: for a time of ours"),
        Key("ttl", FormOf(_ttl, DURATION.schema()), "how long a success serves, whatever its fields say"),
        Key("methods", ListOf(Choice(METHODS, is_upper=True), "methods"), "whose answers are kept, in mode `ttl`"),
        Key(
            "vary_on",
            ListOf(Text("the name of an argument or a header field", TOKEN.pattern), "names"),
            "arguments and header fields that tell answers apart",
        ),
        Key("shared", SWITCH, "whether an answer may be shown to everybody, whoever asked for it"),
        Key("max_entry", SIZE, "a larger answer is not kept"),
        Key("stale_while_revalidate", _WINDOW, "how long a stale answer serves while another is fetched"),
        Key("stale_if_error", _WINDOW, "how long a stale answer serves where the call would fail"),
    ),
    topic="cache",
    expected=EXPECTED,
)


KNOWN = frozenset(key.name for key in RECORD.keys)


class CacheForm:
    """`off`, `http`, a duration, or the whole mapping."""

    record = RECORD

    def read(self, node: Node, spot: Spot, reading: Reading) -> Cache | None:
        """The settings, which replace those of a lower layer whole; None for `off`."""
        if isinstance(node, MappingNode):
            read = RECORD.read(node, spot, reading)
            _check(read, node, spot, reading.findings)
            mode = "ttl" if "ttl" in read else "http"
            return Cache(**{"mode": mode, **plain(read)})
        filled = scalar(node, spot, reading, EXPECTED)
        if is_off(filled):
            return None
        if filled.value == "http":
            return Cache("http")
        seconds = None if isinstance(filled.value, bool) else DURATION.parse(filled.value)
        if seconds is None:
            raise misfit(filled, spot, EXPECTED, _meant(filled))
        return Cache("ttl", seconds)

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        return {"anyOf": [{"enum": ["off", False, "http"]}, *DURATION.schema()["anyOf"], RECORD.schema()]}


CACHE = CacheForm()


def _meant(filled: Scalar) -> str:
    if filled.hidden:
        return ""
    if filled.value is True:
        return "write `cache: http`, or a duration for an API that sends no caching fields"
    if _is_nothing(filled):
        return NO_TIME
    return did_you_mean(filled.text.lower(), ("off", "http"))


def _check(read: Layer, node: MappingNode, spot: Spot, findings: Findings) -> None:
    """Note what does not go together."""
    mode = read.get("mode")
    if mode is None and all(key.text in KNOWN for key, _ in node.entries) and node.get("ttl") is None:
        findings.add(Misfit(node.place, f"{spot}: `mode` or `ttl` is missing", "write `mode: http`, or `ttl: 5m`"))
    elif mode is not None and mode.value == "ttl" and node.get("ttl") is None:
        findings.add(Misfit(mode.node.place, f"{spot}: `mode: ttl` without `ttl`", "write for how long: `ttl: 5m`"))
    elif mode is not None and mode.value == "http":
        for name in ("ttl", "methods"):
            written = read.get(name)
            if written is not None:
                hint = "the answer's own fields say it; leave it out, or write `mode: ttl`"
                findings.add(Misfit(written.node.place, f"{spot.under(name)} beside `mode: http`", hint))


def check_cache(
    layer: Layer, method: str, *, is_safe: bool | None, streams: bool, spot: Spot, findings: Findings
) -> None:
    """Note a cache that is written at an operation whose answers cannot be kept."""
    written = layer.get("cache")
    if written is None or not isinstance(written.value, Cache):
        return
    place, chosen = written.node.place, written.value
    if is_safe is False:
        message = f"{spot}: `cache` beside `safe: false`, which says that the call changes something"
        findings.add(Misfit(place, message, "keep one"))
    elif streams:
        findings.add(
            Misfit(place, f"{spot}: `cache` beside `stream`", "what is read as it comes is not kept: keep one")
        )
    elif method not in METHODS:
        message = f"{spot}: `cache` at a {method}, whose answers are not kept"
        findings.add(Misfit(place, message, "leave it out: what the call changes is dropped from the cache by itself"))
    elif method not in READING_METHODS and is_safe is not True:
        message = f"{spot}: `cache` at a {method} that is not `safe`"
        findings.add(Misfit(place, message, "write `safe: true` beside it if the call only reads"))
    elif method not in READING_METHODS and chosen.mode == "http":
        message = (
            f"{spot}: `cache: http` at a {method}: no field of its answer lets it serve another {method} (RFC 9111)"
        )
        findings.add(Misfit(place, message, "write for how long it serves: `cache: 5m`"))
    elif chosen.methods is not None and method not in chosen.methods:
        message = f"{spot.under('cache.methods')} does not name {method}, the method of the operation"
        findings.add(Misfit(place, message, f"add {method}, or leave `methods` out"))
