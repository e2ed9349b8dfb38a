"""A certificate authority of the tests' own, and a server-side TLS context for each way a handshake may end."""

from __future__ import annotations

import base64
import hashlib
import ssl
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers.actions import (
    answer_before_reading,
    close_before_reading,
    reset_before_reading,
    response,
    silence_before_reading,
)
from tests.servers.scripted import ScriptedServer

NAMES = ("localhost", "127.0.0.1")
PLAIN = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@dataclass(frozen=True)
class ClientFiles:
    """A client certificate, its key, and the serial number by which a server knows it."""

    cert: Path
    key: Path
    serial: int


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

    def client(
        self, folder: Path, *, since: int = -1, until: int = 30, password: str = "", authority: trustme.CA | None = None
    ) -> ClientFiles:
        """A client certificate in `folder`, over whatever was there; days count from today."""
        leaf = (authority or self._ca).issue_cert("client@example.com", not_before=_days(since), not_after=_days(until))
        files = ClientFiles(folder / "client.pem", folder / "client.key", _serial(leaf))
        leaf.cert_chain_pems[0].write_to_path(files.cert)
        files.key.write_bytes(_encrypted(leaf, password) if password else leaf.private_key_pem.bytes())
        return files

    def common_name_only(self) -> ssl.SSLContext:
        """A certificate for localhost by its common name, without subjectAltName."""
        return self._own_made(issuer=self._issuer, names=())

    def self_signed(self) -> ssl.SSLContext:
        """A certificate for localhost that nobody vouches for but itself."""
        return self._own_made(issuer=None, names=("localhost",))

    def incomplete_chain(self) -> ssl.SSLContext:
        """A certificate of an intermediate authority that `ca_file` vouches for, and that is not sent along."""
        leaf = self._ca.create_child_ca().issue_cert(*NAMES)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with leaf.cert_chain_pems[0].tempfile() as cert, leaf.private_key_pem.tempfile() as key:
            context.load_cert_chain(cert, key)
        return context

    def with_intermediate(self) -> ssl.SSLContext:
        """The same, and the intermediate certificate is sent along."""
        return _context(self._ca.create_child_ca().issue_cert(*NAMES))

    def pinned(self) -> tuple[ssl.SSLContext, str]:
        """A good certificate, and the pin of its key."""
        leaf = self._ca.issue_cert(*NAMES)
        return _context(leaf), _pin(leaf)

    @property
    def _issuer(self) -> tuple[x509.Certificate, Any]:
        key = serialization.load_pem_private_key(self._ca.private_key_pem.bytes(), None)
        return x509.load_pem_x509_certificate(self._ca.cert_pem.bytes()), key

    def _own_made(self, issuer: tuple[x509.Certificate, Any] | None, names: tuple[str, ...]) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer[0].subject if issuer else subject)
        made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
        made = made.not_valid_before(_days(-1)).not_valid_after(_days(30))
        if names:
            made = made.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
            )
        signed = made.sign(issuer[1] if issuer else key, hashes.SHA256())
        file = self.folder / f"{signed.serial_number}.pem"
        file.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*PLAIN))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

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
        """A good certificate, under TLS 1.1 only."""
        return self.outdated(ssl.TLSVersion.TLSv1_1)

    def outdated(self, version: ssl.TLSVersion) -> ssl.SSLContext:
        """A good certificate, under a version of TLS that OpenSSL 3 allows at security level 0."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context = self.only(version)
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


def _serial(leaf: trustme.LeafCert) -> int:
    return x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes()).serial_number


def _encrypted(leaf: trustme.LeafCert, password: str) -> bytes:
    key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
    lock = serialization.BestAvailableEncryption(password.encode())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)


def _pin(leaf: trustme.LeafCert) -> str:
    key = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes()).public_key()
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"sha256//{base64.b64encode(hashlib.sha256(spki).digest()).decode()}"
