"""Each case of the table, in every colour, through a fake transport and through sockets."""

import pytest

from callsheet.errors import APIError
from tests.pages.cases import CASES


@pytest.mark.parametrize("way", ["fake", "sockets"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_walk(case, way, shop):
    world = shop(case.serve, f"{case.method}, paginate: {case.paginate}", way=way)
    body = {"json": {"q": "x", "page": {"size": 9}}} if "json: object" in case.method else {}
    kept, error = [], None
    try:
        world.items(kept=kept, **body)
    except APIError as ended:
        error = ended
    assert ([item["id"] for item in kept], len(world.asked)) == (case.gives, case.sent), error
    if case.ends is None:
        assert error is None
    else:
        assert type(error) is case.ends
        assert case.told in str(error)
        assert str(error).startswith("shop.list: ")
        assert (error.service, error.operation) == ("shop", "list")
        assert error.position is not None
