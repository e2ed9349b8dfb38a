"""Answers kept in a Valkey or Redis, for processes of many machines. The server lets go of them when their time is over.

Theory of operation. A key has a hash: a field for each variant, whose value is the entry as JSON, a line break, and the body.
The hash expires with its last entry. For each tag, and for everything, a sorted set has the names of hashes by their expiry,
from which each write drops those past it. All names have one hash tag, so that they are in one slot of a cluster.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

from callsheet.secret import Secret
from callsheet.stores.base import (
    KEY_LENGTH,
    MOST_VARIANTS,
    Answer,
    Clear,
    Drop,
    Entry,
    Find,
    HashKey,
    Holdings,
    Info,
    Keep,
    Question,
    Show,
    Shown,
    StoreUnavailableError,
)
from callsheet.stores.packed import packed_head, packed_vary, unpacked
from callsheet.stores.valkey import AT_ONCE, TIMEOUT, AnyValkey, redis_py

SHORTEST_TRIAL = 0.05
"""Seconds: one that did not answer within less is asked again at once. The call may have been in a hurry."""
LONGEST = 10**13
"""Milliseconds that the server is asked to keep anything."""
CHUNK = 500
"""Hashes that are looked at in one round trip: the server does nothing else meanwhile."""
KEEP = """
local hash, field, keep = KEYS[1], ARGV[1], tonumber(ARGV[3])
redis.call('HSET', hash, field, ARGV[2])
if redis.call('HLEN', hash) > tonumber(ARGV[5]) then
  for _, other in ipairs(redis.call('HKEYS', hash)) do
    if other ~= field then
      redis.call('HDEL', hash, other)
      break
    end
  end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ends = string.format('%.0f', now + math.max(keep, redis.call('PTTL', hash)))
redis.call('PEXPIREAT', hash, ends)
for i = 2, #KEYS do
  redis.call('ZADD', KEYS[i], ends, ARGV[i == 2 and 4 or 6])
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', string.format('%.0f', now))
  redis.call('PEXPIRE', KEYS[i], string.format('%.0f', math.max(keep, redis.call('PTTL', KEYS[i]))))
end
"""
DROP = """
local dropped = 0
local function drop(hash)
  dropped = dropped + redis.call('HLEN', hash)
  redis.call('DEL', hash)
end
for i = 2, #KEYS do
  for _, name in ipairs(redis.call('ZRANGE', KEYS[i], 0, -1)) do drop(name) end
  redis.call('DEL', KEYS[i])
