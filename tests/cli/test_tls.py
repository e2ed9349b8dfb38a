"""What the command line says of a service that is not verified."""

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
