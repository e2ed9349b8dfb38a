"""A certificate authority of the tests' own, and a server-side TLS context for each way a handshake may end."""

from __future__ import annotations

import ssl
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from tests.servers.actions import (
    answer_before_reading,
    close_before_reading,
    reset_before_reading,
    response,
    silence_before_reading,
)
from tests.servers.scripted import ScriptedServer

NAMES = ("localhost", "127.0.0.1")


class Certificates:
    """Key material in a folder: `ca_file` to trust, `client_cert_file` and `client_key_file` to present."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ca = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(self.ca_file)
        client = self._ca.issue_cert("client@example.com")
        self.client_cert_file = folder / "client.pem"
        self.client_key_file = folder / "client.key"
        client.cert_chain_pems[0].write_to_path(self.client_cert_file)
        client.private_key_pem.write_to_path(self.client_key_file)

    def good(self) -> ssl.SSLContext:
        """A certificate for localhost and 127.0.0.1 that `ca_file` vouches for."""
        return _context(self._ca.issue_cert(*NAMES))

    def expired(self) -> ssl.SSLContext:
        """A certificate that ended yesterday."""
        return _context(self._ca.issue_cert(*NAMES, not_before=_days(-30), not_after=_days(-1)))

    def not_yet_valid(self) -> ssl.SSLContext:
        """A certificate that begins tomorrow."""
        return _context(self._ca.issue_cert(*NAMES, not_before=_days(1), not_after=_days(30)))

    def wrong_host(self) -> ssl.SSLContext:
        """A certificate for another name."""
        return _context(self._ca.issue_cert("wrong.example.com"))

    def untrusted(self) -> ssl.SSLContext:
        """A certificate of an authority that `ca_file` does not hold."""
        return _context(trustme.CA().issue_cert(*NAMES))

    def only(self, version: ssl.TLSVersion) -> ssl.SSLContext:
        """A good certificate, under one version of TLS."""
        context = self.good()
        context.minimum_version = context.maximum_version = version
        return context

    def tls_1_1(self) -> ssl.SSLContext:
        """A good certificate, under TLS 1.1 only, which OpenSSL 3 allows at security level 0."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context = self.only(ssl.TLSVersion.TLSv1_1)
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        return context

    def client_required(self, version: ssl.TLSVersion) -> ssl.SSLContext:
        """A good certificate, under one version of TLS, that asks for a certificate of the client and insists."""
        context = self.only(version)
        context.verify_mode = ssl.CERT_REQUIRED
        self._ca.configure_trust(context)
        return context

    def server_files(self) -> tuple[Path, Path]:
        """A good certificate and its key as files, for servers that are programs."""
        leaf = self._ca.issue_cert(*NAMES)
        cert_file, key_file = self.folder / "server.pem", self.folder / "server.key"
        leaf.cert_chain_pems[0].write_to_path(cert_file)
        leaf.private_key_pem.write_to_path(key_file)
        return cert_file, key_file


def plain_http_on_tls_port() -> ScriptedServer:
    """A server that takes https for malformed HTTP and says so in the clear."""
    return ScriptedServer(answer_before_reading(response(400, keep=False)), scheme="https")


def hangs_up_in_handshake() -> ScriptedServer:
    """A server that closes when the ClientHello arrives."""
    return ScriptedServer(close_before_reading(), scheme="https")


def resets_in_handshake() -> ScriptedServer:
    """A server that resets when the ClientHello arrives."""
    return ScriptedServer(reset_before_reading(), scheme="https")


def silent_in_handshake() -> ScriptedServer:
    """A server that takes the ClientHello and never answers."""
    return ScriptedServer(silence_before_reading(), scheme="https")


def _context(leaf: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return context


def _days(count: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=count)
