"""The plan of an operation: all that its calls need and that can be worked out before any call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from callsheet.call import Attempt, Call, Limits
from callsheet.errors import APIError, ResponseError
from callsheet.events import AttemptBegan, AttemptEnded, CallBegan, Event, Listener, by_event
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.plan.results import nothing
from callsheet.settings.settings import Settings
from callsheet.sheet.words.operation import Stream
from callsheet.unset import UNSET, Unset
from callsheet.verdicts import Interpretation, Tell, Verdict

Params = Mapping[str, Any] | Iterable[tuple[str, Any]]
"""Query parameters: a list repeats its name, None is left out."""

TimeoutLike = float | str | Mapping[str, float | str]
"""Seconds (or `"250ms"`, `"5s"`) within which the call must end, or some of `connect`, `read`, `attempt`, `total`."""

CacheOption = Literal["refresh", "off", "only", "no-store"]
"""What one call wants of the cache: a fresh answer, which is stored; nothing at all; the stored answer or a 504; that the
answer is not stored.
"""

HeaderValues = Mapping[str, str | Unset | None]
"""Header fields by name; None and UNSET are left out."""

Asked = Callable[[Attempt, float], Verdict | None]
Attach = Callable[[Attempt, float], Request]
Bind = Callable[[Mapping[str, Any], "Given"], Request]


class Interpreter(Protocol):
    """The policy that says what an answer means if its status does not tell."""

    def interpret(self, answer: Response) -> Interpretation:
        """What an answer whose body was read means: an error, a success or an ignored failure."""

    def fails_stream(self, answer: Response) -> bool:
        """Whether a streamed answer is an error, by its status alone."""

    def error_of_stream(self, answer: Response) -> ResponseError | None:
        """The error of a streamed answer that `fails_stream`, once the beginning of its body was read; None if the status decides."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Binders, policies by question, and the readers of results, for one operation of one service.

    `bind` makes a request of arguments. `read` makes the typed result of a successful answer, `read_ignored` that of a
    failure that an error rule ignores, and `fallback` that of an error, if the operation has one.

    `policies` are all that are on, in order. `before_call` are asked for the first attempt, `before_attempt` for every further
    pass, `attach` when all waits are over, `previews` for a request that is shown and not sent. `interpreter` is the policy
    that says what answers mean, if one does; `reads_early`: whether a policy reads the bodies of answers.

    `instead` gives a stored answer in place of an error that a call would raise, if one serves.

    `limits` are those of an attempt that no deadline shortens. `keyed` puts an idempotency key on a request that has none.

    Events name the `method` and the path `template` of the operation. `told` has the listeners by event. Whether a listener
    wants to know that a call begins is `hears_calls_begin`, that an attempt begins `hears_attempts_begin`, and how an attempt
    went `hears_attempts`. `stream`: whether answers are read as they come, and by which parts if the operation says it.
    """

    service: str
    operation: str
    method: str
    template: str
    settings: Settings
    bind: Bind
    read: Callable[[Response], Any]
    policies: tuple[Any, ...]
    before_call: tuple[Asked, ...]
    before_attempt: tuple[Asked, ...]
    after: tuple[Asked, ...]
    attach: tuple[Attach, ...]
    ended: tuple[Callable[[Call], None], ...]
    listeners: tuple[Listener, ...] = ()
    keyed: Callable[[Request], str | None] | None = None
    read_ignored: Callable[[Response], Any] = nothing
    fallback: Callable[[APIError], Any] | None = None
    previews: tuple[Callable[[Request], Request], ...] = ()
    interpreter: Interpreter | None = None
    reads_early: bool = False
    instead: Callable[[Call, APIError], Tell | None] | None = None
    stream: bool | Stream = False
    limits: Limits = field(init=False)
    label: str = field(init=False)
    """`shop.get_user: GET /users/{id}`, as errors name it: the template, because a filled path may name a person."""
    named: tuple[str, str, str] = field(init=False, repr=False)
    """Service, operation and label."""
    told: Mapping[type[Event], tuple[Listener, ...]] = field(init=False, repr=False)
    hears_calls_begin: bool = field(init=False)
    hears_attempts_begin: bool = field(init=False)
    hears_attempts: bool = field(init=False)

    def __post_init__(self) -> None:
        name = f"{self.service}.{self.operation}"
        object.__setattr__(self, "label", f"{name}: {self.method} {self.template}" if self.template else name)
        object.__setattr__(self, "named", (self.service, self.operation, self.label))
        told = by_event(self.listeners)
        object.__setattr__(self, "told", told)
        object.__setattr__(self, "hears_calls_begin", bool(told[CallBegan]))
        object.__setattr__(self, "hears_attempts_begin", bool(told[AttemptBegan]))
        object.__setattr__(self, "hears_attempts", bool(told[AttemptEnded]))
        timeout = self.settings.timeout
        limits = Limits(
            min(timeout.connect, timeout.attempt),
            timeout.read if timeout.read < timeout.attempt else None,
            timeout.attempt,
            caps=self.settings.caps,
            wants_facts=self.hears_attempts or any(getattr(policy, "wants_facts", False) for policy in self.policies),
        )
        object.__setattr__(self, "limits", limits)

    def previewed(self, request: Request) -> Request:
        """The request as it would be sent now, with a stand-in if a token must be fetched first. Raises AuthError."""
        for preview in self.previews:
            request = preview(request)
        return request


class Given(NamedTuple):
    """What a caller gave besides the arguments of the operation. `params content data files` are for undeclared requests only."""

    headers: HeaderValues | None = None
    json: Any = None
    timeout: TimeoutLike | None = None
    idempotency_key: str | None = None
    cache: CacheOption | None = None
    params: Params | None = None
    content: Any = None
    is_stream: bool = False
    data: Any = None
    files: Any = None

    def without_unset(self) -> Given:
        """The same, with None in place of UNSET."""
        given: Any = self
        body, fields, key = given.json, given.headers, given.idempotency_key
        if body is UNSET or fields is UNSET or key is UNSET or given.timeout is UNSET or given.cache is UNSET:
            plain: Given = given._replace(**{name: None for name in self._fields if getattr(given, name) is UNSET})
            return plain
        return self
