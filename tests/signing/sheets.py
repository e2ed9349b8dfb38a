"""A sheet with one service that signs."""

from __future__ import annotations

import json
from typing import Any

from callsheet import Sheet

SECRET = "canary-7f3a9c51-signing-secret-01"


def sheet_of(sign: Any, url: str, *, folder=None, variables=None, **settings) -> Sheet:
    operations = {
        "get": {"get": "/users/{id}"},
        "plain": {"get": "/x", "sign": "off"},
        "upload": {"put": "/x", "content": "application/octet-stream"},
        "create": {"post": "/x", "json": {"type": "object"}},
    }
    service = {"base_url": url, "sign": sign, "operations": operations, **settings}
    text = json.dumps({"callsheet": 1, "services": {"shop": service}})
    return Sheet.parse(text, variables={"KEY": SECRET, **(variables or {})}, folder=folder)
