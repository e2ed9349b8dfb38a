"""What only a process of its own can show: Ctrl-C, leaving with work in flight, and forking."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.loops import ON_UVLOOP
from tests.servers import BlackholedPort, Certificates, EchoServer, ScriptedServer, flood, silence, silent_in_handshake

ROOT = Path(__file__).parents[2]
PRELUDE = """
import asyncio, os, socket, sys, threading, time
from callsheet import AsyncClient, Client
url, *rest = sys.argv[1:]
# Long limits: whatever ends early ends for another reason.
patient = dict(timeout=30, retry="off")
def slow_names(*_, **__):
    time.sleep(20)
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PRELUDE + code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )


def ended(child: subprocess.Popen[str], seconds: float = 10.0) -> tuple[int, str, str]:
    try:
        out, err = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise
    return child.returncode, out, err


def on_uvloop(code: str) -> str:
    """The same program on uvloop."""
    code = code.replace("asyncio.run(", "uvloop.run(")
    return "import uvloop\n" + code.replace("asyncio.Runner()", "asyncio.Runner(loop_factory=uvloop.new_event_loop)")


BLOCKING = """
def call(url):
    with Client(base_url=url, **patient) as client:
        print("ready", flush=True)
        client.get("/")
"""
TASKS = """
def call(url):
    async def main():
        async with AsyncClient(base_url=url, **patient) as client:
            print("ready", flush=True)
            await client.get("/")
    asyncio.run(main())
"""
INTERRUPTED = """
for each in (url, *rest):
    try:
        call(each)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.mark.parametrize(
    "code", [BLOCKING, TASKS, pytest.param(on_uvloop(TASKS), **ON_UVLOOP)], ids=["blocking", "asyncio", "uvloop"]
)
def test_ctrl_c_ends_a_call_within_a_second(code: str, blackholed_port: BlackholedPort) -> None:
    with silent_in_handshake() as shaking, ScriptedServer(silence()) as waiting:
        child = start(code + INTERRUPTED, blackholed_port.url, shaking.url, waiting.url)
        assert child.stdout is not None
        for is_there in (lambda: True, lambda: shaking.wait_connections(1), lambda: waiting.wait_requests(1)):
            assert child.stdout.readline() == "ready\n"
            assert is_there()
            child.send_signal(signal.SIGINT)
            sent = time.monotonic()
            assert child.stdout.readline() == "interrupted\n"
            assert time.monotonic() - sent < 1.0
        assert ended(child) == (0, "", "")


LEAVING = {
    "threads waiting": """
client = Client(base_url=url, **patient)
for _ in range(3):
    threading.Thread(target=client.get, args=("/",), daemon=True).start()
print("ready", flush=True)
sys.stdin.readline()
left = time.monotonic()
client.close()
""",
    "threads waiting, never closed": """
import warnings; warnings.simplefilter("ignore")
client = Client(base_url=url, **patient)
for _ in range(3):
    threading.Thread(target=client.get, args=("/",), daemon=True).start()
print("ready", flush=True)
sys.stdin.readline()
""",
    "tasks waiting": """
async def main():
    async with AsyncClient(base_url=url, **patient) as client:
        tasks = [asyncio.ensure_future(client.get("/")) for _ in range(3)]
        await asyncio.sleep(0)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
    print(*(type(each).__name__ for each in await asyncio.gather(*tasks, return_exceptions=True)))
asyncio.run(main())
""",
    "tasks waiting, never closed": """
import warnings; warnings.simplefilter("ignore")
async def main():
    client = AsyncClient(base_url=url, **patient)
    tasks = [asyncio.ensure_future(client.get("/")) for _ in range(3)]
    await asyncio.sleep(0)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
asyncio.run(main())
""",
}


LEAVING |= {f"{how}, on uvloop": on_uvloop(code) for how, code in LEAVING.items() if how.startswith("tasks")}


@pytest.mark.parametrize("how", [pytest.param(how, **(ON_UVLOOP if "uvloop" in how else {})) for how in LEAVING])
def test_leaving_with_transfers_in_flight_takes_under_a_second(how: str) -> None:
    with ScriptedServer(silence()) as server:
        child = subprocess.Popen(
            [sys.executable, "-c", PRELUDE + LEAVING[how], server.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "ready\n"
        assert server.wait_requests(3)
        child.stdin.write("\n")
        child.stdin.flush()
        said = time.monotonic()
        status, out, err = ended(child)
        assert time.monotonic() - said < 1.0
        if how.startswith("tasks waiting") and "never closed" not in how:
            assert out.split() == ["UsageError"] * 3
        if "never closed" in how or how.startswith("tasks"):
            assert (status, err) == (0, "")
        assert status == 0
        assert server.wait_all_closed()


SLOW_NAME = """
socket.getaddrinfo = slow_names
slow = dict(base_url="http://slow.test", **patient)
def outcome(client):
    try:
        client.get("/")
    except Exception as error:
        print(type(error).__name__)
