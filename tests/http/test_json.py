"""JSON out: what has no form in it is refused."""

from decimal import Decimal

import pytest

from callsheet.http.json import dumps


@pytest.mark.parametrize("odd", [Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity")])
def test_a_decimal_that_is_no_number_has_no_json_form(odd):
    with pytest.raises(ValueError, match="no JSON form"):
        dumps({"sums": [Decimal("1.10"), {"total": odd}]})


def test_a_text_that_reads_so_is_only_a_text():
    assert dumps({"name": "NaN", "sum": Decimal("1.10")}) == b'{"name":"NaN","sum":"1.10"}'
