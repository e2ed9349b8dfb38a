"""A process that is busy with calls is forked: its children call on at once, and count from nothing."""

from __future__ import annotations

import pytest

from tests.contract.test_processes import ended, on_uvloop, start
from tests.loops import ON_UVLOOP
from tests.servers import EchoServer, ScriptedServer, flood, raw, response, then, wait

EVERY_POLICY = """
import gc, signal, types
from callsheet import APIError, AsyncClient, Client
from callsheet.testing import FakeTransport
everything = dict(
    rate_limit={"rates": ["100000/s", "1000000/h"], "learn": True}, cookies=True, timeout=5,
    concurrency={"limit": 20, "queue": 100}, breaker={"ratio": 0.5}, retry={"attempts": 3, "budget": {"ratio": 0.2}},
    redirects="same-origin", deadline_header="X-Timeout", idempotency_key="Idempotency-Key",
    auth={"jwt": {"algorithm": "HS256", "secret": "s" * 40, "issuer": "us"}},
    sign={"hmac": {"key": "t" * 40}},
    errors=[{"when": {"path": "code", "equals": 9}, "then": "retry"}],
)
def in_child(work):
    pid = os.fork()
    if pid == 0:
        signal.alarm(3)  # ends a child that hangs
        work()
        os._exit(0)
    return os.waitpid(pid, 0)[1]
"""

HELD = """
LOCKS = type(threading.Lock()), type(threading.RLock())
def locks_of(root):
    seen, found, ahead = set(), [], [root]
    while ahead:
        each = ahead.pop()
        if id(each) in seen or isinstance(each, (type, types.ModuleType, types.FunctionType, threading.Thread)):
            continue
        seen.add(id(each))
        if isinstance(each, LOCKS):
            found.append(each)
        ahead += gc.get_referents(each)
    return found
"""

HELD_BY_THREADS = (
    EVERY_POLICY
    + HELD
    + """
def call():
    for path in ("/a", "/b"):
        client.get(path)
fake = FakeTransport()
fake.otherwise().respond(200, json={}, headers={"Set-Cookie": "a=b"})
for client in (Client(base_url=url, **everything), Client(base_url=url, transport=fake, **everything)):
    call()
    locks = locks_of(client) + (locks_of(fake) if client._wiring.given else [])
    def hold():
        taken = [lock for lock in locks if lock.acquire(blocking=False)]
        held.set()
        over.wait()
        for lock in taken:
            lock.release()
    held, over = threading.Event(), threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    print(len(locks) > 10, in_child(call), in_child(client.close))
    over.set()
    holder.join()
    client.close()
"""
)


def test_no_lock_that_a_thread_holds_at_a_fork_is_held_in_the_child(echo_server: EchoServer) -> None:
    assert ended(start(HELD_BY_THREADS, echo_server.url)) == (0, "True 0 0\nTrue 0 0\n", "")


BUSY = (
    EVERY_POLICY
    + """
from callsheet.http.response import Response
class Instant:
    def send(self, request, limits):
        return Response(200, request=request, lines=[b"Set-Cookie: a=b"], content=b"{}"), None
    def close(self): pass
class AsyncInstant(Instant):
    async def send(self, request, limits):
        await asyncio.sleep(0)
        return Instant.send(self, request, limits)
    async def aclose(self): pass
blocking = Client(base_url=url, transport=Instant(), **everything)
tasks = AsyncClient(base_url=url, transport=AsyncInstant(), **everything)
sys.setswitchinterval(0.0005)
# Whose calls meet in the lock of their limiter, with little else to do.
limited = Client(base_url=url, transport=Instant(), rate_limit="100000/s")
def hammer(client):
    while True:
        client.get("/x")
async def hammered():
    async def one():
        while True:
            await tasks.get("/x")
    await asyncio.gather(*(one() for _ in range(4)))
async def twice():
    await tasks.get("/x")
    await tasks.aclose()
def child():
    blocking.get("/x")
    limited.get("/x")
    asyncio.run(twice())
for client in (blocking, *[limited] * 2):
    client.get("/x")
    threading.Thread(target=hammer, args=(client,), daemon=True).start()
threading.Thread(target=asyncio.run, args=(hammered(),), daemon=True).start()
for _ in range(50):
    if status := in_child(child):
        print("a child ended with", status, flush=True)
        os._exit(1)
print("50 children")
sys.stdout.flush()
os._exit(0)
"""
)


def test_fifty_children_of_a_busy_parent_call_at_once() -> None:
    assert ended(start(BUSY, "http://shop.test"), 30.0)[:2] == (0, "50 children\n")


PAUSED = """
# A retry sleeps in the parent; in the child, whose loop is another, one sleeps, too, and closes.
client = AsyncClient(base_url=url, retry={"attempts": 2, "backoff": {"first": "1ms", "max": "1ms"}}, breaker="off")
async def called():
    try:
        await client.get("/")
    except Exception as error:
        print(type(error).__name__, error.attempts, flush=True)
asyncio.run(called())
async def both():
    await called()
    await client.aclose()
pid = os.fork()
if pid == 0:
    try:
        asyncio.run(both())
    finally:
        os._exit(0)
os.waitpid(pid, 0)
"""


def test_a_child_sleeps_before_a_retry_in_its_own_loop(refused_port: object) -> None:
    out = ended(start(PAUSED, refused_port.url))[1]  # type: ignore[attr-defined]
    assert out == "NotSent 2\nNotSent 2\n"


