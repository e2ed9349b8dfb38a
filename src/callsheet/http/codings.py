"""Content codings (RFC 9110 8.4.1), undone here and not in libcurl, so that a cut body is seen and a bomb is bounded.

A decoder is fed the coded bytes and gives at most as many decoded ones as it is asked for; `finish` says whether the
coding came to its end.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Sequence
from typing import Any, Protocol


class BrokenCodingError(Exception):
    """The body is not in the coding that its header names, or breaks off within it."""


class TooLargeError(Exception):
    """The decoded body is larger than allowed."""


class Decoder(Protocol):
    """One coding being undone."""

    def feed(self, data: bytes, most: int) -> bytes:
        """At most `most` decoded bytes; feed b"" for what is still to come of earlier data."""

    def finish(self) -> None:
        """Raise BrokenCodingError unless the coding has ended."""


class Inflate:
    """gzip (RFC 1952, members one after another) and deflate (RFC 1950; the raw RFC 1951 form that some servers send)."""

    def __init__(self, coding: str) -> None:
        self._is_gzip = coding == "gzip"
        self._inflater = zlib.decompressobj(31 if self._is_gzip else 15)
        self._pending = b""
        self._has_begun = False

    def feed(self, data: bytes, most: int) -> bytes:
        self._pending = self._pending + data if self._pending else data
        if not self._pending or most <= 0:
            return b""
        if self._inflater.eof:
            self._next_member()
        try:
            decoded = self._inflate(most)
        except zlib.error as error:
            raise BrokenCodingError(str(error)) from None
        self._has_begun = True
        self._pending = self._inflater.unused_data or self._inflater.unconsumed_tail
        return decoded

    def _next_member(self) -> None:
        if not self._is_gzip:
            raise BrokenCodingError("bytes after the end of the deflate stream")
        self._inflater = zlib.decompressobj(31)

    def _inflate(self, most: int) -> bytes:
        try:
            return self._inflater.decompress(self._pending, most)
        except zlib.error:
            if self._is_gzip or self._has_begun:
                raise
            self._inflater = zlib.decompressobj(-15)
            return self._inflater.decompress(self._pending, most)

    def finish(self) -> None:
        if self._has_begun and not self._inflater.eof:
            raise BrokenCodingError("the compressed body breaks off before its end")


def _brotli() -> Any:
    """The installed brotli module that can bound its output, or None."""
    for name in ("brotli", "brotlicffi"):
        try:
            module = importlib.import_module(name)
            module.Decompressor().process(b"", output_buffer_limit=1)
        except (ImportError, TypeError):
            continue
        except Exception:  # noqa: BLE001 the probe's own data may be refused; the argument was taken
            return module
        return module
    return None


class Brotli:
    """br (RFC 7932), by the brotli library where one is installed."""

    def __init__(self, module: Any) -> None:
        self._decompressor = module.Decompressor()
        self._error = module.error
        self._pending = b""
        self._has_begun = False

    def feed(self, data: bytes, most: int) -> bytes:
        self._pending = self._pending + data if self._pending else data
        if most <= 0 or (not self._pending and not self._has_begun):
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
        if self._has_begun and not self._decompressor.is_finished():
            raise BrokenCodingError("the compressed body breaks off before its end")


BROTLI = _brotli()
ACCEPTED = "gzip, deflate, br" if BROTLI else "gzip, deflate"
"""What is sent as Accept-Encoding: the codings that can be undone here."""


def codings_in(field: str) -> list[str]:
    """The codings of a Content-Encoding field, in the order they were applied; `identity` is none."""
    words = (word.strip().lower() for word in field.split(","))
    return [("gzip" if word == "x-gzip" else word) for word in words if word and word != "identity"]


def decoders_for(codings: Sequence[str], most_codings: int) -> list[Decoder]:
    """A decoder per coding, the last applied first. Raises BrokenCodingError for one that is not known here."""
    if len(codings) > most_codings:
        raise BrokenCodingError(f"{len(codings)} stacked content codings, at most {most_codings} are allowed")
    return [_decoder(coding) for coding in reversed(codings)]


def _decoder(coding: str) -> Decoder:
    if coding in ("gzip", "deflate"):
        return Inflate(coding)
    if coding == "br" and BROTLI is not None:
        return Brotli(BROTLI)
    raise BrokenCodingError(f"content coding {coding[:40]!r} is not known here; offered were {ACCEPTED}")


STEP = 256 * 1024
"""Bytes decoded at a time: what a bomb can cost at most between two looks at the cap."""


def decoded(content: bytes, decoders: Sequence[Decoder], cap: int) -> bytes:
    """The body with its codings undone. Raises TooLargeError above `cap` bytes, before more of it is in memory."""
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
    """Several decoders, each fed by the one before, a step at a time."""

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
