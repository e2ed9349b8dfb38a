"""Authorities that cannot be read are a fault of this machine, and say nothing of the service."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

import pytest

from callsheet import APIError, AsyncClient, Client, LocalFault, Sheet
from callsheet.transports.curl.trust import Trust
from tests.loops import colours, run
from tests.servers import Certificates, EchoServer


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
    with EchoServer() as server:  # no handshake begins, and so the server needs no TLS
        again = {"attempts": 3, "backoff": {"first": "1ms", "max": "1ms"}}
        service = {"tls": {key: str(file)}, "retry": again, "breaker": {"samples": 2, "window": "1ms"}}
        sheet = Sheet(services={"shop": {"base_url": f"https://{server.host}:{server.port}", **service}})
        file.unlink() if content is None else file.write_bytes(content)
        errors = failures(sheet, 4)
    assert {(type(error), error.is_local, error.was_sent, error.attempts) for error in errors} == {
        (LocalFault, True, False, 1)
    }


def test_where_no_bundle_can_be_written_no_half_ones_pile_up(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    trust = Trust(certificates.ca_file, certificates.ca_file)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        for _ in range(3):
            with pytest.raises(LocalFault, match="no temporary file"):
                trust.options()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(list(tmp_path.glob("*/*"))) == 1
    ((_, bundle),) = trust.options()
    assert Path(bundle).stat().st_size > 100
    assert len(list(tmp_path.glob("*/*"))) == 1