COUNTED = """
sheet = {"callsheet": 1, "services": {"shop": {"base_url": url, "rate_limit": {"rates": ["3/h"], "when_full": "fail"},
         "operations": {name: {"get": f"/{name}"} for name in ("before", "after")}}}}
from callsheet import Sheet
from callsheet.errors import LimitReached
with Client(Sheet(services=sheet["services"])) as client:
    shop = client.service("shop")
    shop.call("before")
    pid = os.fork()
    if pid == 0:
        made = 0
        for name in ("before", "after") * 3:
            try:
                shop.call(name)
                made += 1
            except LimitReached:
                pass
        print(made, flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
"""


def test_operations_compiled_before_and_after_a_fork_count_together(echo_server: EchoServer) -> None:
    assert ended(start(COUNTED, echo_server.url))[:2] == (0, "3\n")


OF_PARENT = """
import signal, tempfile
from contextlib import aclosing
from callsheet import APIError, AsyncClient, Client
from callsheet.transports.asgi.blocking import ASGITransport
def in_child(work):
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    signal.alarm(5)  # ends a child that hangs
    try:
        work()
        print("nothing raised", flush=True)
    except BaseException as error:
        print(type(error).__name__, "forked from" in str(error) or "before a fork" in str(error), flush=True)
    os._exit(0)
operations = {"get_it": {"get": "/"}}
status = lambda outcome: outcome.result().status_code
"""
MAP = """
with Client(base_url=url, operations=operations) as client:
    untouched = client.map("get_it", [{}] * 3)
    with client.map("get_it", [{}] * 20, concurrency=2) as outcomes:
        first = status(next(outcomes))
        def iterate():
            with outcomes:
                list(outcomes)
        print(in_child(iterate))
        print(in_child(lambda: print(*map(status, untouched), flush=True)))
        print({first, *map(status, outcomes)}, flush=True)
"""
ROWS = """
parent = os.getpid()
def rows():
    yield {}
    yield {}
    yield {}
    if in_child_of_rows():
        return
    yield {}
def in_child_of_rows():
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
    else:
        signal.alarm(5)
    return not pid
with Client(base_url=url, operations=operations) as client:
    try:
        print(*map(status, client.map("get_it", rows(), concurrency=1)), flush=True)
    except APIError as error:
        print(type(error).__name__, "forked from" in str(error), flush=True)
if os.getpid() != parent:
    os._exit(0)
"""
DOWNLOAD = """
with Client(base_url=url) as client, tempfile.TemporaryDirectory() as folder:
    parent = os.getpid()
    def progress(size, total):
        if size and parent == os.getpid() and not forked:
            forked.append(os.fork())
            if forked[0]:
                os.waitpid(forked[0], 0)
            else:
                signal.alarm(5)
    forked = []
    try:
        print(client.download("/", to=f"{folder}/file", progress=progress).size, flush=True)
        print(os.path.getsize(f"{folder}/file"), os.listdir(folder), flush=True)
    except APIError as error:
        print(type(error).__name__, "forked from" in str(error), flush=True)
    if parent != os.getpid():
        os._exit(0)
"""
APP = """
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(3):
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
    await send({"type": "http.response.body", "body": b""})
with ASGITransport(app) as transport, Client(base_url="http://app.test", transport=transport) as client:
    with client.stream("GET", "/") as answer:
        print(in_child(answer.read))
        print(len(answer.read()), flush=True)
"""
TASKS_MAP = """
runner = asyncio.Runner()
client = AsyncClient(base_url=url, operations=operations)
outcomes = client.map("get_it", [{}] * 20, concurrency=2)
first = status(runner.run(anext(outcomes)))
async def iterate():
    async with aclosing(outcomes):
        async for _ in outcomes:
            pass
print(in_child(lambda: asyncio.run(iterate())))
async def rest():
    return {first, *[status(each) async for each in outcomes]}
print(runner.run(rest()), flush=True)
runner.run(client.aclose())
runner.close()
"""
TASKS_CALL = """
runner = asyncio.Runner()
client = AsyncClient(base_url=url)
async def begin():
    call = asyncio.ensure_future(client.get("/"))
    await asyncio.sleep(0)
    return call
call = runner.run(begin())
async def outcome():
    return await call
print(in_child(lambda: runner.run(outcome())))
print(runner.run(outcome()).status_code, flush=True)
runner.run(client.aclose())
runner.close()
"""
USED = {
    "a map": (MAP, "UsageError True\n0\n200 200 200\nnothing raised\n0\n{200}\n"),
    "rows that fork": (ROWS, "UsageError True\n200 200 200 200\n"),
    "a download": (DOWNLOAD, f"UsageError True\n{4 << 20}\n{4 << 20} ['file']\n"),
    "a stream of an app": (APP, "UsageError True\n0\n3\n"),
    "a map by tasks": (TASKS_MAP, "UsageError True\n0\n{200}\n"),
    "a call by tasks": (TASKS_CALL, "UsageError True\n0\n200\n"),
}
ON_ANY_LOOP = [
    *(pytest.param(*each, id=name) for name, each in USED.items()),
    *(
        pytest.param(on_uvloop(USED[name][0]), USED[name][1], id=f"{name} of uvloop", **ON_UVLOOP)
        for name in USED
        if "tasks" in name
    ),
]


@pytest.mark.parametrize(("code", "said"), ON_ANY_LOOP)
def test_what_a_parent_has_begun_is_refused_in_its_child_and_goes_on_in_the_parent(code: str, said: str) -> None:
    acts = {DOWNLOAD: flood(4 << 20), TASKS_CALL: then(wait(0.3), raw(response()))}
    act = next((act for begun, act in acts.items() if code in (begun, on_uvloop(begun))), None)
    with EchoServer() if act is None else ScriptedServer(act) as server:
        assert ended(start(OF_PARENT + code, server.url), 20.0) == (0, said, "")
