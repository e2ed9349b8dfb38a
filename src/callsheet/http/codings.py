"""Undoes content codings (RFC 9110 8.4.1).

libcurl would take a cut body for a whole one and would not bound a decompression bomb. A decoder here gives at most as
many decoded bytes as it is asked for, and its `finish` raises if the coded bytes ended early.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Sequence
from typing import Any, Protocol


class BrokenCodingError(Exception):
    """The body is not in the coding that its Content-Encoding names, or it ends within it."""


class UnknownCodingError(BrokenCodingError):
    """The Content-Encoding names a coding that is not known here; what does so is often no coding at all (`UTF-8`, `none`)."""


class TooLargeError(Exception):
    """The decoded body is larger than allowed."""


class Decoder(Protocol):
    """Undoes one coding."""

    def feed(self, data: bytes, most: int) -> bytes:
        """At most `most` decoded bytes of the data so far. Feed b"" for the rest of earlier data, until b"" is given."""

    def finish(self) -> None:
        """Raise BrokenCodingError unless the coding has ended."""


WINDOW = 8 * 1024
"""Bytes that zlib is given at a time: it copies all bytes after a member, and a body may be a million empty members."""
PADDING = b"\0\r\n"
"""What may follow a whole body: tape blocks are filled up with zeros, and some servers end every body with a line break."""


class Inflate:
    """gzip (RFC 1952, members one after another) and deflate (RFC 1950; the raw RFC 1951 form that some servers send).

    Zeros and line breaks after the end are dropped.
    """

    def __init__(self, coding: str) -> None:
        self._is_gzip = coding == "gzip"
        self._inflater = zlib.decompressobj(31) if self._is_gzip else None
        self._pending = b""
        self._taken = 0
        self._has_more = False
        self._has_begun = False
        self._is_padded = False

    def feed(self, data: bytes, most: int) -> bytes:
        """At most `most` decoded bytes."""
        if data:
            self._pending, self._taken = self._pending[self._taken :] + data, 0
        decoded = b""
        try:
            # A gzip member may be empty, so go on to the next one.
            while (self._pending or self._has_more) and not decoded and self._is_ready():
                decoded = self._inflate(most)
        except zlib.error as error:
            raise BrokenCodingError(str(error)) from None
        return decoded

    def _is_ready(self) -> bool:
        """Choose the inflater for the next bytes; False if there are too few to tell."""
        self._has_begun = True
        if self._inflater is None:
            if len(self._pending) < 2:
                return False
            self._inflater = zlib.decompressobj(15 if _begins_zlib(self._pending) else -15)
        elif self._inflater.eof:
            if self._is_padded or self._pending[self._taken] in PADDING:
                return self._drop_padding()
            if not self._is_gzip:
                raise BrokenCodingError("bytes after the end of the deflate stream")
            self._inflater = zlib.decompressobj(31)
        return True

    def _drop_padding(self) -> bool:
        if self._pending[self._taken :].strip(PADDING):
            raise BrokenCodingError("other bytes than zeros and line breaks after the end of the compressed body")
        self._pending, self._taken, self._is_padded = b"", 0, True
        return False

    def _inflate(self, most: int) -> bytes:
        inflater = self._inflater
        assert inflater is not None
        window = self._pending[self._taken : self._taken + WINDOW]
        decoded = inflater.decompress(window, most)
        self._taken += len(window) - len(inflater.unused_data or inflater.unconsumed_tail)
        if self._taken == len(self._pending):
            self._pending, self._taken = b"", 0
        # zlib may have read all input and still hold decoded bytes.
        self._has_more = len(decoded) == most and not inflater.eof
        return decoded

    def finish(self) -> None:
        """Raise BrokenCodingError unless the coding has ended."""
        if self._has_begun and (self._inflater is None or not self._inflater.eof):
            raise BrokenCodingError("the compressed body breaks off before its end")


def _begins_zlib(data: bytes) -> bool:
    """Whether the data begin with a zlib header (RFC 1950 2.2): compression method 8 and a valid checksum."""
    return data[0] & 15 == 8 and (data[0] * 256 + data[1]) % 31 == 0


def _brotli() -> Any:
    """The installed brotli module that can limit its output; None if there is none."""
    for name in ("brotli", "brotlicffi"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        try:
            module.Decompressor().process(b"", output_buffer_limit=1)
        except TypeError:
            continue
        except module.error:
            return module  # it refused the empty data, but accepts the argument
        return module
    return None


class Brotli:
    """br (RFC 7932), by the installed brotli library."""

    def __init__(self, module: Any) -> None:
        self._decompressor = module.Decompressor()
        self._error = module.error
        self._pending = b""
        self._has_begun = False

    def feed(self, data: bytes, most: int) -> bytes:
        """At most `most` decoded bytes."""
        self._pending = self._pending + data if self._pending else data
        if not self._pending and not self._has_begun:
            return b""
        self._has_begun = True
        try:
            if self._decompressor.can_accept_more_data():
                taken, self._pending = self._pending, b""
                return bytes(self._decompressor.process(taken, output_buffer_limit=most))
            return bytes(self._decompressor.process(b"", output_buffer_limit=most))
        except self._error as error:
            raise BrokenCodingError(str(error) or "not a brotli stream") from None

    def finish(self) -> None:
        """Raise BrokenCodingError unless the coding has ended."""
        if self._has_begun and (self._pending or not self._decompressor.is_finished()):
            raise BrokenCodingError("the compressed body breaks off before its end")


BROTLI = _brotli()
ACCEPTED = "gzip, deflate, br" if BROTLI else "gzip, deflate"
"""The value of Accept-Encoding: the codings that can be undone here."""
KNOWN = frozenset(ACCEPTED.split(", "))


def codings_in(field: str) -> list[str]:
    """The codings of a Content-Encoding field in the order in which they were applied, without `identity`."""
    words = (word.strip().lower() for word in field.split(","))
    return [("gzip" if word == "x-gzip" else word) for word in words if word and word != "identity"]


def decoders_for(codings: Sequence[str], most_codings: int) -> list[Decoder]:
    """A decoder for each coding, for the last applied first. Raises UnknownCodingError, and BrokenCodingError for too many."""
    unknown = next((coding for coding in codings if coding not in KNOWN), None)
    if unknown is not None:
        raise UnknownCodingError(f"content coding {unknown[:40]!r} is not known here; offered were {ACCEPTED}")
    if len(codings) > most_codings:
        raise BrokenCodingError(f"{len(codings)} stacked content codings, at most {most_codings} are allowed")
    return [_decoder(coding) for coding in reversed(codings)]


def _decoder(coding: str) -> Decoder:
    return Brotli(BROTLI) if coding == "br" else Inflate(coding)


STEP = 256 * 1024
"""Bytes decoded between two checks of the cap: the most memory that a decompression bomb can take beyond it."""


def decoded(content: bytes, decoders: Sequence[Decoder], cap: int) -> bytes:
    """The body with its codings undone. Raises TooLargeError once it exceeds `cap` bytes, without decoding the rest."""
    chain = Chain(decoders)
    pieces: list[bytes] = []
    size = 0
    for piece in chain.pieces(content):
        size += len(piece)
        if size > cap:
            raise TooLargeError
        pieces.append(piece)
    chain.finish()
    return b"".join(pieces)


class Chain:
    """Several decoders, each fed with the output of the one before."""

    def __init__(self, decoders: Sequence[Decoder]) -> None:
        self._decoders = tuple(decoders)

    def pieces(self, data: bytes, stage: int = 0) -> Any:
        """The decoded pieces of `data`, each at most STEP bytes."""
        if stage == len(self._decoders):
            if data:
                yield data
            return
        decoder = self._decoders[stage]
        piece = decoder.feed(data, STEP)
        while piece:
            yield from self.pieces(piece, stage + 1)
            piece = decoder.feed(b"", STEP)

    def finish(self) -> None:
        """Raise BrokenCodingError unless every coding has ended."""
        for decoder in self._decoders:
            decoder.finish()
