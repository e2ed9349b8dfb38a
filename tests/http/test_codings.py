"""Content codings: undone in any pieces, seen when cut, bounded when they explode."""

import gzip
import time
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.http.codings import (
    ACCEPTED,
    BROTLI,
    STEP,
    BrokenCodingError,
    Chain,
    TooLargeError,
    codings_in,
    decoded,
    decoders_for,
)


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def brotli(data):
    return BROTLI.compress(data, quality=1)


CODE = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli}
PACKERS = [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate), ("br", brotli)]
IDS = ["gzip", "zlib", "raw deflate", "brotli"]
CODINGS = st.lists(st.sampled_from(sorted(CODE)), min_size=1, max_size=3)
DATA = st.binary(max_size=2000) | st.integers(0, 300).map(lambda n: b"pattern" * n)


def pieces_of(data, cuts):
    places = sorted({min(cut, len(data)) for cut in cuts})
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


def streamed(codings, pieces):
    chain = Chain(decoders_for(codings, 5))
    found = b"".join(decoded for piece in pieces for decoded in chain.pieces(piece))
    chain.finish()
    return found


@given(DATA, CODINGS, st.lists(st.integers(0, 3000)))
def test_what_was_coded_comes_back_in_whatever_pieces(data, codings, cuts):
    coded = data
    for coding in codings:
        coded = CODE[coding](coded)
    assert decoded(coded, decoders_for(codings, 5), 1 << 20) == data
    assert streamed(codings, pieces_of(coded, cuts)) == data


@pytest.mark.parametrize(("coding", "pack"), PACKERS, ids=IDS)
@given(data=DATA, cuts=st.lists(st.integers(0, 50)))
def test_each_form_comes_back_byte_by_byte(coding, pack, data, cuts):
    assert streamed([coding], pieces_of(pack(data), range(40))) == data
    assert streamed([coding], pieces_of(pack(data), cuts)) == data


@pytest.mark.parametrize(("coding", "pack"), PACKERS, ids=IDS)
@given(data=DATA, cut=st.integers(1, 1 << 30))
def test_a_cut_is_always_seen(coding, pack, data, cut):
    coded = pack(data)
    part = coded[: 1 + cut % (len(coded) - 1)] if len(coded) > 1 else b""
    if part and part != coded:
        with pytest.raises(BrokenCodingError):
            decoded(part, decoders_for([coding], 5), 1 << 20)
        with pytest.raises(BrokenCodingError):
            streamed([coding], [part[:1], part[1:]])


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=5), st.lists(st.integers(0, 200)))
def test_gzip_members_follow_one_another_the_empty_ones_too(members, cuts):
    coded = b"".join(map(gzip.compress, members))
    assert decoded(coded, decoders_for(["gzip"], 5), 1 << 20) == b"".join(members)
    assert streamed(["gzip"], pieces_of(coded, cuts)) == b"".join(members)


@pytest.mark.parametrize("coding", CODE)
def test_what_is_in_no_coding_is_broken(coding):
    with pytest.raises(BrokenCodingError):
        decoded(b"\xff\xff this is not coded at all" * 4, decoders_for([coding], 5), 1 << 20)


@pytest.mark.parametrize("coding", CODE)
def test_bytes_after_the_end_are_broken(coding):
    with pytest.raises(BrokenCodingError):
        decoded(CODE[coding](b"data") + b"\xfftrailing", decoders_for([coding], 5), 1 << 20)


@pytest.mark.parametrize("coding", CODE)
def test_an_empty_body_is_an_empty_body(coding):
    assert decoded(b"", decoders_for([coding], 5), 10) == b""


@pytest.mark.parametrize("codings", [["gzip"], ["deflate"], ["br"], ["gzip", "gzip"], ["br", "gzip"]])
def test_a_bomb_ends_at_the_cap_and_not_in_memory(codings):
    bomb = bytes(1 << 25)
    for coding in codings:
        bomb = CODE[coding](bomb)
    tracemalloc.start()
    with pytest.raises(TooLargeError):
        decoded(bomb, decoders_for(codings, 5), 1 << 20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < (1 << 20) + 8 * STEP


def test_the_cap_is_the_largest_body_that_is_allowed():
    assert len(decoded(gzip.compress(bytes(1000)), decoders_for(["gzip"], 5), 1000)) == 1000
    with pytest.raises(TooLargeError):
        decoded(gzip.compress(bytes(1001)), decoders_for(["gzip"], 5), 1000)


@pytest.mark.parametrize(
    "tail", [b"\0x", b"\r\nx", b"\0" + gzip.compress(b"more", mtime=0), b"\n" + zlib.compress(b"more")]
)
@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_after_zeros_and_line_breaks_comes_nothing_else(coding, tail):
    coded = CODE[coding](b"data") + tail
    for pieces in ([coded], pieces_of(coded, range(200))):
        with pytest.raises(BrokenCodingError, match="other bytes than zeros and line breaks"):
            streamed([coding], pieces)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@given(DATA, st.lists(st.sampled_from([b"\0", b"\r", b"\n"])), st.lists(st.integers(0, 3000)))
def test_zeros_and_line_breaks_may_come_in_any_pieces(coding, data, tail, cuts):
    coded = CODE[coding](data) + b"".join(tail)
    assert decoded(coded, decoders_for([coding], 5), 1 << 20) == data
    assert streamed([coding], pieces_of(coded, cuts)) == data


def test_zeros_alone_are_no_coded_body():
    with pytest.raises(BrokenCodingError):
        decoded(b"\0\0\0", decoders_for(["gzip"], 5), 10)


def test_too_many_codings_are_refused():
    with pytest.raises(BrokenCodingError, match="6 stacked content codings, at most 5 are allowed"):
        decoders_for(["gzip"] * 6, 5)


def test_an_unknown_coding_is_named():
    with pytest.raises(BrokenCodingError, match="content coding 'zstd' is not known here; offered were gzip, deflate"):
        decoders_for(["zstd"], 5)


@pytest.mark.parametrize(
    ("field", "names"),
    [("gzip", ["gzip"]), ("X-GZIP, Br", ["gzip", "br"]), ("identity", []), ("", []), (" , deflate ,", ["deflate"])],
)
def test_codings_are_read_from_their_field(field, names):
    assert codings_in(field) == names


def test_what_is_offered_can_be_undone():
    assert len(decoders_for(ACCEPTED.split(", "), 5)) == 3


@pytest.mark.parametrize("beyond", range(0, 300, 7))
def test_a_match_that_crosses_the_step_is_not_taken_for_a_cut(beyond):
    data = bytes(STEP + beyond)
    assert decoded(raw_deflate(data), decoders_for(["deflate"], 5), 2 * STEP) == data


def test_a_gzip_of_very_many_members_is_read_in_time():
    member = gzip.compress(b"", mtime=0)
    began = time.process_time()
    assert decoded(member * 200_000 + gzip.compress(b"end"), decoders_for(["gzip"], 5), 10) == b"end"
    assert time.process_time() - began < 5.0