client = Client(**slow)
thread = threading.Thread(target=outcome, args=(client,))
thread.start()
while not any(each.name.startswith("callsheet-lookup") for each in threading.enumerate()):
    time.sleep(0.001)
began = time.monotonic()
client.close()
thread.join()

async def main(cancels):
    async with AsyncClient(**slow) as client:
        task = asyncio.ensure_future(client.get("/"))
        await asyncio.sleep(0.01)
        if cancels:
            task.cancel()
            await asyncio.wait([task])
    print(type((await asyncio.gather(task, return_exceptions=True))[0]).__name__)
asyncio.run(main(False))
asyncio.run(main(True))
print(began)
"""


def test_leaving_with_slow_lookups_in_flight_takes_under_a_second() -> None:
    # The child says when it began to leave, on the machine's one clock.
    status, out, err = ended(start(SLOW_NAME, ""))
    *kinds, began = out.split()
    assert time.monotonic() - float(began) < 1.0
    assert (status, err) == (0, "")
    assert kinds == ["UsageError", "UsageError", "CancelledError"]


FORKED_BLOCKING = """
ca = {"tls": {"ca": rest[0]}} if rest[0] else {}
with Client(base_url=url, **ca) as client:
    seen = lambda: client.get("/").json()["connection"]
    first = seen()
    for leave in (os._exit, sys.exit):
        pid = os.fork()
        if pid == 0:
            print("child", seen(), seen(), flush=True)
            leave(0)
        assert os.waitpid(pid, 0)[1] == 0
        print("parent", first, seen(), flush=True)
"""
FORKED_TASKS = """
ca = {"tls": {"ca": rest[0]}} if rest[0] else {}
client = AsyncClient(base_url=url, **ca)
runner = asyncio.Runner()
async def seen():
    return (await client.get("/")).json()["connection"]
first = runner.run(seen())
async def both():
    try:
        return await seen(), await seen()
    finally:
        await client.aclose()
for leave in (os._exit, sys.exit):
    pid = os.fork()
    if pid == 0:
        print("child", *asyncio.run(both()), flush=True)
        leave(0)
    assert os.waitpid(pid, 0)[1] == 0
    print("parent", first, runner.run(seen()), flush=True)
runner.run(client.aclose())
runner.close()
"""


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(
    "code",
    [FORKED_BLOCKING, FORKED_TASKS, pytest.param(on_uvloop(FORKED_TASKS), **ON_UVLOOP)],
    ids=["blocking", "asyncio", "uvloop"],
)
def test_a_forked_child_has_connections_of_its_own(code: str, secure: bool, certificates: Certificates) -> None:
    with EchoServer(tls=certificates.good() if secure else None) as server:
        status, out, err = ended(start(code, server.url, certificates.ca_file if secure else ""))
        assert (status, err) == (0, "")
        # Connection 0 is the parent's, before and after; each child made one and kept it.
        assert out.splitlines() == ["child 1 1", "parent 0 0", "child 2 2", "parent 0 0"]
        assert server.wait_all_closed()


FORK_IN_STREAM = """
with Client(base_url=url) as client:
    with client.stream("GET", "/") as answer:
        pieces = answer.iter_bytes()
        size = len(next(pieces))
        pid = os.fork()
        if pid == 0:
            try:
                next(pieces)
            except Exception as error:
                print(type(error).__name__, flush=True)
            answer.close()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        print(size + sum(map(len, pieces)))
"""


def test_a_stream_stays_with_the_process_that_opened_it() -> None:
    with ScriptedServer(flood(8 << 20)) as server:
        status, out, err = ended(start(FORK_IN_STREAM, server.url))
        assert (status, out, err) == (0, f"UsageError\n{8 << 20}\n", "")


NO_FILES_LEFT = """
import resource
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
def outcome(client):
    try:
        client.get("/", timeout=5)
    except Exception as error:
        return error
blocking = Client(base_url=url, **patient)
tasks = AsyncClient(base_url=url, **patient)
with asyncio.Runner() as runner:
    runner.run(asyncio.sleep(0))
    async def of_task():
        try:
            await tasks.get("/")
        except Exception as error:
            return error
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) - 1, hard))
    errors = [outcome(blocking), runner.run(of_task())]
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    print(*(type(each).__name__ for each in errors), *("open files" in str(each) for each in errors))
    print(blocking.get("/").status_code, runner.run(of_task()))
    blocking.close()
    runner.run(tasks.aclose())
"""


def test_running_out_of_descriptors_is_an_error_of_ours_and_passes(echo_server: EchoServer) -> None:
    assert ended(start(NO_FILES_LEFT, echo_server.url)) == (0, "LocalFault LocalFault True True\n200 None\n", "")
