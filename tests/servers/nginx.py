"""nginx, where it is installed, as a child of the test with its files in a folder of the test's."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

from tests.needs import program
from tests.servers.server import Server

CONFIGURATION = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log notice;
events {{ worker_connections 1024; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_timeout 60s;
    keepalive_requests 100000;
    default_type application/octet-stream;
    types {{ application/json json; text/plain txt; }}
    server {{
        listen 127.0.0.1:{port} backlog=1024{listen_options};
        {tls}
        root {folder}/static;
        location /static/ {{ alias {folder}/static/; }}
        location /gzip/ {{ alias {folder}/static/; gzip on; gzip_types *; gzip_min_length 1; }}
        location = /json {{ default_type application/json; return 200 '{{"id": 7, "name": "Ada"}}'; }}
        location = /created {{ default_type application/json; return 201 '{{"id": 7}}'; }}
        location = /redirect {{ return 302 /json; }}
        location = /small {{
            client_max_body_size 1k;
            proxy_pass http://127.0.0.1:{port}/json;
        }}
        location ~ ^/status/204$ {{ return 204; }}
        location ~ ^/status/404$ {{ return 404; }}
        location ~ ^/status/503$ {{ add_header Retry-After 1 always; return 503; }}
        {extra}
    }}
}}
"""


def nginx_path() -> str | None:
    """Where the nginx program is, or None."""
    return program("nginx")


class NginxServer(Server):
    """Serve on a free loopback port: `/json`, `/created`, `/status/204|404|503`, `/redirect`, `/static/*`, `/gzip/*`, `/small`.

    `/small` refuses bodies over 1 KiB with 413. Files written to `.static` are served under `/static/` and, compressed,
    under `/gzip/`. `extra` is configuration for the server block; `tls` a pair of certificate and key files.
    """

    def __init__(self, folder: Path, extra: str = "", tls: tuple[Path, Path] | None = None) -> None:
        self.folder = folder
        self.static = folder / "static"
        self.static.mkdir(exist_ok=True)
        self._extra, self._tls = extra, tls
        for _ in range(5):
            self.port = _free_port()
            self._child = self._start()
            if self._is_up():
                break
            self.close()
        else:
            raise AssertionError(f"nginx did not start; its log says:\n{(folder / 'error.log').read_text()}")
        self.url = f"{'https' if tls else 'http'}://{self.host}:{self.port}"

    @property
    def access_log(self) -> list[str]:
        """The lines of the access log so far, one per answered request."""
        path = self.folder / "access.log"
        return path.read_text().splitlines() if path.exists() else []

    def close(self) -> None:
        """Stop the child, by its own handle, and wait until it is gone."""
        self._child.terminate()
        try:
            self._child.wait(2.0)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        path = nginx_path()
        if path is None:
            raise AssertionError("nginx is not installed; mark the test as needing it")
        tls = "" if self._tls is None else "ssl_certificate {}; ssl_certificate_key {};".format(*self._tls)
        listen_options = "" if self._tls is None else " ssl http2"
        settings = {"folder": self.folder, "port": self.port, "tls": tls, "listen_options": listen_options}
        configuration = self.folder / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(**settings, extra=self._extra))
        arguments = [path, "-p", str(self.folder), "-c", str(configuration), "-e", str(self.folder / "error.log")]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(arguments, stdin=quiet, stdout=quiet, stderr=quiet)

    def _is_up(self) -> bool:
        until = time.monotonic() + 5.0
        while time.monotonic() < until and self._child.poll() is None:
            try:
                socket.create_connection((self.host, self.port), timeout=1.0).close()
            except OSError:
                # A program gives no event to wait for: ask again shortly.
                time.sleep(0.005)
            else:
                return self._child.poll() is None
        return False


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
