"""The requests to a token endpoint, and what its answers mean (RFC 6749, RFC 7521, RFC 7523).

The exchange is a generator: it yields requests and pauses, and the engine sends and waits. A token endpoint is asked up to
three times if it could not be reached or was overloaded. Its redirects are never followed: the request holds the client's
secret.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus, urlsplit

from callsheet.arithmetic.backoff import pause
from callsheet.arithmetic.retry_after import told_pause
from callsheet.auth.jwt import JWT, revealed
from callsheet.errors import APIError, AuthError, DeadlinePassed, NoAnswer, NotSent, ResponseError, UsageError
from callsheet.http.body import Content
from callsheet.http.headers import CHANGED_ON_THE_WAY, FORBIDDEN_IN_VALUE, Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.secret import Secret, redact
from callsheet.settings.tls import TLS
from callsheet.verdicts import Wait

ATTEMPTS = 3
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 4.0
LONGEST_TOLD = 200
"""Characters of the endpoint's own text that an error quotes."""
FORM = "application/x-www-form-urlencoded"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLIENT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PASSING = frozenset({408, 429, *range(500, 600)})
Asking = Generator[Request | Wait, Any, "Granted | Denied"]


class Granted(NamedTuple):
    """The endpoint gave a token. `lifetime` is in seconds, inf if the answer does not say it."""

    token: Secret
    lifetime: float
    refresh_token: Secret | None
    requests: int


class Denied(NamedTuple):
    """The endpoint gave no token: why, the OAuth error code, and the Retry-After in seconds, if the answer has one."""

    why: str
    code: str | None
    retry_after: float | None
    requests: int


class TokenEndpoint:
    """A token endpoint, and our credentials for it. `options` are those of the sheet's `auth: {oauth2: ...}`.

    `wall_clock` gives the time of day, for assertions; `pick` draws the jitter of pauses, 0 to 1; `new_id` a `jti`.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        *,
        wall_clock: Callable[[], float],
        pick: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self.url: str = options["token_url"]
        self.shown_url = urlsplit(self.url)._replace(query="").geturl()
        self.tls: TLS | None = options.get("tls")
        self.refresh_token: Secret | None = options.get("refresh_token")
        self._options = options
        self._wall_clock = wall_clock
        self._pick = pick
        self._assertions = {
            name: JWT(options[name], wall_clock=wall_clock, new_id=new_id)
            for name in ("assertion", "client_assertion")
            if name in options
        }
        self._constant = self._constant_fields()

    def forget(self) -> None:
        """Begin anew in a forked child."""
        for assertion in self._assertions.values():
            assertion.forget()

    def asked(self, refresh_token: Secret | None) -> Asking:
        """Ask for a token. The engine throws an APIError in where a request failed; only a UsageError is raised again."""
        denied = Denied("nobody answered", None, None, 0)
        for number in range(1, ATTEMPTS + 1):
            if number > 1:
                try:
                    yield Wait(self._pause(number, denied.retry_after), "a token")
                except DeadlinePassed:
                    break
            try:
                request = self._request(refresh_token)
                answer = yield request
            except UsageError:
                raise
            except APIError as error:
                # If time is up, the failure of the request before says more.
                denied = denied if isinstance(error, DeadlinePassed) and denied.requests else _failed(error, number)
                if not isinstance(error, NotSent | NoAnswer):
                    break
            else:
                result = self._meaning(answer, request, number)
                if isinstance(result, Granted):
                    return result
                denied = result
                if answer.status_code not in PASSING:
                    break
        return denied

    def _pause(self, number: int, told: float | None) -> float:
        return told if told else pause(number, FIRST_PAUSE, LONGEST_PAUSE, self._pick())

    def _constant_fields(self) -> list[tuple[str, Any]]:
        """The form fields that are the same in every request, in order."""
        options = self._options
        grant = options["grant"]
        fields = [("grant_type", JWT_BEARER if grant == "jwt_bearer" else grant)]
        if options.get("scopes"):
            fields.append(("scope", " ".join(options["scopes"])))
        if "audience" in options:
            fields.append(("audience", options["audience"]))
        fields += options.get("params", {}).items()
        if "client_id" in options and options["client_auth"] != "basic":
            fields.append(("client_id", options["client_id"]))
        if options["client_auth"] == "body":
            fields.append(("client_secret", options["client_secret"]))
        return fields

    def _request(self, refresh_token: Secret | None) -> Request:
        """A request, with new assertions. Raises AuthError if one cannot be made."""
        fields = [*self._constant, *self._fields_made_anew(refresh_token)]
        secrets = tuple(value for _, value in fields if isinstance(value, Secret))
        headers: list[tuple[str, str | Secret]] = [("Accept", "application/json")]
        if self._options["client_auth"] == "basic":
            blob = _basic(self._options["client_id"], self._options["client_secret"])
            headers.append(("Authorization", Secret("Basic ", blob)))
            secrets = (*secrets, blob, self._options["client_secret"])
        headers.append(("Content-Type", FORM))
        body = _form(fields)
        return Request(
            "POST", self.shown_url, Headers(headers), Content(body, FORM), wire_url=self.url, secrets=secrets
        )

    def _fields_made_anew(self, refresh_token: Secret | None) -> Iterator[tuple[str, Any]]:
        if self._options["grant"] == "refresh_token":
            yield "refresh_token", refresh_token
        if "assertion" in self._assertions:
            yield "assertion", self._assertions["assertion"].anew().value
        if "client_assertion" in self._assertions:
            yield "client_assertion_type", CLIENT_ASSERTION
            yield "client_assertion", self._assertions["client_assertion"].anew().value

    def _meaning(self, answer: Response, request: Request, number: int) -> Granted | Denied:
        """The token that an answer holds, or why there is none (RFC 6749 5.1, 5.2)."""
        said = _said(answer)
        found = said.get("access_token")
        if answer.status_code == 200 and isinstance(found, str) and "error" not in said:
            return self._granted(said, found, number)
        code = said.get("error")
        told = f" {code}" if isinstance(code, str) else ""
        description = said.get("error_description")
        more = f": {description}" if isinstance(description, str) else ""
        where = _astray(answer.status_code)
        no_token = "" if told or answer.status_code != 200 else " without a token"
        words = _shown(f"{told}{more}", request.secrets)
        why = f"it answered {answer.status_code}{words}{no_token}{where}"
        shown_code = _shown(code, request.secrets).strip() if isinstance(code, str) else None
        return Denied(why, shown_code, told_pause(answer, self._wall_clock()), number)

    def _granted(self, said: Mapping[str, Any], text: str, number: int) -> Granted | Denied:
        kind = said.get("token_type", "Bearer")
        if not isinstance(kind, str) or kind.lower() != "bearer":
            # RFC 6749 7.1: a token of a type that is not understood is not used.
            return Denied("its token is none of type Bearer (RFC 6750), and no other is supported", None, None, number)
        if not _is_sendable(text):
            return Denied("its token holds what no header may hold", None, None, number)
        refresh = said.get("refresh_token")
        new_refresh = Secret(refresh) if isinstance(refresh, str) and refresh else None
        return Granted(Secret(text), _lifetime(said.get("expires_in")), new_refresh, number)


def _astray(status: int) -> str:
    """The hint for a status that shows that the URL is not one of a token endpoint."""
    if 300 <= status < 400:
        return ", a redirect, which is not followed: is it the right token_url?"
    return ": is it the right token_url?" if status in (404, 405) else ""


def _said(answer: Response) -> Mapping[str, Any]:
    """The answer's JSON object; an empty one if the body is something else."""
    try:
        said = answer.json()
    except ResponseError:
        return {}
    return said if isinstance(said, dict) else {}


