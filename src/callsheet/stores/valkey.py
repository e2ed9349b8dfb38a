"""Rate limits that several processes share, kept in a Valkey or Redis. For threads and for tasks, by redis-py."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import threading
import time
from collections.abc import Callable
from typing import Any

from callsheet.arithmetic.shared_window import MICROSECONDS, Hold, Reserve, Reserved, Taken
from callsheet.errors import UsageError
from callsheet.process.forked import forget_after_fork, leak
from callsheet.secret import MASK, Secret
from callsheet.stores.base import StoreUnavailableError
from callsheet.stores.script import SCRIPT

TIMEOUT = 0.25
"""Seconds for connecting, and for an answer: a call should not wait longer for its store."""
AT_ONCE = 64
"""Questions in flight at once. A further question waits for an answer to one of them and opens no connection."""
REST = 1.0
"""Seconds for which a store that failed is not asked again, so that not every call waits for the timeout."""
SCHEMES = {"valkey": "redis", "valkeys": "rediss"}
SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
SERVERS_CLOCK = -1
Question = Reserve | Hold


class AnyValkey:
    """Base of all stores: the connection's options, the script's arguments, and the pause after a failure."""

    def __init__(
        self, url: str | Secret, prefix: str = "callsheet", *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._prefix = prefix
        self._now = now
        self._rests_until = float("-inf")
        self._last = ""
        self._client: Any = None
        self._places = self._new_places()
        redis_py()
        forget_after_fork(self)

    def _new_places(self) -> Any:
        raise NotImplementedError

    def forget(self) -> None:
        """In a forked child, start without a client and leave the parent's connections alone."""
        if self._client is not None:
            leak(self._client)
        self._client = None
        self._places = self._new_places()

    def _made(self, kind: Any, retry: Any) -> Any:
        redis = redis_py()
        url = self._url.reveal() if isinstance(self._url, Secret) else self._url
        scheme, mark, rest = url.partition("://")
        # Retries, the RESP3 handshake and the client's name are off: each is a further round trip that a call waits for.
        return kind.from_url(
            f"{SCHEMES.get(scheme, scheme)}{mark}{rest}",
            socket_connect_timeout=TIMEOUT,
            socket_timeout=TIMEOUT,
            max_connections=2 * AT_ONCE,
            retry=retry(redis.backoff.NoBackoff(), 0),
            protocol=2,
            driver_info=None,
            maint_notifications_config=redis.maint_notifications.MaintNotificationsConfig(enabled=False),
        )

    def _refuse_while_it_rests(self) -> None:
        if self._now() < self._rests_until:
            raise StoreUnavailableError(f"{self._last}; it is not asked again for {REST:g} s", is_resting=True)

    def _failed(self, error: BaseException) -> StoreUnavailableError:
        self._last = self._told(error)
        self._rests_until = self._now() + REST
        return StoreUnavailableError(self._last)

    def _told(self, error: BaseException) -> str:
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        if isinstance(self._url, Secret):
            url = self._url.reveal()
            user_info = url.partition("://")[2].rpartition("@")[0]
            for part in (url, user_info, user_info.partition(":")[2]):
                text = text.replace(part, MASK) if part else text
        return " ".join(text.split())[:200]

    def arguments(self, question: Question, now: int = SERVERS_CLOCK) -> tuple[Any, ...]:
        """Keys and arguments of the script. `now` is for tests: a time in microseconds instead of the server's clock."""
        tag = f"{self._prefix}:{{{_without_braces(question.service)}}}"
        if isinstance(question, Hold):
            return 2, f"{tag}:hold", f"{tag}:hold", "hold", max(1, round(question.seconds * 1000))
        rates = len(question.shapes) // 3
        limit = f"{tag}:{question.limit}:{'-'.join(map(str, question.shapes))}"
        keys = (f"{tag}:hold", limit, *(f"{limit}:{number}" for number in range(rates)))
        patience = min(round(question.patience * MICROSECONDS), 10**15)
        turn = question.place, round(question.earliest * MICROSECONDS)
        verb = "taken" if isinstance(question, Taken) else "reserve"
        return len(keys), *keys, verb, question.cost, patience, now, *turn, *question.shapes


