import pytest

from callsheet.testing import FrozenClock
from tests.auth.conftest import world
from tests.signing.sheets import sheet_of

__all__ = ["world"]


@pytest.fixture
def clock():
    return FrozenClock("2026-03-01T12:00:00+00:00")


@pytest.fixture
def shop(world, clock):
    """A service with a fake behind it that answers everything."""

    def opened(sign, **given):
        fake = world.fake(clock)
        for method in ("GET", "POST", "PUT", "DELETE"):
            for path in ("/x", "/users/{id}"):
                fake.on(method, path).respond()
        made = world(sheet_of(sign, "https://shop.test", **given), transport=fake, clock=clock)
        made.fake = fake
        return made

    return opened