def _lifetime(told: Any) -> float:
    """The lifetime in seconds; inf if the answer has none that can be used: then a 401 shows that the token has expired."""
    try:
        seconds = float(told) if not isinstance(told, bool) else math.inf
    except (TypeError, ValueError, OverflowError):
        return math.inf
    return max(0.0, seconds) if not math.isnan(seconds) else math.inf


def _is_sendable(text: str) -> bool:
    is_plain = text.isascii() and not FORBIDDEN_IN_VALUE.search(text) and not CHANGED_ON_THE_WAY.search(text)
    return bool(text) and is_plain and " " not in text


def _form(fields: list[tuple[str, Any]]) -> bytes:
    try:
        return "&".join(f"{quote_plus(name)}={quote_plus(str(revealed(value)))}" for name, value in fields).encode()
    except UnicodeEncodeError:
        raise AuthError("the client's secret, or another field of the token request, is no text in UTF-8") from None


def _basic(client_id: str | Secret, client_secret: Secret) -> Secret:
    """Id and secret, form-encoded (RFC 6749 2.3.1) and put together as in RFC 7617. A space is %20: all decoders read it."""
    try:
        pair = f"{quote(revealed(client_id), safe='')}:{quote(client_secret.reveal(), safe='')}"
    except UnicodeEncodeError:
        raise AuthError("the client's id or secret is no text in UTF-8") from None
    return Secret(base64.b64encode(pair.encode()).decode())


def _failed(error: APIError, number: int) -> Denied:
    """The Denied for a request that failed. The texts of our own errors are masked already."""
    if isinstance(error, AuthError):
        return Denied(str(error), None, None, number - 1)
    return Denied(f"{type(error).__name__}: {error}", None, error.retry_after, number)


def _shown(text: str, secrets: tuple[Secret, ...]) -> str:
    """The endpoint's own text, cut, on one line, with secrets masked."""
    masked = redact(text, secrets)
    plain = " ".join("".join(c if c.isprintable() else " " for c in masked).split())
    words = f" {plain}" if plain and not plain.startswith(":") else plain
    return words if len(words) <= LONGEST_TOLD else f"{words[: LONGEST_TOLD - 3]}..."
