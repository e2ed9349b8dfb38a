"""JSON: what has no form in it is refused, both ways."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.http.json import dumps, loads


@pytest.mark.parametrize("odd", [Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity")])
def test_a_decimal_that_is_no_number_has_no_json_form(odd):
    with pytest.raises(ValueError, match="no JSON form"):
        dumps({"sums": [Decimal("1.10"), {"total": odd}]})


def test_a_text_that_reads_so_is_only_a_text():
    assert dumps({"name": "NaN", "sum": Decimal("1.10")}) == b'{"name":"NaN","sum":"1.10"}'


HALF = "half a surrogate pair, which has no UTF-8 form"


@pytest.mark.parametrize(
    "document",
    [
        b'"\\ud83d"',
        b'["\\ude00"]',
        b'{"a": "\\ud800x"}',
        b'{"\\udc00": 1}',
        b'"\\ud800\\u0041"',
        b'"\\udc00\\ud800"',
        b'"\xed\xa0\x80"',
        '"\ud800"',
    ],
)
def test_half_a_surrogate_pair_is_said_to_be_one(document):
    with pytest.raises(ValueError, match=f"{HALF} at line 1 column "):
        loads(document)


@pytest.mark.parametrize("document", [b'"\xff"', b'"\\u12"', b'"\\ud8'])
def test_other_text_that_is_none_is_not_said_to_be_that(document):
    with pytest.raises(ValueError, match=r"^(?!.*surrogate)"):
        loads(document)


def test_a_whole_pair_is_one_character():
    assert loads(b'"\\ud83d\\ude00"') == "\U0001f600"


@pytest.mark.parametrize("value", [{"a": "\ud800"}, {"\udc00": 1}, ["x\udfff"], {"a": [{"b": "\ud83d\ud83d"}]}])
def test_half_a_surrogate_pair_cannot_be_written(value):
    with pytest.raises(ValueError, match=HALF):
        dumps(value)


@pytest.mark.parametrize(
    "number",
    ["123123e100000", "-1e999", "1E+400", "1e0400", "9" * 400 + ".5", "1" * 300 + "e10", "1" * 300 + "e+10", "0.1e310"],
)
@pytest.mark.parametrize("around", ["%s", "[%s]", '{"a": {"b": [1, %s ]}}', "\n%s\n"])
def test_a_number_beyond_floats_is_not_infinity(number, around):
    for document in (around % number, (around % number).encode()):
        with pytest.raises(ValueError, match="beyond what a 64-bit float can hold"):
            loads(document)


@pytest.mark.parametrize(
    ("document", "value"),
    [
        (b"1e308", 1e308),
        (b"[1e-400]", [0.0]),
        (b'["3e123", "1e999,", "E+500"]', ["3e123", "1e999,", "E+500"]),
        (b'{"1e999": 1e200}', {"1e999": 1e200}),
        (b"9" * 400, int("9" * 400)),
    ],
)
def test_other_numbers_and_texts_are_what_they_are(document, value):
    assert loads(document) == value


@given(st.from_regex(r"-?[1-9][0-9]{0,320}(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,4})?", fullmatch=True))
def test_no_number_is_ever_infinity(number):
    is_whole = number.lstrip("-").isdigit()
    try:
        value = loads(number)
    except ValueError:
        assert not is_whole
        assert abs(float(number)) == float("inf")
    else:
        assert value == (int(number) if is_whole else float(number))
        assert is_whole or abs(value) != float("inf")
