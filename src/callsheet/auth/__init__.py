"""How a request proves who sends it, and how you find out who sent you one: `verify_jwt`."""

from callsheet.auth.verify import verify_jwt

__all__ = ["verify_jwt"]
