"""How a request proves who sends it, and how you find out who sent you one: `verify_jwt`."""

from callsheet.auth.absolute_request import request
from callsheet.auth.verify import verify_jwt

__all__ = ["request", "verify_jwt"]
