"""Finds the certificate authorities that this machine trusts: pycurl's wheel knows only the path of one Linux family."""

from __future__ import annotations

import logging
import os
import ssl
from functools import cache
from pathlib import Path

import certifi

log = logging.getLogger("callsheet")
SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def trust_store(own: Path | None = None) -> str:
    """The PEM file of CAs: `own` if given, else `SSL_CERT_FILE`, the system's or certifi's."""
    if own is not None:
        return str(own)
    named = os.environ.get("SSL_CERT_FILE")
    if named and not Path(named).is_file():
        _warn_of_missing("SSL_CERT_FILE", named, "file")
    return named if named and Path(named).is_file() else _system_bundle()


def trust_folder(own: Path | None = None) -> str | None:
    """The folder of `SSL_CERT_DIR` (certificates by hash), trusted in addition to the file; None if unset or with `own` CAs."""
    named = os.environ.get("SSL_CERT_DIR")
    if own is None and named and not Path(named).is_dir():
        _warn_of_missing("SSL_CERT_DIR", named, "folder")
    return named if own is None and named and Path(named).is_dir() else None


@cache
def _warn_of_missing(variable: str, path: str, kind: str) -> None:
    """Log, once in a process, that the variable names nothing."""
    log.warning("%s is ignored: there is no %s %s; set it right, or unset it", variable, kind, path)


@cache
def _system_bundle() -> str:
    known = ssl.get_default_verify_paths().cafile
    candidates = [known] if known else []
    return next((path for path in (*candidates, *SYSTEM_BUNDLES) if Path(path).is_file()), certifi.where())
