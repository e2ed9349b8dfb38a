"""A token endpoint that gives whoever asks with a refresh token that very text, so that a test knows what is sent."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs

from tests.servers.wsgi import WsgiServer


def token_for(refresh_token: str) -> str:
    """The access token that is given for a refresh token."""
    return "tok-" + base64.urlsafe_b64encode(refresh_token.encode()).decode().rstrip("=")


class TokenGiver(WsgiServer):
    """Serve tokens on a free loopback port."""

    def __init__(self) -> None:
        super().__init__(_give)
        self.token_url = f"{self.url}/token"


def _give(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    form = parse_qs(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode())
    start_response("200 OK", [("Content-Type", "application/json")])
    token = token_for(form["refresh_token"][0])
    return [json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 3600}).encode()]
