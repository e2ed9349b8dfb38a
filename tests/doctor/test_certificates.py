"""Certificates by their dates: those of the sheet, and those that are trusted."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
import pytest
import trustme
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from callsheet.tls.certificate import certificates_in, read_certificate

SHEET = """\
callsheet: 1
services:
  shop:
    base_url: https://localhost:1
    tls: {cert: client.pem, key: client.key}
"""
TOPIC = "certificates of the sheet"


@pytest.mark.parametrize(
    ("since", "until", "grade", "told"),
    [
        (-1, 90, "ok", "days from now"),
        (-1, 29, "warning", "28 days from now"),
        (-30, -1, "problem", "expired on"),
        (2, 60, "problem", "not valid before"),
    ],
)
def test_a_client_certificate_by_its_dates(doctor, sheet, certificates, tmp_path, since, until, grade, told):
    files = certificates.client(tmp_path, since=since, until=until)
    files.key.chmod(0o600)
    sheet(SHEET)
    report = doctor()
    found, key = report.of(TOPIC)
    assert (found["grade"], key["grade"]) == (grade, "ok")
    assert told in found["text"]
    assert key["text"] == "shop: its key fits"
    assert report.code == (7 if grade == "problem" else 0)


def test_a_key_that_others_can_read(doctor, sheet, certificates, tmp_path):
    files = certificates.client(tmp_path, until=90)
    files.key.chmod(0o640)
    sheet(SHEET)
    assert "can read the key client.key (mode 0640)" in doctor().texts(TOPIC, "warning")


def test_a_key_that_does_not_fit(doctor, sheet, certificates, tmp_path):
    files = certificates.client(tmp_path, until=90)
    (tmp_path / "other").mkdir()
    other = certificates.client(tmp_path / "other", until=90)
    files.key.write_bytes(other.key.read_bytes())
    sheet(SHEET)
    report = doctor()
    assert report.code == 7
    assert "the key does not fit" in report.texts("sheet", "problem") + report.texts(TOPIC, "problem")


def test_an_encrypted_key(doctor, sheet, certificates, tmp_path, monkeypatch):
    files = certificates.client(tmp_path, until=90, password="open sesame")
    files.key.chmod(0o600)
    sheet(SHEET.replace("client.key}", 'client.key, key_password: "${KEY}"}'))
    monkeypatch.setenv("KEY", "open sesame")
    assert "its password opens it" in doctor().texts(TOPIC, "ok")
    monkeypatch.setenv("KEY", "open barley")
    assert "does not open the key" in "\n".join(doctor().problems)


def test_an_authority_of_ones_own_that_has_expired(doctor, sheet, tmp_path):
    ours = _authority(tmp_path / "ca.pem", until=-1)
    sheet("callsheet: 1\nservices:\n  shop:\n    base_url: https://localhost:1\n    tls: {ca: ca.pem}\n")
    assert "every certificate in it has expired" in doctor().texts(TOPIC, "problem")
    good = trustme.CA().cert_pem.bytes()
    (tmp_path / "ca.pem").write_bytes(ours + good)
    assert "2 certificates, of which `old` expired" in doctor().texts(TOPIC, "warning")
    (tmp_path / "ca.pem").write_bytes(good)
    assert "1 certificate" in doctor().texts(TOPIC, "ok")


def _authority(path: Path, *, until: int) -> bytes:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "old")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(datetime.now(UTC) - timedelta(days=30))
    made = made.not_valid_after(datetime.now(UTC) + timedelta(days=until))
    content = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    path.write_bytes(content)
    return content


def test_the_store_that_is_trusted_and_why(doctor, sheet, certificates, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca_file))
    assert doctor().texts("trusted authorities") == f"{certificates.ca_file} (named by SSL_CERT_FILE): 1 certificate"
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nowhere.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    report = doctor()
    assert "SSL_CERT_FILE is ignored: there is no file" in report.texts("trusted authorities", "warning")
    assert f"and the folder {tmp_path} (" in report.texts("trusted authorities", "ok")


def test_certificates_are_read_as_others_read_them():
    text = Path(certifi.where()).read_text("utf-8")
    with pytest.warns(match="serial number"):
        known = x509.load_pem_x509_certificates(text.encode())
    found = certificates_in(text)
    assert [(each.not_before, each.not_after) for each in found] == [
        (each.not_valid_before_utc, each.not_valid_after_utc) for each in known
    ]
    assert all(each.subject and each.issuer for each in found)


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda rest: b"\x30\x82\x00\x40\x30\x82\x00\x30" + rest))
def test_what_is_no_certificate_is_a_value_error(content):
    with pytest.raises(ValueError):  # noqa: PT011 of any wording
        read_certificate(content)


def test_half_a_certificate_is_a_value_error():
    from ssl import PEM_cert_to_DER_cert

    der = PEM_cert_to_DER_cert(trustme.CA().cert_pem.bytes().decode())
    for length in range(0, len(der), 7):
        with pytest.raises(ValueError):  # noqa: PT011 of any wording
            read_certificate(der[:length])


def test_modes_are_those_of_the_file(tmp_path):
    from callsheet.process.exposure import exposed_mode

    path = tmp_path / "file"
    path.write_text("")
    for mode, told in ((0o600, ""), (0o640, "0640"), (0o604, "0604"), (0o622, "")):
        path.chmod(mode)
        assert stat.S_IMODE(path.stat().st_mode) == mode
        assert exposed_mode(path) == told
    assert exposed_mode(tmp_path) == ""
    assert exposed_mode(tmp_path / "nowhere") == ""
