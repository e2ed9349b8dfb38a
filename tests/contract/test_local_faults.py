"""What this machine lacks is said as that: it is no fault of the service, and closes it to nobody."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pytest

from callsheet import APIError, AsyncClient, Client, LocalFault, Sheet
from callsheet.settings.tls import TLS
from callsheet.transports.connection_settings import ConnectionSettings
from tests.contract.test_processes import ended, on_uvloop, start
from tests.contract.worlds import world_of
from tests.loops import COLOURS, colours, run
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


def failures_of_threads(sheet: Sheet, count: int) -> list[APIError]:
    with Client(sheet) as client:
        errors = []
        for _ in range(count):
            with pytest.raises(APIError) as caught:
                client.service("shop").get("/")
            errors.append(caught.value)
            time.sleep(0.002)  # longer than the breaker's window
        assert client.service("shop").breaker().state == "closed"
    return errors


def failures_of_tasks(sheet: Sheet, count: int, loop: str = "asyncio") -> list[APIError]:
    async def main() -> list[APIError]:
        async with AsyncClient(sheet) as client:
            errors = []
            for _ in range(count):
                with pytest.raises(APIError) as caught:
                    await client.service("shop").get("/")
                errors.append(caught.value)
                time.sleep(0.002)  # noqa: ASYNC251 nothing else runs
            assert client.service("shop").breaker().state == "closed"
        return errors

    return run(main(), loop)


NO_DER = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("content", [None, b"", NO_DER], ids=["removed", "empty", "no certificate"])
@pytest.mark.parametrize("key", ["ca", "extra_ca"])
@pytest.mark.parametrize("failures", colours(failures_of_threads, failures_of_tasks))
def test_authorities_that_cannot_be_read_are_one_local_attempt_and_the_breaker_stays_closed(
    failures, key: str, content: bytes | None, certificates: Certificates, tmp_path: Path
) -> None:
    file = tmp_path / "own.pem"
    file.write_bytes(certificates.ca_file.read_bytes())
    with EchoServer(tls=certificates.good()) as server:
        again = {"attempts": 3, "backoff": {"first": "1ms", "max": "1ms"}}
        service = {"tls": {key: str(file)}, "retry": again, "breaker": {"samples": 2, "window": "1ms"}}
        sheet = Sheet(services={"shop": {"base_url": server.url, **service}})
        file.unlink() if content is None else file.write_bytes(content)
        errors = failures(sheet, 4)
    assert {(type(error), error.is_local, error.was_sent, error.attempts) for error in errors} == {
        (LocalFault, True, False, 1)
    }