def _without_braces(name: str) -> str:
    """The name with braces replaced, since a hash tag ends with the first brace."""
    return name.replace("{", "(").replace("}", ")")


def _place(answer: Any) -> Reserved:
    is_reserved, wait, at, place = map(int, answer)
    return Reserved(wait / MICROSECONDS, is_reserved == 1, at / MICROSECONDS, place)


def _version(told: Any) -> str:
    if "valkey_version" in told:
        return f"Valkey {told['valkey_version']}"
    return f"Redis {told['redis_version']}" if "redis_version" in told else ""


class ValkeyStore(AnyValkey):
    """Answers each question in one round trip, for any number of threads. Raises UsageError if redis-py is not installed."""

    def _new_places(self) -> threading.BoundedSemaphore:
        return threading.BoundedSemaphore(AT_ONCE)

    def ask(self, question: Question, seconds: float) -> Reserved:
        """The answer, within a quarter of a second. Raises StoreUnavailableError."""
        self._refuse_while_it_rests()
        if not self._places.acquire(timeout=min(seconds, threading.TIMEOUT_MAX)):
            raise StoreUnavailableError(f"{AT_ONCE} questions were in flight until the call's time was up")
        try:
            return self._asked(question)
        finally:
            self._places.release()

    def _asked(self, question: Question) -> Reserved:
        redis = redis_py()
        try:
            if self._client is None:
                self._client = self._made(redis.Redis, redis.retry.Retry)
            arguments = self.arguments(question)
            try:
                return _place(self._client.evalsha(SHA, *arguments))
            except redis.exceptions.NoScriptError:
                return _place(self._client.eval(SCRIPT, *arguments))
        except (redis.exceptions.RedisError, OSError, ValueError) as error:
            raise self._failed(error) from None

    def greet(self) -> str:
        """The server's name and version (`Valkey 9.0.1`), "" if its access rules forbid to ask. Raises StoreUnavailableError."""
        redis = redis_py()
        try:
            if self._client is None:
                self._client = self._made(redis.Redis, redis.retry.Retry)
            self._client.ping()
            try:
                return _version(self._client.info("server"))
            except redis.exceptions.ResponseError:  # forbidden by the server's access rules
                return ""
        except (redis.exceptions.RedisError, OSError, ValueError) as error:
            raise self._failed(error) from None

    def close(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            client.close()


class AsyncValkeyStore(AnyValkey):
    """Answers each question in one round trip, for the tasks of one event loop."""

    def _new_places(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(AT_ONCE)

    async def ask(self, question: Question, seconds: float) -> Reserved:
        """The answer, within a quarter of a second. Raises StoreUnavailableError, TimeoutError."""
        self._refuse_while_it_rests()
        async with asyncio.timeout(seconds), self._places:
            return await self._asked(question)

    async def _asked(self, question: Question) -> Reserved:
        redis = redis_py()
        try:
            if self._client is None:
                self._client = self._made(redis.asyncio.Redis, redis.asyncio.retry.Retry)
            arguments = self.arguments(question)
            async with asyncio.timeout(2 * TIMEOUT):
                try:
                    return _place(await self._client.evalsha(SHA, *arguments))
                except redis.exceptions.NoScriptError:
                    return _place(await self._client.eval(SCRIPT, *arguments))
        except (redis.exceptions.RedisError, OSError, ValueError) as error:
            raise self._failed(error) from None

    async def aclose(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


@functools.cache
def redis_py() -> Any:
    """redis-py, imported at the first use. Raises UsageError if it is not installed."""
    try:
        import redis  # noqa: PLC0415 - an extra, and not light
        import redis.asyncio  # noqa: PLC0415
        import redis.backoff  # noqa: PLC0415
        import redis.maint_notifications  # noqa: PLC0415
    except ModuleNotFoundError:
        message = 'stores: a Valkey or Redis needs redis-py: pip install "callsheet[valkey]"'
        raise UsageError(message) from None
    return redis
