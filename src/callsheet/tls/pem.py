"""Reads PEM files (RFC 7468), and checks that a certificate and a private key belong together."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import NamedTuple

from callsheet.errors import AuthError
from callsheet.secret import Secret

BLOCK = re.compile(r"-----BEGIN (?P<label>[A-Z0-9 ]+)-----.*?-----END (?P=label)-----", re.DOTALL)
CERTIFICATE = re.compile(r"(X509 |TRUSTED )?CERTIFICATE")
PRIVATE_KEY = re.compile(r"([A-Z0-9]+ )*PRIVATE KEY")
ENCRYPTED = re.compile(r"BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED")


class PemProblem(NamedTuple):
    """Why a certificate and key cannot be used: the setting of `tls` that is wrong, what is wrong, and what to do."""

    key: str
    what: str
    hint: str


def blocks(text: str, label: re.Pattern[str]) -> str:
    """The blocks of a PEM text whose label matches, in order; empty if there are none."""
    found = (match[0] for match in BLOCK.finditer(text) if label.fullmatch(match["label"]))
    return "".join(f"{block}\n" for block in found)


def problem_of(cert: Path, key: Path | None, password: Secret | None) -> PemProblem | None:
    """Why a certificate and key cannot be used together; None if they can. If `key` is None, the key is in the file of `cert`."""
    missing = _missing(cert, key)
    if missing is not None:
        return missing
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        # A function even without a password, because OpenSSL would ask for one on the terminal.
        context.load_cert_chain(cert, key, password=lambda: "" if password is None else password.reveal())
    except (ValueError, OSError, AuthError) as error:  # ssl.SSLError is an OSError
        return _refused(error, "cert" if key is None else "key", _read(key or cert), password)
    return None


def _missing(cert: Path, key: Path | None) -> PemProblem | None:
    holder = ("key", key) if key is not None else ("cert", cert)
    wanted = [("cert", cert, CERTIFICATE, "certificate"), (*holder, PRIVATE_KEY, "private key")]
    for name, path, label, holds in wanted:
        text = _read(path)
        if text is None:
            return PemProblem(name, "the file cannot be read", "mend the path or its permissions")
        if not blocks(text, label):
            hint = "name the file of the private key as `tls.key`" if (name, label) == ("cert", PRIVATE_KEY) else ""
            hint = hint or f"it begins with `-----BEGIN {holds.upper()}-----`"
            return PemProblem(name, f"no {holds} in PEM form in that file", hint)
    return None


def _read(path: Path) -> str | None:
    try:
        return path.read_text("latin-1")
    except OSError:
        return None


def _refused(error: Exception, holder: str, key_text: str | None, password: Secret | None) -> PemProblem:
    reason = str(getattr(error, "reason", "") or "")
    if "MISMATCH" in reason.upper() or reason.upper().replace(" ", "_") == "NO_CERTIFICATE_ASSIGNED":
        return PemProblem(
            holder, "the key does not fit the certificate of `tls.cert`", "they are made together: mend one"
        )
    if not ENCRYPTED.search(blocks(key_text or "", PRIVATE_KEY)):
        return PemProblem(
            holder, "the certificate or key cannot be used", reason.replace("_", " ").lower() or "is it whole?"
        )
    if password is None:
        return PemProblem(holder, "the key is encrypted", 'write `key_password: "${NAME}"` beside it')
    return PemProblem("key_password", "it does not open the key", "is it of another key?")
