"""Small bodies that grow to gigabytes, made without ever holding the gigabytes.

A compressor that is flushed at a byte boundary and fed the same block again emits the same bytes again, so one
block's worth of output is made once and repeated.
"""

from __future__ import annotations

import struct
import zlib
from functools import cache

import brotlicffi

BLOCK = 1 << 22


@cache
def gzip(decoded_size: int, layers: int = 1) -> bytes:
    """So many zero bytes, packed `layers` times; the size is a multiple of 4 MiB."""
    packed = _gzip_of_zeros(_blocks(decoded_size))
    for _ in range(layers - 1):
        packed = gzipped(packed)
    return packed


@cache
def brotli(decoded_size: int) -> bytes:
    """So many zero bytes, packed by brotli; the size is a multiple of 4 MiB and at least 8."""
    compressor = brotlicffi.Compressor(quality=5, lgwin=22)
    first, second, again = (compressor.process(bytes(BLOCK)) + compressor.flush() for _ in range(3))
    return first + second + again * (_blocks(decoded_size) - 2) + compressor.finish()


def gzipped(body: bytes) -> bytes:
    """The body as one gzip stream."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    return compressor.compress(body) + compressor.flush()


def _gzip_of_zeros(blocks: int) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = compressor.compress(bytes(BLOCK)) + compressor.flush(zlib.Z_FULL_FLUSH)
    check, zeros = 0, bytes(BLOCK)
    for _ in range(blocks):
        check = zlib.crc32(zeros, check)
    trailer = struct.pack("<II", check, blocks * BLOCK & 0xFFFFFFFF)
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff" + block * blocks + compressor.flush() + trailer


def _blocks(decoded_size: int) -> int:
    blocks, rest = divmod(decoded_size, BLOCK)
    if rest or blocks < 2:
        raise ValueError(f"decoded_size: expected a multiple of 4 MiB, at least 8 MiB, found {decoded_size}")
    return blocks
