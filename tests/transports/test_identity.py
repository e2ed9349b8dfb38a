"""The client certificate as libcurl is given it, and what is wrong with a pair that cannot be."""

from __future__ import annotations

from pathlib import Path

import pycurl
import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from callsheet.errors import TLSError
from callsheet.secret import MountedFile, Secret
from callsheet.tls.pem import CERTIFICATE, PRIVATE_KEY, blocks, problem_of
from callsheet.transports.curl.identity import Identity
from tests.servers import Certificates
from tests.servers.fixtures import *  # noqa: F403


def test_the_same_list_is_given_until_a_file_changes(certificates: Certificates, tmp_path: Path) -> None:
    files = certificates.client(tmp_path)
    identity = Identity(files.cert, files.key, None)
    first = identity.options()
    assert identity.options() is first
    certificates.client(tmp_path)
    assert identity.options() is not first
    assert dict(identity.options())[pycurl.SSLCERT_BLOB] != dict(first)[pycurl.SSLCERT_BLOB]


def test_key_and_password_are_secrets(certificates: Certificates, tmp_path: Path) -> None:
    files = certificates.client(tmp_path, password="open sesame")
    options = Identity(files.cert, files.key, Secret("open sesame")).options()
    assert dict(options)[pycurl.SSLKEY_BLOB] == Secret(files.key.read_text())
    assert dict(options)[pycurl.KEYPASSWD] == Secret("open sesame")
    assert "sesame" not in repr(options)


def test_a_password_is_always_given_so_that_nobody_is_asked(certificates: Certificates, tmp_path: Path) -> None:
    files = certificates.client(tmp_path)
    assert dict(Identity(files.cert, files.key, None).options())[pycurl.KEYPASSWD] == ""


def test_a_password_that_changes_with_its_key_is_read_again(certificates: Certificates, tmp_path: Path) -> None:
    files = certificates.client(tmp_path, password="first")
    said = ["first"]
    identity = Identity(files.cert, files.key, Secret(lambda: said[0]))
    first = identity.options()
    certificates.client(tmp_path, password="second")
    assert identity.options() is first  # the new key is there, its password is not
    said[0] = "second"
    assert dict(identity.options())[pycurl.KEYPASSWD] == Secret("second")


def test_a_password_that_cannot_be_read_is_a_tls_error(certificates: Certificates, tmp_path: Path) -> None:
    files = certificates.client(tmp_path, password="open sesame")
    identity = Identity(files.cert, files.key, Secret(MountedFile(tmp_path / "absent")))
    with pytest.raises(TLSError, match=r"tls\.key_password: it does not open the key"):
        identity.options()


def test_what_is_not_of_the_kind_is_left_out() -> None:
    text = "".join(
        f"-----BEGIN {label}-----\n{label}\n-----END {label}-----\n"
        for label in (
            "EC PARAMETERS",
            "EC PRIVATE KEY",
            "CERTIFICATE",
            "TRUSTED CERTIFICATE",
            "PUBLIC KEY",
            "PRIVATE KEY",
        )
    )
    kinds = [line for line in blocks(f"words\n{text}", PRIVATE_KEY).splitlines() if not line.startswith("-")]
    assert kinds == ["EC PRIVATE KEY", "PRIVATE KEY"]
    kinds = [line for line in blocks(text, CERTIFICATE).splitlines() if not line.startswith("-")]
    assert kinds == ["CERTIFICATE", "TRUSTED CERTIFICATE"]


@pytest.mark.parametrize("form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("kind", list(trustme.KeyType))
def test_every_usual_form_of_a_key_is_read(
    tmp_path: Path, kind: trustme.KeyType, form: serialization.PrivateFormat
) -> None:
    leaf = trustme.CA().issue_cert("client@example.com", key_type=kind)
    key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
    lock = serialization.BestAvailableEncryption(b"open sesame")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "cert")
    (tmp_path / "key").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, lock))
    assert problem_of(tmp_path / "cert", tmp_path / "key", Secret("open sesame")) is None
    problem = problem_of(tmp_path / "cert", tmp_path / "key", None)
    assert (problem and problem.key, problem and problem.what) == ("key", "the key is encrypted")


def test_a_key_of_another_kind_does_not_fit(certificates: Certificates, tmp_path: Path) -> None:
    files = certificates.client(tmp_path)
    trustme.CA(key_type=trustme.KeyType.RSA).private_key_pem.write_to_path(files.key)
    problem = problem_of(files.cert, files.key, None)
    assert (problem and problem.key, problem and "does not fit" in problem.what) == ("key", True)


def test_a_key_that_is_broken_cannot_be_used(certificates: Certificates, tmp_path: Path) -> None:
    files = certificates.client(tmp_path)
    files.key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    problem = problem_of(files.cert, files.key, None)
    assert (problem and problem.key, problem and problem.what) == ("key", "the certificate or key cannot be used")