end
drop(KEYS[1])
return dropped
"""
LIST = """
local found = {}
for i, hash in ipairs(KEYS) do
  for _, value in ipairs(redis.call('HVALS', hash)) do
    found[#found + 1] = {string.match(value, '^[^\\n]*'), #value}
  end
end
return found
"""
Command = tuple[Any, ...]
Steps = Generator[list[Command], list[Any], Any]


class _AnyValkeyCache(AnyValkey):
    """Base of both stores: questions as commands. `wall` gives the time of day."""

    def __init__(
        self,
        url: str | Secret,
        prefix: str = "callsheet",
        *,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(url, prefix, now=now)
        self._wall = wall
        self._root = f"{prefix}:{{cache}}"
        self._all = f"{self._root}:all"
        self._steps: dict[type[Question[Any]], Callable[[Any], Steps]] = {
            Find: self._find,
            Keep: self._keep,
            Drop: self._drop,
            Clear: self._clear,
            Info: self._info,
            Show: self._show,
            HashKey: self._agree,
        }

    def _hash(self, key: str) -> str:
        return f"{self._root}:key:{key}"

    def _tag(self, tag: str) -> str:
        return f"{self._root}:tag:{tag}"

    def _find(self, question: Find) -> Steps:
        (values,) = yield [("HVALS", self._hash(question.key))]
        now = self._wall()
        found = (_entry(value) for value in values)
        alive = (entry for entry in found if entry is not None and entry.key == question.key and entry.keep_until > now)
        return tuple(sorted(alive, key=lambda entry: entry.answered))

    def _keep(self, question: Keep) -> Steps:
        entry = question.entry
        left = round(min((entry.keep_until - self._wall()) * 1000, LONGEST))
        if left > 0:
            name = self._hash(entry.key)
            value = packed_head(entry) + b"\n" + entry.body
            member = "\x1f".join((entry.service, entry.operation, name))
            keys = (name, self._all, *map(self._tag, entry.tags))
            arguments = (packed_vary(entry), value, left, member, MOST_VARIANTS, name)
            yield [("EVAL", KEEP, len(keys), *keys, *arguments)]

    def _drop(self, question: Drop) -> Steps:
        keys = [self._hash(question.key or "")]
        if question.tag is not None:
            keys.append(self._tag(question.tag))
        (dropped,) = yield [("EVAL", DROP, len(keys), *keys)]
        return dropped

    def _clear(self, question: Clear) -> Steps:
        (members,) = yield [("ZRANGE", self._all, 0, -1)]
        dropped = 0
        for chunk in _chunks([each for each in members if question.means(*_parts(each)[:2])]):
            drops = [("EVAL", DROP, 1, _parts(each)[2]) for each in chunk]
            *numbers, _ = yield [*drops, ("ZREM", self._all, *chunk)]
            dropped += sum(numbers)
        return dropped

    def _info(self, _: Info) -> Steps:
        (members,) = yield [("ZRANGE", self._all, 0, -1)]
        entries = size = 0
        for chunk in _chunks(members):
            (found,) = yield [_listing(chunk)]
            entries += len(found)
            size += sum(bytes_ for _, bytes_ in found)
        return Holdings(self._place(), entries, size, None)

    def _show(self, question: Show) -> Steps:
        (members,) = yield [("ZREVRANGE", self._all, 0, question.limit - 1)]
        shown = []
        for chunk in _chunks(members):
            (found,) = yield [_listing(chunk)]
            read = ((unpacked(head, b""), size) for head, size in found)
            shown += [Shown(entry, size) for entry, size in read if entry is not None]
        return tuple(sorted(shown, key=lambda each: each.entry.answered, reverse=True)[: question.limit])

    def _agree(self, _: HashKey) -> Steps:
        name = f"{self._root}:hash-key"
        _, made = yield [("SET", name, secrets.token_bytes(KEY_LENGTH), "NX"), ("GET", name)]
        return made

    def _place(self) -> str:
        url = self._url.reveal() if isinstance(self._url, Secret) else self._url
        scheme, _, rest = url.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}"

    def _in_trouble(self, error: BaseException, seconds: float) -> StoreUnavailableError:
        return self._failed(error) if seconds >= SHORTEST_TRIAL else StoreUnavailableError(self._told(error))


class ValkeyCache(_AnyValkeyCache):
    """For any number of threads. Raises UsageError if redis-py is not installed."""

    def _new_places(self) -> threading.BoundedSemaphore:
        return threading.BoundedSemaphore(AT_ONCE)

    def ask(self, question: Question[Answer], seconds: float) -> Answer:
        """The answer, within a quarter of a second for each round trip, and one for connecting. Raises StoreUnavailableError."""
        self._refuse_while_it_rests()
        until = time.monotonic() + seconds
        if not self._places.acquire(timeout=min(seconds, threading.TIMEOUT_MAX)):
            raise StoreUnavailableError(f"{AT_ONCE} questions were in flight until the call's time was up")
        try:
            steps = self._steps[type(question)](question)
            commands = next(steps)
            while True:
                commands = steps.send(self._answers(commands, until))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            self._places.release()

    def _answers(self, commands: list[Command], until: float) -> list[Any]:
        redis = redis_py()
        connection = None
        began = time.monotonic()
        try:
            if self._client is None:
                self._client = self._made(redis.Redis, redis.retry.Retry)
            connection = self._client.connection_pool.get_connection()
            connection.send_packed_command(connection.pack_commands(commands), check_health=False)
            return [connection.read_response(timeout=_within(until)) for _ in commands]
        except (redis.exceptions.RedisError, OSError, ValueError) as error:
            if connection is not None:
                connection.disconnect()  # answers may still be on their way
            raise self._in_trouble(error, until - began) from None
        finally:
            if connection is not None:
                self._client.connection_pool.release(connection)

    def close(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            client.close()


class AsyncValkeyCache(_AnyValkeyCache):
    """For the tasks of one event loop. Raises UsageError if redis-py is not installed."""

    def _new_places(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(AT_ONCE)

    async def ask(self, question: Question[Answer], seconds: float) -> Answer:
        """The answer, within a quarter of a second for each round trip, and one for connecting. Raises StoreUnavailableError."""
        self._refuse_while_it_rests()
        until = time.monotonic() + seconds
        try:
            async with asyncio.timeout(seconds):
                await self._places.acquire()
        except TimeoutError:
            raise StoreUnavailableError(f"{AT_ONCE} questions were in flight until the call's time was up") from None
        try:
            steps = self._steps[type(question)](question)
            commands = next(steps)
            while True:
                commands = steps.send(await self._answers(commands, until))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            self._places.release()

    async def _answers(self, commands: list[Command], until: float) -> list[Any]:
        redis = redis_py()
        connection = None
        began = time.monotonic()
        try:
            if self._client is None:
                self._client = self._made(redis.asyncio.Redis, redis.asyncio.retry.Retry)
            async with asyncio.timeout(min(max(until - began, 0.0), 2 * TIMEOUT)):
                connection = await self._client.connection_pool.get_connection()
                await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
                answers = [await connection.read_response() for _ in commands]
        except BaseException as error:
            if connection is not None:
                await connection.disconnect(nowait=True)
            if isinstance(error, redis.exceptions.RedisError | OSError | ValueError):
                raise self._in_trouble(error, until - began) from None
            raise
        finally:
            if connection is not None:
                await self._client.connection_pool.release(connection)
        return answers

    async def aclose(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def _within(until: float) -> float:
    return min(max(until - time.monotonic(), 0.001), TIMEOUT)


def _entry(value: Any) -> Entry | None:
    head, _, body = value.partition(b"\n")
    return unpacked(head, body)


def _parts(member: bytes) -> tuple[str, str, str]:
    service, operation, name, *_ = *member.decode("utf-8", "replace").split("\x1f"), "", ""
    return service, operation, name


def _listing(members: list[bytes]) -> Command:
    return "EVAL", LIST, len(members), *(_parts(each)[2] for each in members)


def _chunks(members: list[bytes]) -> Iterator[list[bytes]]:
    return (members[begin : begin + CHUNK] for begin in range(0, len(members), CHUNK))
