"""Read secrets in header fields that may change, from mounted files and functions of the user.

Each attempt reads them once, before it takes a slot or a turn, so that no attempt that has one waits for such a function.
The text that was read is the one that is sent, and is masked wherever it comes back.
"""

from __future__ import annotations

from callsheet.auth.constant import constant_credential
from callsheet.call import Attempt
from callsheet.errors import APIError, ArgumentError, AuthError
from callsheet.http.headers import Headers, check_field
from callsheet.policies.scope import Own, Scope
from callsheet.secret import Secret
from callsheet.settings.settings import Settings
from callsheet.verdicts import Change, Refuse


class ReadAnew:
    """Put the current secrets into the request. It answers `Refuse` with an AuthError if one cannot be read."""

    name = "auth"

    def before(self, attempt: Attempt, now: float) -> Change | Refuse | None:
        """The request with the secrets read; None once it has them."""
        request = attempt.request
        if request.headers.is_constant:
            return None
        try:
            fields = [(name, _now(name, value)) for name, value in request.headers.fields]
        except APIError as error:
            return Refuse(error, by=self.name)
        read = [value for _, value in fields if isinstance(value, Secret)]
        return Change(request.with_headers(Headers(fields), *read))


def make(settings: Settings, scope: Scope, own: Own) -> tuple[ReadAnew, ...]:
    """The policy, if a secret in the header fields may change; else none."""
    fields = (*settings.headers.values(), *(value for _, value in constant_credential(settings.auth).headers))
    varies = any(isinstance(value, Secret) and not value.is_constant for value in fields)
    return (ReadAnew(),) if varies else ()


def _now(name: str, value: str | Secret) -> str | Secret:
    if isinstance(value, str) or value.is_constant:
        return value
    read = value.now()
    try:
        check_field(name, read.reveal())
    except ArgumentError as error:
        problem = str(error)
    else:
        return read
    raise AuthError(f"a secret that was read anew cannot be sent: {problem}", stopped_by="auth")
