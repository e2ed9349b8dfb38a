"""Whom we trust where no `tls.ca` is written: what the environment names."""

import asyncio
import shutil
import subprocess

import pytest

from callsheet import AsyncClient, Client, TLSError
from tests.needs import program
from tests.servers import EchoServer


def by_threads(url):
    with Client(base_url=url, retry="off") as client:
        return client.get("/").status_code


def by_tasks(url):
    async def main():
        async with AsyncClient(base_url=url, retry="off") as client:
            return (await client.get("/")).status_code

    return asyncio.run(main())


both_colours = pytest.mark.parametrize("status_of", [by_threads, by_tasks], ids=["blocking", "asyncio"])


@both_colours
def test_ssl_cert_file_is_trusted(status_of, certificates, monkeypatch):
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca_file))
    with EchoServer(tls=certificates.good()) as server:
        assert status_of(f"https://127.0.0.1:{server.port}") == 200


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
