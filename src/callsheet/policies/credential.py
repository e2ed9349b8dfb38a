"""Put a token into the request that has to be made first, and is made anew before it expires.

It is made before a slot or a turn is taken, so that nobody who holds one waits for a signature, and put in when nothing
waits any more, so that the one sent is the one that holds then.
"""

from __future__ import annotations

from typing import Protocol

from callsheet.call import Attempt
from callsheet.errors import AuthError
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.secret import Secret
from callsheet.verdicts import Refuse


class Token(Protocol):
    """A token: the whole value of its header field, and the token alone."""

    @property
    def field(self) -> Secret:
        """What stands in the header field."""

    @property
    def value(self) -> Secret:
        """The token, which is masked wherever it comes back."""


class Tokens(Protocol):
    """Where tokens come from."""

    header: str

    def token(self) -> Token:
        """The token to send now. Raises AuthError if there is none."""


class Credential:
    """Send a token in its header field; a field of that name that the caller gave stays.

    It answers `Refuse` with an AuthError where no token can be had.
    """

    name = "auth"

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.header = tokens.header
        self._filled: tuple[Headers, Token, Headers] | None = None

    def before(self, attempt: Attempt, now: float) -> Refuse | None:
        """Nothing, once a token is at hand."""
        if self.header in attempt.request.headers:
            return None
        try:
            self.tokens.token()
        except AuthError as error:
            return Refuse(error, by=self.name)
        return None

    def attach(self, attempt: Attempt, now: float) -> Request:
        """The request with the token."""
        request = attempt.request
        headers = request.headers
        if self.header in headers:
            return request
        token = self.tokens.token()
        filled = self._filled
        # Most calls of a plan have the same fields, and these keep what a transport made of them.
        if filled is None or filled[0] is not headers or filled[1] is not token:
            filled = self._filled = (headers, token, headers.with_fields([(self.header, token.field)]))
        return request.with_headers(filled[2], token.value)
