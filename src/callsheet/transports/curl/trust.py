"""Where the certificates are that we trust.

The wheel of libcurl knows only the path of one Linux family and reads no variable, and a bundle handed over as bytes
is parsed anew for each connection: so the file is found here, once. libcurl keeps what it read under the file's name, and
connections, too: a file that has changed is given to it under another one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import ssl
import tempfile
import weakref
from functools import cache
from pathlib import Path
from typing import Any

import certifi
import pycurl

from callsheet.settings.tls import TLS
from callsheet.transports.curl.identity import Options, stamp_of

SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def trust_store(own: Path | None = None) -> str:
    """The PEM file of a service's own CAs; else `SSL_CERT_FILE`, the system's, or certifi's."""
    if own is not None:
        return str(own)
    named = os.environ.get("SSL_CERT_FILE")
    return named if named and Path(named).is_file() else _system_bundle()


def trust_folder(own: Path | None = None) -> str | None:
    """The folder that `SSL_CERT_DIR` names, certificates by hash, trusted beside the file; None without it, or with own CAs."""
    named = os.environ.get("SSL_CERT_DIR")
    return named if own is None and named and Path(named).is_dir() else None


@cache
def _system_bundle() -> str:
    known = ssl.get_default_verify_paths().cafile
    candidates = [known] if known else []
    return next((path for path in (*candidates, *SYSTEM_BUNDLES) if Path(path).is_file()), certifi.where())


class Trust:
    """The authorities of a service's own, by the files of `tls.ca` and `tls.extra_ca`; read again when these change."""

    def __init__(self, ca: Path | None, extra: Path | None) -> None:
        self._ca = ca
        self._extra = extra
        self._seen: tuple[Any, ...] = ()
        self._options: Options = []
        self._version = -1
        self._folder: tuple[int, Path] | None = None

    @classmethod
    def of(cls, tls: TLS) -> Trust | None:
        """The trust that was declared, if any was."""
        return None if tls.ca is None and tls.extra_ca is None else cls(tls.ca, tls.extra_ca)

    def options(self) -> Options:
        """What libcurl is told of it: the same list until the files change."""
        seen = (
            stamp_of(Path(trust_store(self._ca))),
            self._extra and stamp_of(self._extra),
            self._extra and os.getpid(),
        )
        if seen != self._seen:
            self._options = self._made()
            self._seen = seen
        return self._options

    def _made(self) -> Options:
        self._version += 1
        if self._extra is None:
            assert self._ca is not None
            return [(pycurl.CAINFO, _respelled(self._ca, self._version))]
        bundle = self._joined(self._extra)
        return self._options if bundle is None else [(pycurl.CAINFO, str(bundle))]

    def _joined(self, extra: Path) -> Path | None:
        """A file with both, since libcurl takes one; None while one of them cannot be read, if that was possible before."""
        try:
            parts = [Path(trust_store(self._ca)).read_bytes(), extra.read_bytes()]
        except OSError:
            return None if self._options else extra
        bundle = self._own_folder() / f"ca-{self._version}.pem"
        bundle.write_bytes(b"\n".join(parts))
        return bundle

    def _own_folder(self) -> Path:
        if self._folder is None or self._folder[0] != os.getpid():
            folder = Path(tempfile.mkdtemp(prefix="callsheet-ca-"))
            self._folder = (os.getpid(), folder)
            weakref.finalize(self, _remove, *self._folder)
        return self._folder[1]


def _respelled(path: Path, version: int) -> str:
    return str(path) if version == 0 else f"{path.parent}/{'./' * version}{path.name}"


def _remove(owner: int, folder: Path) -> None:
    if owner == os.getpid():  # a forked child leaves the parent its files
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
