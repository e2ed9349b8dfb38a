"""The client certificate: read when it is first presented, and again when its files change.

libcurl is given the content of the files, not their names. It compares connections by the certificate they were made
with, so it uses no kept connection of an old certificate, and no handshake reads a pair that is half replaced.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pycurl

from callsheet.errors import AuthError, TLSError
from callsheet.secret import Secret
from callsheet.settings.tls import TLS
from callsheet.tls.pem import CERTIFICATE, PRIVATE_KEY, blocks, problem_of
from callsheet.transports.curl.options import CurlOptions

Stamp = tuple[int, int, int]
log = logging.getLogger("callsheet")


def stamp_of(path: Path) -> Stamp | None:
    """A value that changes when the file is written or replaced; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


class Identity:
    """The client certificate in the files of `tls.cert` and `tls.key`.

    Two files cannot be replaced in one step: while certificate and key do not fit, the pair read before stays in use.
    """

    def __init__(self, cert: Path, key: Path | None, password: Secret | None) -> None:
        self._cert = cert
        self._key = key
        self._password = password
        self._seen: tuple[Any, ...] | None = None
        self._options: CurlOptions | None = None

    @classmethod
    def of(cls, tls: TLS) -> Identity | None:
        """The Identity for a service's `tls`; None if it names no client certificate."""
        return None if tls.cert is None else cls(tls.cert, tls.key, tls.key_password)

    def options(self) -> CurlOptions:
        """The libcurl options: the same list object until the files change. Raises TLSError if they were never usable."""
        seen = self._look()
        if seen != self._seen or self._options is None:
            self._read(seen)
            self._seen = seen
        assert self._options is not None
        return self._options

    def _look(self) -> tuple[Any, ...]:
        return (stamp_of(self._cert), stamp_of(self._key) if self._key else None, self._opens_with())

    def _opens_with(self) -> int:
        try:
            return 0 if self._password is None else hash(self._password.reveal())
        except AuthError:
            return 0

    def _read(self, seen: tuple[Any, ...]) -> None:
        problem = problem_of(self._cert, self._key, self._password)
        made = None if problem else self._made()
        if made is not None and self._look() == seen:
            self._options = made
            return
        told = f"tls.{problem.key}: {problem.what}" if problem else "tls.cert: the files are just being replaced"
        if self._options is None:
            raise TLSError(f"the client certificate cannot be presented: {told}")
        if problem is not None:
            log.warning("%s: %s; the client certificate before it stays in use", self._cert, told)

    def _made(self) -> CurlOptions | None:
        try:
            certificates = blocks(self._cert.read_text("latin-1"), CERTIFICATE)
            key = Secret(blocks((self._key or self._cert).read_text("latin-1"), PRIVATE_KEY))
            password = "" if self._password is None else Secret(self._password.reveal())
        except (OSError, AuthError):
            return None
        return [
            (pycurl.SSLCERT_BLOB, certificates),
            (pycurl.SSLKEY_BLOB, key),
            # Set even for a key that is not encrypted: without a password, libcurl would ask on the terminal.
            (pycurl.KEYPASSWD, password),
        ]
