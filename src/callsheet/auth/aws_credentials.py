"""AWS credentials: those of the sheet, or what botocore's chain finds.

The chain searches where every AWS tool does: the environment, the shared files and their profiles, web identity, SSO, a
process, the container's and the machine's metadata service. For some of these botocore sends requests, so a thread runs the
search: at the first call, and again before the credentials expire. Calls wait for it only while there are no credentials.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from callsheet.auth.once import Once
from callsheet.call import Attempt
from callsheet.errors import AuthError
from callsheet.secret import Secret
from callsheet.verdicts import Ticket

MANDATORY = 10 * 60
"""Seconds for which credentials must still be valid to be used while new ones are fetched, as in botocore."""
PAUSE = 30.0
"""Seconds between two attempts to fetch new credentials while the old ones are still valid."""
LOOKED = "in the environment (AWS_ACCESS_KEY_ID), the shared files (~/.aws), and what the machine offers"


class Credentials(NamedTuple):
    """The credentials that sign one request. The fields have the names that botocore reads."""

    access_key: str
    secret_key: str
    token: str | None


class WrittenCredentials:
    """The credentials of the sheet; mounted ones are read anew for each request."""

    def __init__(self, options: Mapping[str, Secret]) -> None:
        self._options = options

    def forget(self) -> None:
        """Do nothing: no state is kept."""

    def awaited(self, attempt: Attempt) -> None:
        """None: written credentials need no waiting."""

    def now(self) -> Credentials:
        """The credentials. Raises AuthError for a file that is gone."""
        options = self._options
        try:
            token = options["session_token"].reveal() if "session_token" in options else None
            return Credentials(options["access_key"].reveal(), options["secret_key"].reveal(), token)
        except AuthError as error:
            raise AuthError(f"the AWS credentials cannot be read: {error}", stopped_by="sign") from None


class CredentialChain:
    """The credentials of botocore's chain, for one profile or the one that the environment names."""

    def __init__(self, profile: str | None, *, wall_clock: Callable[[], float]) -> None:
        import botocore.session  # type: ignore[import-untyped]  # noqa: PLC0415 - where requests are signed so, before any call

        self._new_session: Callable[..., Any] = botocore.session.Session
        self._profile = profile
        self._wall_clock = wall_clock
        self.forget()

    def forget(self) -> None:
        """Start over in a forked child, where the search thread of the parent does not run."""
        self._lock = threading.Lock()
        self._found: Any = None
        self._frozen: Credentials | None = None
        self._work: Once[None] | None = None
        self._tried = 0.0

    def awaited(self, attempt: Attempt) -> Ticket | None:
        """A ticket to wait for, or None if there are credentials. Raises AuthError if the search waited for found none."""
        work: Once[None] | None = attempt.call.notes.pop(self, None)
        if work is None:
            if self._serve():
                return None
            with self._lock:
                work = self._begun()
        ticket = work.awaited(attempt.call.new_ticket)
        if ticket is not None:
            attempt.call.notes[self] = work
        elif work.error is not None:
            raise _refusal(work.error, self._profile)
        return ticket

    def now(self) -> Credentials:
        """The credentials to sign with. Raises AuthError if there are none."""
        if self._frozen is None:
            raise AuthError("there are no AWS credentials", stopped_by="sign")
        return self._frozen

    def _serve(self) -> bool:
        """Whether the credentials are valid for long enough. Near their end, the search for new ones is started."""
        if self._frozen is None:
            return False
        needed = getattr(self._found, "refresh_needed", None)
        if needed is None or not needed():
            return True
        now = self._wall_clock()
        if needed(MANDATORY):
            return False
        with self._lock:
            if not 0 <= now - self._tried < PAUSE:
                self._tried = now
                self._begun()
        return True

    def _begun(self) -> Once[None]:
        if self._work is None or self._work.is_done:
            self._work = Once(self._search, "aws")
        return self._work

    def _search(self) -> None:
        if self._found is None:
            self._found = self._new_session(profile=self._profile).get_credentials()
        if self._found is None:
            raise LookupError
        frozen = self._found.get_frozen_credentials()
        self._frozen = Credentials(frozen.access_key, frozen.secret_key, frozen.token)


def _refusal(error: Exception, profile: str | None) -> AuthError:
    """The AuthError for what botocore raised, without its text, which may hold the output of a credential process."""
    where = f" for the profile {profile!r}" if profile else ""
    if type(error) is LookupError:
        return AuthError(f"no AWS credentials{where} were found: looked {LOOKED}", stopped_by="sign")
    return AuthError(
        f"the AWS credentials{where} could not be had ({type(error).__name__}); "
        "`aws sts get-caller-identity` shows what is wrong",
        stopped_by="sign",
    )
