"""The command line, the servers, and a machine without proxies or trust of its own."""

import json

import pytest

from tests.cli.conftest import _quiet_environment, callsheet, sheet  # noqa: F401
from tests.servers.fixtures import *  # noqa: F403

MACHINES_OWN = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def _plain_machine(monkeypatch):
    for name in MACHINES_OWN:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Report:
    """What a doctor found."""

    def __init__(self, ended):
        self.code, self.err = ended.code, ended.err
        self.data = json.loads(ended.out)
        self.found = self.data["found"]

    def of(self, topic, grade=None):
        return [each for each in self.found if each["topic"] == topic and grade in (None, each["grade"])]

    def texts(self, topic, grade=None):
        return "\n".join(each["text"] for each in self.of(topic, grade))

    @property
    def problems(self):
        return [each["text"] for each in self.found if each["grade"] == "problem"]


@pytest.fixture
def doctor(callsheet):  # noqa: F811
    """Run `callsheet doctor` and read what it found."""
    return lambda *arguments: Report(callsheet("doctor", "--json", *arguments))
