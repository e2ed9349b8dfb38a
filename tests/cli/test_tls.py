"""What the command line says of a service that is not verified."""

import os
import ssl
import subprocess

import pytest

from tests.needs import program
from tests.servers import ScriptedServer

SHEET = """\
callsheet: 1
services:
  shop:
    base_url: "{url}"
    tls: {{verify: false, insecure_reason: a test}}
    operations: {{look: {{get: /}}}}
"""
WARNING = (
    "callsheet: warning: service `shop`: tls.verify is false, so anybody can answer for it; insecure_reason: a test\n"
)


def test_each_call_warns(callsheet, certificates, tmp_path):
    with ScriptedServer(tls=certificates.untrusted()) as server:
        (tmp_path / "callsheet.yaml").write_text(SHEET.format(url=server.url))
        for arguments in (("call", "look"), ("request", "GET", "/")):
            ended = callsheet(*arguments)
            assert (ended.code, ended.err) == (0, WARNING)


def test_check_warns_and_is_strict_on_request(callsheet, tmp_path):
    (tmp_path / "callsheet.yaml").write_text(SHEET.format(url="https://shop.example"))
    ended = callsheet("check")
    assert ended.code == 0
    assert "the service's certificate is not checked: a test" in ended.out
    assert callsheet("check", "--strict").code == 7


def test_explain_shows_it(callsheet, tmp_path):
    (tmp_path / "callsheet.yaml").write_text(SHEET.format(url="https://shop.example"))
    lines = [line.split() for line in callsheet("explain", "look").out.splitlines()]
    assert ["*", "tls.verify", "false"] in [line[:3] for line in lines]
    assert ["*", "tls.insecure_reason", "a", "test"] in [line[:4] for line in lines]


PINNED = """\
callsheet: 1
services:
  shop:
    base_url: "{url}"
    tls: {{min_version: "1.3", {ca}: ca.pem, cert: "a:b.pem", key: client.key, key_password: "${{KEY}}", pins: ["{pin}"]}}
    operations: {{look: {{get: /}}}}
"""


@pytest.mark.needs("curl", "bash")
@pytest.mark.parametrize("ca", ["ca", "extra_ca"])
def test_curl_trusts_and_presents_the_same(callsheet, certificates, tmp_path, monkeypatch, ca):
    monkeypatch.setenv("KEY", "open sesame")
    (tmp_path / "ca.pem").write_bytes(certificates.ca_file.read_bytes())
    files = certificates.client(tmp_path, password="open sesame")
    files.cert.rename(tmp_path / "a:b.pem")
    context, pin = certificates.pinned()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificates.ca_file)
    with ScriptedServer(tls=context) as server:
        (tmp_path / "callsheet.yaml").write_text(PINNED.format(url=server.url, pin=pin, ca=ca))
        printed = callsheet("call", "look", "--curl")
        assert (printed.code, "sesame" in printed.out) == (0, False)
        done = subprocess.run([program("bash"), "-c", printed.out], env=os.environ, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        assert callsheet("call", "look").code == 0
    assert server.ledger.clients == [files.serial, files.serial]


@pytest.mark.needs("curl", "bash")
def test_curl_verifies_as_little(callsheet, certificates, tmp_path):
    with ScriptedServer(tls=certificates.untrusted()) as server:
        (tmp_path / "callsheet.yaml").write_text(SHEET.format(url=server.url))
        printed = callsheet("call", "look", "--curl").out
        subprocess.run([program("bash"), "-c", printed], capture_output=True, check=True)
    assert len(server.requests) == 1


def test_what_curl_presents_is_noted_when_it_is_imported(callsheet):
    words = "--cert a.pem --key a.key --pass s3cret --pinnedpubkey sha256//x --cacert b.pem --tlsv1.3"
    ended = callsheet("import", "curl", f"curl https://shop.example/ {words}")
    assert ended.code == 0
    for key in ("tls.cert", "tls.key", "tls.key_password", "tls.pins", "tls.ca", "tls.min_version"):
        assert f"write it as `{key}`" in ended.out + ended.err
    assert "s3cret" not in ended.out + ended.err
