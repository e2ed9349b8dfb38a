"""What the calls of one service share, each made for its settings: slots, breaker, budget, limits, jar."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from callsheet.auth.jwt import JWT
from callsheet.auth.oauth2 import OAuth2
from callsheet.auth.signers import AnySigner, signer_of
from callsheet.auth.token_endpoint import TokenEndpoint
from callsheet.errors import SheetError
from callsheet.plan.order import Shared
from callsheet.plan.python_auth import python_auth_of
from callsheet.policies.breaker import Breaker
from callsheet.policies.cookies import Cookies
from callsheet.policies.credential import Tokens
from callsheet.policies.python_auth import PythonAuth
from callsheet.policies.rate_limit import Limits, SharedStore
from callsheet.policies.retry_budget import RetryBudget
from callsheet.policies.service_limit import ServiceWord
from callsheet.policies.slot import Slot
from callsheet.settings.settings import AuthSettings, Settings, SignSettings
from callsheet.sheet.record import Layer

Chosen = TypeVar("Chosen")
Made = TypeVar("Made")


class ServiceState:
    """The state of one service under one set of settings.

    `like` is that of the same service under others, and whatever the two agree on is one. Slots and limits that are
    narrower hold beside those of `like`; another breaker or budget holds instead.
    """

    def __init__(
        self,
        settings: Settings,
        like: ServiceState | None = None,
        *,
        wall_clock: Callable[[], float] = time.time,
        now: Callable[[], float] = time.monotonic,
        service: str = "",
        store: SharedStore | None = None,
    ) -> None:
        self.settings = settings
        self._like = like
        self._wall_clock = wall_clock
        self._now = now
        self._service = service
        self._store = store
        self._lock = threading.Lock()
        self._made: dict[Hashable, Any] = {}
        self._tokens: list[tuple[AuthSettings, Tokens]] = []
        self._signers: list[tuple[SignSettings, AnySigner]] = []
        self.cookies: Cookies = like.cookies if like else Cookies(wall_clock)
        self.word: ServiceWord = like.word if like else ServiceWord()
        self.slots = self._slots(settings, like)
        self.limits = self._limits(settings, like)
        self.budget = self._budget(settings, like)

    def shared(self) -> Shared:
        """What the policies of undeclared requests share, and those of operations that have nothing of their own."""
        return self._shared(self.settings, self.slots, self.limits, self.breaker(self.settings))

    def shared_of(self, operation: str, settings: Settings, layer: Layer) -> Shared:
        """What an operation's policies share; `layer` is what the sheet says of it alone."""
        # Its own first: who queues for one operation must not hold a slot that all operations share.
        slots = (self._slot(settings, operation), *self.slots) if "concurrency" in layer else self.slots
        limits = (self._limit(settings, operation), *self.limits) if _limits_itself(settings, layer) else self.limits
        _check_cost(operation, settings.rate_limit.cost, limits)
        breaker = self.breaker(settings, operation if "breaker" in layer else None)
        return self._shared(settings, slots, limits, breaker)

    def breaker(self, settings: Settings, operation: str | None = None) -> Breaker | None:
        """The breaker of the service, or the one that an operation has instead; None where it is off."""
        chosen = settings.breaker
        return None if chosen is None else self._once(("breaker", operation, chosen), lambda: Breaker(chosen))

    def tokens(self, auth: AuthSettings | None) -> Tokens | None:
        """Where the tokens of a credential come from, one place for all that have the same; None for a constant one."""
        if auth is None or auth.kind not in ("jwt", "oauth2"):
            return None
        if self._like is not None:
            return self._like.tokens(auth)
        return self._one_of(self._tokens, auth, self._new_tokens)

    def _new_tokens(self, auth: AuthSettings) -> Tokens:
        if auth.kind == "jwt":
            return JWT(auth.options, wall_clock=self._wall_clock, new_id=_new_id)
        source = TokenEndpoint(auth.options, wall_clock=self._wall_clock, pick=random.random, new_id=_new_id)
        return OAuth2(source, now=self._now, service=self._service)

    def _python_auth(self, auth: AuthSettings | None) -> PythonAuth | None:
        return python_auth_of(auth) if auth is not None and auth.kind == "python" else None

    def signer(self, sign: SignSettings | None) -> AnySigner | None:
        """What signs, one for all that are signed alike; None where nothing is. Raises UsageError without its library."""
        if sign is None:
            return None
        if self._like is not None:
            return self._like.signer(sign)
        return self._one_of(self._signers, sign, lambda each: signer_of(each, wall_clock=self._wall_clock))

    def _one_of(self, kept: list[tuple[Chosen, Made]], chosen: Chosen, make: Callable[[Chosen], Made]) -> Made:
        """One for equal settings, whose options have no hash."""
        with self._lock:
            for same, made in kept:
                if same == chosen:
                    return made
            kept.append((chosen, make(chosen)))
            return kept[-1][1]

    def _slot(self, settings: Settings, operation: str = "") -> Slot:
        slot: Slot = self._once(("slot", operation, settings.concurrency), lambda: Slot(settings.concurrency))
        return slot

    def _limit(self, settings: Settings, operation: str = "") -> Limits:
        chosen = settings.rate_limit
        limits: Limits = self._once(("limit", operation, chosen.rates, chosen.per), lambda: Limits(chosen, operation))
        return limits

    def _once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """One for these settings, however often a service is asked for under them: what the first state of it keeps."""
        if self._like is not None:
            return self._like._once(key, make)  # noqa: SLF001 - another of us
        with self._lock:
            known = self._made.get(key)
            if known is None:
                known = self._made[key] = make()
            return known

    def forget(self) -> None:
        """Begin anew in a forked child: what is under way belongs to the parent."""
        self._lock = threading.Lock()
        kept = (*(tokens for _, tokens in self._tokens), *(signer for _, signer in self._signers))
        for each in (self.cookies, self.word, *self._made.values(), *kept):
            each.forget()

    def _shared(
        self, settings: Settings, slots: tuple[Slot, ...], limits: tuple[Limits, ...], breaker: Breaker | None
    ) -> Shared:
        return Shared(
            slots=slots,
            pick=random.random,
            wall_clock=self._wall_clock,
            cookies=self.cookies,
            breaker=breaker,
            budget=self.budget,
            limits=limits,
            word=self.word,
            service=self._service,
            store=self._store,
            tokens=self.tokens(settings.auth),
            python_auth=self._python_auth(settings.auth),
            signer=self.signer(settings.sign),
        )

    def _slots(self, settings: Settings, like: ServiceState | None) -> tuple[Slot, ...]:
        beside = like.slots if like else ()
        if like and settings.concurrency == like.settings.concurrency:
            return beside
        return (self._slot(settings), *beside)

    def _limits(self, settings: Settings, like: ServiceState | None) -> tuple[Limits, ...]:
        beside = like.limits if like else ()
        chosen, known = settings.rate_limit, like.settings.rate_limit if like else None
        if not chosen.rates or (known and (chosen.rates, chosen.per) == (known.rates, known.per)):
            return beside
        return (self._limit(settings), *beside)

    def _budget(self, settings: Settings, like: ServiceState | None) -> RetryBudget | None:
        if settings.retry is None:
            return like.budget if like else None
        if like and like.budget and like.budget.settings == settings.retry.budget:
            return like.budget
        chosen = settings.retry.budget
        budget: RetryBudget = self._once(("budget", chosen), lambda: RetryBudget(chosen))
        return budget


def _limits_itself(settings: Settings, layer: Layer) -> bool:
    """Whether the sheet has rates for the operation alone, or counts it by something else."""
    written = layer.get("rate_limit")
    return written is not None and bool(settings.rate_limit.rates) and bool({"rates", "per"} & written.value.keys())


def _new_id() -> str:
    return str(uuid.uuid4())


def _check_cost(operation: str, cost: int, limits: tuple[Limits, ...]) -> None:
    small = next((rate for each in limits for rate in each.rates if rate.count < cost), None)
    if small is not None:
        message = f"operation `{operation}`: a request costs {cost} units, more than {small} of the service ever allows"
        raise SheetError(f"{message}: lower `rate_limit.cost`, or raise the rate")
