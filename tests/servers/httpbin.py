"""httpbin, a server that nobody here wrote, run in this process."""

from __future__ import annotations

import logging

from tests.servers.wsgi import WsgiServer


class HttpbinServer(WsgiServer):
    """Serve httpbin on a free loopback port."""

    def __init__(self) -> None:
        # httpbin says at import that its optional pages are missing.
        logging.getLogger("httpbin.core").setLevel(logging.CRITICAL)
        from httpbin import app

        super().__init__(app)
