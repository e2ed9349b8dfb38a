"""The servers, each a child process on a free loopback port, stopped by its own handle."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.exchange import ANSWER, PATH

ROOT = Path(__file__).resolve().parent.parent
NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location = {path} {{ default_type application/json; return 201 '{answer}'; }}
    }}
}}
"""


def use_core(place, pid=0):
    """Hold a process to one core from its beginning, so that client and server do not share the caches of one.

    The servers have the first core, the clients the last; where a process cannot choose, the system does.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, {sorted(os.sched_getaffinity(0))[place]})


class Server:
    """A server that answers every POST to `/users` alike."""

    name: str

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="bench-"))
        for _ in range(5):
            self.port = free_port()
            self.url = f"http://127.0.0.1:{self.port}"
            self.child = subprocess.Popen(
                self.command(), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            use_core(0, self.child.pid)
            if self.answers():
                return
            told = self.stop()
        raise SystemExit(f"{self.name} did not start:\n{told}")

    def command(self):
        raise NotImplementedError

    def answers(self):
        until = time.monotonic() + 10
        while time.monotonic() < until and self.child.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return self.child.poll() is None
        return False

    def cpu(self):
        """CPU seconds of the server so far, its child processes among them; None where this system does not tell."""
        try:
            return sum(map(cpu_of, family(self.child.pid)))
        except OSError:
            return None

    def stop(self):
        """End the server, and give what it said."""
        self.child.terminate()
        try:
            _, told = self.child.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            _, told = self.child.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)
        return told.decode(errors="replace")


class Granian(Server):
    name = "granian"

    def command(self):
        options = ["--interface=rsgi", "--workers=1", "--http=1", "--no-ws", "--log-level=warning"]
        return [sys.executable, "-m", "granian", *options, f"--port={self.port}", "bench.app:app"]


class Nginx(Server):
    name = "nginx"

    def command(self):
        text = NGINX.format(folder=self.folder, port=self.port, path=PATH, answer=ANSWER.decode())
        (self.folder / "nginx.conf").write_text(text)
        return [nginx_path(), "-p", str(self.folder), "-c", "nginx.conf", "-e", str(self.folder / "error.log")]


def nginx_path():
    """Where the program is: on Debian not on everybody's PATH."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")


def found_servers():
    """The kinds of servers that can be started here."""
    return [Granian, Nginx] if nginx_path() else [Granian]


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def family(pid):
    """The process and its descendants."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from family(int(child))


def cpu_of(pid):
    """CPU seconds of a process, of its threads that still run."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9
