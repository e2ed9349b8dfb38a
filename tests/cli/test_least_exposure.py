"""Who else can read what: a warning for a sheet with secrets, and files of ours that nobody else can."""

import os
import stat
from pathlib import Path

import pytest

from callsheet import Client, Sheet
from callsheet.testing import Cassette
from callsheet.transports.curl.trust import Trust

LITERAL = "callsheet: 1\nservices:\n  s:\n    base_url: http://127.0.0.1\n    auth: {bearer: abcdefgh}\n"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="a mode is one of POSIX")


@pytest.fixture
def _open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_secret_on_a_sheet_that_others_can_read(callsheet, sheet, mode):
    sheet(LITERAL).chmod(mode)
    ended = callsheet("check", "--strict")
    assert ended.code == 7
    assert f"written out on the sheet, and others on this machine can read it (mode {mode:04o})" in ended.out
    assert "chmod 600 callsheet.yaml" in ended.out
    assert ended.out.count("warning:") == 1


def test_a_secret_on_a_sheet_of_ones_own(callsheet, sheet):
    sheet(LITERAL).chmod(0o600)
    ended = callsheet("check")
    assert "written out on the sheet" in ended.out
    assert "others" not in ended.out


def test_a_sheet_without_secrets_may_be_anybodys(callsheet, sheet, monkeypatch):
    monkeypatch.setenv("TOKEN", "t")
    sheet(LITERAL.replace("abcdefgh", '"${TOKEN}"')).chmod(0o644)
    assert callsheet("check", "--strict").code == 0


def test_a_program_is_warned_as_well(sheet):
    path = sheet(LITERAL)
    path.chmod(0o644)
    (found,) = Sheet.load(path).warnings
    assert "others on this machine can read it" in found.message


@pytest.mark.usefixtures("_open_umask")
class TestUnderAnOpenUmask:
    def test_a_first_sheet_is_its_owners(self, callsheet, tmp_path):
        assert callsheet("init").code == 0
        assert mode_of(tmp_path / "callsheet.yaml") == 0o600

    def test_a_sheet_made_of_a_curl_command_is_its_owners(self, callsheet, tmp_path):
        assert callsheet("import", "curl", "curl https://a.example/x").code == 0
        assert mode_of(tmp_path / "callsheet.yaml") == 0o600

    def test_a_sheet_that_was_there_keeps_its_mode(self, callsheet, sheet):
        path = sheet("callsheet: 1\nservices:\n  s:\n    base_url: https://a.example\n")
        path.chmod(0o644)
        assert callsheet("import", "curl", "curl https://a.example/x").code == 0
        assert "get" in path.read_text()
        assert mode_of(path) == 0o644

    def test_a_cassette_is_its_owners(self, practice, tmp_path):
        path = tmp_path / "calls.json"
        with Client(base_url=practice.url, transport=Cassette(path, record="once")) as client:
            client.request("GET", "/users")
        assert mode_of(path) == 0o600

    def test_a_download_is_as_the_umask_says(self, practiced, tmp_path):
        assert practiced("request", "practice", "GET", "/users", "--download", "users.json").code == 0
        assert mode_of(tmp_path / "users.json") == 0o666

    def test_authorities_that_were_joined_are_in_a_folder_of_our_own(self, certificates):
        trust = Trust(None, certificates.ca_file)
        joined = next(Path(value) for _, value in trust.options())
        assert mode_of(joined.parent) == 0o700
