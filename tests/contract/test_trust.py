"""Whom we trust where no `tls.ca` is written: what the environment names."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from callsheet import AsyncClient, Client, LocalFault, TLSError
from callsheet.settings.tls import TLS
from callsheet.transports.connection_settings import ConnectionSettings
from tests.contract.worlds import world_of
from tests.loops import COLOURS, colours, run
from tests.needs import program
from tests.servers import Certificates, EchoServer, ScriptedServer


def by_threads(url):
    with Client(base_url=url, retry="off") as client:
        return client.get("/").status_code


def by_tasks(url, loop="asyncio"):
    async def main():
        async with AsyncClient(base_url=url, retry="off") as client:
            return (await client.get("/")).status_code

    return run(main(), loop)


both_colours = pytest.mark.parametrize("status_of", colours(by_threads, by_tasks))


@both_colours
def test_ssl_cert_file_is_trusted(status_of, certificates, monkeypatch):
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca_file))
    with EchoServer(tls=certificates.good()) as server:
        assert status_of(f"https://127.0.0.1:{server.port}") == 200


@pytest.mark.parametrize("colour", COLOURS)
def test_a_path_may_be_outside_ascii(colour, certificates, tmp_path):
    own = shutil.copy(certificates.ca_file, tmp_path / "jösé.pem")
    with EchoServer(tls=certificates.good()) as server:
        for tls in (TLS(ca=own), TLS(extra_ca=own)):
            world = world_of(colour, ConnectionSettings(tls=tls))
            assert world.get(server.url).status_code == 200
            world.end()


@pytest.mark.needs("openssl")
@both_colours
def test_ssl_cert_dir_is_trusted(status_of, certificates, tmp_path, monkeypatch):
    asked = [program("openssl"), "x509", "-hash", "-noout", "-in", str(certificates.ca_file)]
    name = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    shutil.copy(certificates.ca_file, tmp_path / f"{name}.0")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    with EchoServer(tls=certificates.good()) as server:
        assert status_of(f"https://127.0.0.1:{server.port}") == 200


@both_colours
def test_without_them_an_unknown_authority_is_not(status_of, certificates, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    with EchoServer(tls=certificates.good()) as server, pytest.raises(TLSError, match="trusted"):
        status_of(f"https://127.0.0.1:{server.port}")


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("is_beside", [True, False])
def test_an_extra_authority_is_trusted_beside_the_others(colour, is_beside, certificates, tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    other = Certificates(tmp_path / "other")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca_file))
    key = "extra_ca" if is_beside else "ca"
    world = world_of(colour, ConnectionSettings(tls=TLS(**{key: other.ca_file})))
    with EchoServer(tls=certificates.good()) as usual, EchoServer(tls=other.good()) as own:
        assert world.get(own.url).status_code == 200
        if is_beside:
            assert world.get(usual.url).status_code == 200
        else:
            assert isinstance(world.failure(usual.url), TLSError)
    world.end()


@pytest.mark.parametrize("colour", COLOURS)
def test_an_extra_authority_is_read_again_when_it_changes(colour, certificates, tmp_path, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    extra = tmp_path / "extra.pem"
    trustme.CA().cert_pem.write_to_path(extra)
    world = world_of(colour, ConnectionSettings(tls=TLS(extra_ca=extra)))
    with EchoServer(tls=certificates.good()) as server:
        assert isinstance(world.failure(server.url), TLSError)
        extra.write_bytes(certificates.ca_file.read_bytes() + b"\n")
        assert world.get(server.url).status_code == 200
        extra.write_bytes(b"")  # whoever replaces it has just begun
        assert world.get(server.url).status_code == 200
        extra.unlink()
        assert world.get(server.url).status_code == 200
    world.end()


def test_an_extra_authority_that_never_was_there_is_a_fault_of_this_machine(certificates, tmp_path):
    world = world_of("blocking", ConnectionSettings(tls=TLS(extra_ca=tmp_path / "absent.pem")))
    with ScriptedServer(tls=certificates.good()) as server:
        error = world.failure(server.url)
        assert (type(error), error.was_sent) == (LocalFault, False)
        assert "absent.pem" in str(error)
    world.end()


FORKED = """
import os, sys
from pathlib import Path
from callsheet.transports.curl.trust import Trust

trust = Trust(None, Path(sys.argv[1]))
ours = Path(trust.options()[0][1])
child = os.fork()
if child == 0:
    theirs = Path(trust.options()[0][1])
    print(theirs, theirs.exists(), flush=True)
    sys.exit(0)
os.waitpid(child, 0)
print(ours, ours.exists())
"""


def test_a_forked_child_has_a_bundle_of_its_own_and_none_is_left(certificates):
    asked = [sys.executable, "-c", FORKED, str(certificates.ca_file)]
    lines = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    assert lines[1::2] == ["True", "True"]
    assert lines[0] != lines[2]
    assert not any(Path(bundle).parent.exists() for bundle in lines[::2])
