"""The certificate authorities that a service declares, as libcurl options.

libcurl would parse a bundle of bytes for each connection, so it is given the name of a file. It caches the parsed file
and the connections under that name, so a changed file is given to it under another name.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

import pycurl

from callsheet.errors import LocalFault
from callsheet.settings.tls import TLS
from callsheet.tls.pem import CERTIFICATE, blocks
from callsheet.tls.trust_store import trust_store
from callsheet.transports.curl.identity import stamp_of
from callsheet.transports.curl.options import CurlOptions


class Trust:
    """The authorities in the files of `tls.ca` and `tls.extra_ca`, which are read again when they change."""

    def __init__(self, ca: Path | None, extra: Path | None) -> None:
        self._ca = ca
        self._extra = extra
        self._seen: tuple[Any, ...] = ()
        self._options: CurlOptions = []
        self._version = -1
        self._folder: tuple[int, Path] | None = None

    @classmethod
    def of(cls, tls: TLS) -> Trust | None:
        """The Trust for a service's `tls`; None if it names no authorities."""
        return None if tls.ca is None and tls.extra_ca is None else cls(tls.ca, tls.extra_ca)

    def options(self) -> CurlOptions:
        """The libcurl options: the same list object until the files change."""
        seen = (
            stamp_of(Path(trust_store(self._ca))),
            self._extra and stamp_of(self._extra),
            self._extra and os.getpid(),
        )
        if seen != self._seen:
            self._options = self._made()
            self._seen = seen
        return self._options

    def _made(self) -> CurlOptions:
        self._version += 1
        if self._extra is None:
            assert self._ca is not None
            return [(pycurl.CAINFO, _respelled(self._ca, self._version))]
        bundle = self._joined(self._extra)
        return self._options if bundle is None else [(pycurl.CAINFO, str(bundle))]

    def _joined(self, extra: Path) -> Path | None:
        """One file with both, since libcurl takes one. None if one of them can no longer be read, or the extra one is just being
        written: then the last bundle stays.
        """
        try:
            parts = [Path(trust_store(self._ca)).read_bytes(), extra.read_bytes()]
        except OSError:
            parts = []
        if not parts or not blocks(parts[1].decode("latin-1"), CERTIFICATE):
            return None if self._options else extra
        try:
            bundle = self._own_folder() / f"ca-{self._version}.pem"
            bundle.write_bytes(b"\n".join(parts))
        except OSError as error:
            self._version -= 1  # the next try writes over what is half written
            raise LocalFault(f"tls.extra_ca: no temporary file for it and the other authorities: {error}") from None
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
