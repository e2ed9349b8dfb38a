"""What this machine lacks is said as that: it is no fault of the service, and closes it to nobody."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from callsheet import LocalFault
from callsheet.settings.tls import TLS
from callsheet.transports.connection_settings import ConnectionSettings
from tests.contract.test_processes import ended, on_uvloop, start
from tests.contract.worlds import world_of
from tests.loops import COLOURS
from tests.servers import Certificates, EchoServer, ScriptedServer, answer

SCARCE = """
import contextlib, logging, resource
from functools import partial
from callsheet import LocalFault
from callsheet.events import AttemptEnded
from callsheet.transports.curl import asynchronous, blocking
logging.disable()
errors = []
class Heard:
    wants = (AttemptEnded,)
    def __call__(self, event):
        errors.append(event.error)
@contextlib.contextmanager
def no_file_left():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
def told(error):
    print(type(error).__name__, "open files" in str(error), error.is_local, error.was_sent, error.attempts)
colour, addresses, warmed = rest
# At ten failures of ten this breaker opens, and a retry would come at once.
settings = dict(base_url=url, listeners=(Heard(),), timeout=5, breaker={"samples": 10, "window": 0.001},
                retry={"attempts": 3, "backoff": {"first": 0.001, "max": 0.001}})
if addresses == "guarded":
    blocking.CurlTransport = partial(blocking.CurlTransport, classify=lambda address: True)
    asynchronous.AsyncCurlTransport = partial(asynchronous.AsyncCurlTransport, classify=lambda address: True)
    settings["addresses"] = "public"
last = None
def by_threads():
    global last
    with Client(**settings) as client:
        if warmed:
            client.get("/")
        with no_file_left():
            for _ in range(20):
                try: client.get("/")
                except LocalFault as error: last = error
        told(last)
        if warmed:
            client.get("/")
async def by_tasks():
    global last
    async with AsyncClient(**settings) as client:
        if warmed:
            await client.get("/")
        with no_file_left():
            for _ in range(20):
                try: await client.get("/")
                except LocalFault as error: last = error
        told(last)
        if warmed:
            await client.get("/")
by_threads() if colour == "blocking" else asyncio.run(by_tasks())
print(len(errors), errors.count("LocalFault"), errors.count(None))
"""


def in_colour(code: str, colour: str) -> str:
    return on_uvloop(code) if colour == "uvloop" else code


@pytest.mark.parametrize("addresses", ["any", "guarded"])
@pytest.mark.parametrize("colour", COLOURS)
def test_without_descriptors_a_call_is_one_local_attempt_and_the_breaker_stays_closed(
    colour: str, addresses: str
) -> None:
    with ScriptedServer(answer(keep=False)) as server:
        told = ended(start(in_colour(SCARCE, colour), server.url, colour, addresses, "warmed"))
    assert told == (0, "LocalFault True True False 1\n22 20 2\n", "")


@pytest.mark.parametrize("colour", COLOURS)
def test_a_name_that_cannot_be_looked_up_for_want_of_descriptors_is_local(colour: str) -> None:
    child = start(in_colour(SCARCE, colour), "http://nobody.invalid:9", colour, "any", "")
    status, out, err = ended(child)
    assert (status, out.partition(" 1")[0].partition(" 0")[0], err) == (0, "LocalFault True True False", "")


@pytest.mark.parametrize("colour", COLOURS)
def test_without_a_temporary_file_an_extra_authority_is_a_local_fault_until_there_is_one(
    colour: str, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_of(colour, ConnectionSettings(tls=TLS(extra_ca=certificates.ca_file)))
    with EchoServer(tls=certificates.good()) as server:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
        error = world.failure(server.url)
        assert (type(error), error.was_sent) == (LocalFault, False)
        assert "no temporary file" in str(error)
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        assert world.get(server.url).status_code == 200
    world.end()


@pytest.mark.parametrize("colour", COLOURS)
def test_a_client_certificate_that_cannot_be_read_is_local_too(
    colour: str, certificates: Certificates, tmp_path: Path
) -> None:
    tls = TLS(ca=certificates.ca_file, cert=tmp_path / "absent.pem")
    world = world_of(colour, ConnectionSettings(tls=tls))
    error = world.failure("https://127.0.0.1:9/")
    assert (type(error).__name__, getattr(error, "is_local", None)) == ("TLSError", True)
    world.end()
