"""An OAuth 2.0 provider that nobody here wrote: Authlib's, with a resource that takes its tokens.

What is ours is the memory that it asks for: which clients there are, and which tokens it has given out.
"""

from __future__ import annotations

import os
import ssl
import threading
import warnings
from typing import Any

from tests.servers.wsgi import WsgiServer

SECRET = "the secret: of 100% & = the client"
METHODS = ("client_secret_basic", "client_secret_post", "none", "private_key_jwt")


class Client:
    """One client; `methods` are how it may prove itself."""

    def __init__(self, name: str, secret: str | None, methods: tuple[str, ...], public_key: str | None) -> None:
        self.client_id = name
        self.secret = secret
        self.methods = methods
        self.public_key = public_key

    def get_client_id(self) -> str:
        return self.client_id

    def get_allowed_scope(self, scope: str) -> str:
        return " ".join(each for each in (scope or "").split() if each in ("read", "write"))

    def check_client_secret(self, secret: str) -> bool:
        return secret == self.secret

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in self.methods

    def check_grant_type(self, grant: str) -> bool:
        return True


class Given:
    """A token that was given out."""

    def __init__(self, client: Client, token: dict[str, Any]) -> None:
        self.client = client
        self.access = token["access_token"]
        self.refresh = token.get("refresh_token")
        self.scope = token.get("scope", "")
        self.is_revoked = False

    def check_client(self, client: Client) -> bool:
        return self.client is client

    def get_scope(self) -> str:
        return self.scope


class Provider(WsgiServer):
    """`token_url` gives tokens, `/me` takes them. `given` are all so far, `asked` the forms that were sent to it.

    `before_answer` is called with each form before it is answered; `lifetime` is what tokens last, in seconds.
    """

    def __init__(self, context: ssl.SSLContext | None = None, public_key: str | None = None) -> None:
        # The check of https is the provider's own, and would refuse even loopback.
        os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
        self.given: list[Given] = []
        self.asked: list[dict[str, str]] = []
        self.seen: list[str | None] = []
        self.assertions: set[str] = set()
        self.lifetime = 3600
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self.clients = {
            "shop": Client("shop", SECRET, ("client_secret_basic", "client_secret_post"), public_key),
            "keyed": Client("keyed", None, ("private_key_jwt",), public_key),
            "public": Client("public", None, ("none",), public_key),
        }
        super().__init__(self._app(), context)
        self.token_url = f"{self.url}/token"

    def before_answer(self, form: dict[str, str]) -> Any:
        """For a test to replace: what it returns is answered instead."""

    def refresh_token(self, client: str = "public") -> str:
        """A first refresh token, as a person's consent would have brought."""
        token = {"access_token": os.urandom(12).hex(), "refresh_token": os.urandom(12).hex(), "scope": "read"}
        self.given.append(Given(self.clients[client], token))
        return token["refresh_token"]

    def revoke(self) -> None:
        """Make every access token worthless."""
        for given in self.given:
            given.access = f"revoked {given.access}"

    def _app(self) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import flask
            from authlib.integrations.flask_oauth2 import AuthorizationServer

        app = flask.Flask("provider")
        app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
        server = AuthorizationServer(app, query_client=self.clients.get, save_token=self._save)
        for grant in self._grants():
            server.register_grant(grant)
        server.register_client_auth_method("private_key_jwt", self._assertion_check())

        @app.post("/token")
        def token() -> Any:
            form = flask.request.form.to_dict()
            with self._lock:
                self.asked.append(form)
                self._at_once += 1
                self.most_at_once = max(self.most_at_once, self._at_once)
            try:
                instead = self.before_answer(form)
                return server.create_token_response() if instead is None else instead
            finally:
                with self._lock:
                    self._at_once -= 1

        @app.route("/me", methods=["GET", "POST"])
        def me() -> Any:
            field = flask.request.headers.get("Authorization", "")
            self.seen.append(field)
            scheme, _, text = field.partition(" ")
            found = next((given for given in self.given if scheme == "Bearer" and given.access == text), None)
            if found is None:
                challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
                return {"error": "invalid_token"}, 401, challenge
            return {
                "client": found.client.client_id,
                "scope": found.scope,
                "body": flask.request.get_data(as_text=True),
            }

        return app

    def _save(self, token: dict[str, Any], request: Any) -> None:
        token["expires_in"] = self.lifetime
        self.given.append(Given(request.client, token))

    def _grants(self) -> list[Any]:
        from authlib.oauth2.rfc6749 import grants
        from authlib.oauth2.rfc7523 import JWTBearerGrant

        provider = self

        class ClientCredentials(grants.ClientCredentialsGrant):  # type: ignore[misc]
            TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")

        class RefreshToken(grants.RefreshTokenGrant):  # type: ignore[misc]
            INCLUDE_NEW_REFRESH_TOKEN = True
            TOKEN_ENDPOINT_AUTH_METHODS = METHODS

            def authenticate_refresh_token(self, refresh_token: str) -> Given | None:
                live = (given for given in provider.given if not given.is_revoked)
                return next((given for given in live if given.refresh == refresh_token), None)

            def authenticate_user(self, refresh_token: Given) -> str:
                return "ada"

            def revoke_old_credential(self, refresh_token: Given) -> None:
                refresh_token.is_revoked = True

        class Bearer(JWTBearerGrant):  # type: ignore[misc]
            def resolve_issuer_client(self, issuer: str) -> Client | None:
                return provider.clients.get(issuer)

            def resolve_client_public_key(self, client: Client) -> Any:
                return _key(client)

            def authenticate_user(self, subject: str) -> str:
                return subject

            def has_granted_permission(self, client: Client, user: str) -> bool:
                return user == "ada"

            def get_audiences(self) -> list[str]:
                return [provider.token_url]

        return [ClientCredentials, RefreshToken, Bearer]

    def _assertion_check(self) -> Any:
        from authlib.oauth2.rfc7523 import JWTBearerClientAssertion

        provider = self

        class Assertion(JWTBearerClientAssertion):  # type: ignore[misc]
            CLIENT_AUTH_METHOD = "private_key_jwt"

            def validate_jti(self, claims: Any, jti: str) -> bool:
                is_new = jti not in provider.assertions
                provider.assertions.add(jti)
                return is_new

            def resolve_client_public_key(self, client: Client) -> Any:
                return _key(client)

            def get_audiences(self) -> list[str]:
                return [provider.token_url]

        return Assertion()


def _key(client: Client) -> Any:
    from joserfc import jwk

    return jwk.import_key(client.public_key or "", "RSA")
