"""The suite http-tests/cache-tests: fetched with npm into a folder for once, served on loopback, and read as JSON."""

import json
import os
import subprocess
from contextlib import contextmanager
from typing import NamedTuple

PACKAGE = "http-cache-tests@0.4.5"
ON_LOOPBACK = """
const net = require('net')
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function () { return listen.call(this, 0, '127.0.0.1') }
"""
"""The suite's server would listen on every address: a free port of loopback instead."""
EXPORT = """
import tests from './tests/index.mjs'
import surrogate from './tests/surrogate-control.mjs'
process.stdout.write(JSON.stringify([...tests, surrogate]))
"""
FOR_SHARED_CACHES = {
    "freshness-s-maxage-shared",
    "freshness-max-age-s-maxage-shared-longer",
    "freshness-max-age-s-maxage-shared-longer-reversed",
    "freshness-max-age-s-maxage-shared-longer-multiple",
    "freshness-max-age-s-maxage-shared-shorter",
    "freshness-max-age-s-maxage-shared-shorter-expires",
    "cc-resp-private-shared",
    "stale-close-proxy-revalidate",
    "stale-close-s-maxage=2",
    "other-authorization",
    "other-authorization-public",
    "other-authorization-must-revalidate",
    "other-authorization-smaxage",
}
"""Rules that RFC 9111 makes for shared caches alone: `s-maxage`, `proxy-revalidate`, `private`, and `Authorization`."""
OF_CDNS = {"surrogate-control"}
"""Sets of tests about fields that only a CDN in front of its origin reads."""


class Question(NamedTuple):
    """One test: `kind` is `required`, `optimal` or `check` (which only asks what a cache does)."""

    id: str
    name: str
    kind: str
    requests: list
    depends_on: list


def installed(folder):
    """The folder of the suite, installed by npm without running any script of a package."""
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder), PACKAGE]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder / "node_modules" / "http-cache-tests"


def applicable(suite):
    """The tests of a private cache."""
    told = subprocess.run(
        ["node", "--no-warnings", "--input-type=module", "--eval", EXPORT], cwd=suite, check=True, capture_output=True
    ).stdout
    return [
        Question(test["id"], test["name"], test.get("kind", "required"), test["requests"], test.get("depends_on", []))
        for group in json.loads(told)
        if group["id"] not in OF_CDNS
        for test in group["tests"]
        if test["id"] not in FOR_SHARED_CACHES
    ]


@contextmanager
def served(suite, folder):
    """The base URL of the suite's server, for the time of the block."""
    preload = folder / "loopback.cjs"
    preload.write_text(ON_LOOPBACK)
    environment = {
        **os.environ,
        "npm_config_protocol": "http",
        "npm_config_port": "1",
        "npm_config_pidfile": str(folder / "server.pid"),
    }
    server = subprocess.Popen(
        ["node", "--no-warnings", "--require", str(preload), "server/server.mjs"],
        cwd=suite,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        said = server.stdout.readline()
        yield said.removeprefix("Listening on ").strip().rstrip("/")
    finally:
        server.kill()
        server.communicate()
