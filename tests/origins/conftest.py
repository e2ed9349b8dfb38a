from tests.auth.conftest import world

__all__ = ["world"]
