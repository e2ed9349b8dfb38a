"""`--online`: one harmless request for each service, its phases, and the server's clock beside ours."""

import io
import json
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from callsheet.cli.doctor.clock_skew import Skew, of_skew, skew_of
from callsheet.cli.doctor.reach import bounded, probe_of
from callsheet.cli.run import run
from callsheet.cli.screen import Screen
from callsheet.settings import Settings
from callsheet.settings.settings import AuthSettings, SignSettings
from tests.servers import ScriptedServer
from tests.servers.actions import answer, close, raw, silence
from tests.servers.certificates import silent_in_handshake
from tests.servers.proxies import HttpProxy

SHEET = "callsheet: 1\nservices:\n  shop:\n    base_url: {url}\n"
TOPIC = "online: shop"


def dated(seconds):
    """An answer whose Date is so many seconds from now."""
    return answer(200, {"Date": format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)})


@pytest.mark.parametrize("status", [200, 204, 401, 404, 405])
def test_any_answer_shows_that_it_is_there(doctor, sheet, status):
    with ScriptedServer(answer(status)) as server:
        sheet(SHEET.format(url=server.url))
        report = doctor("--online")
    assert report.code == 0, report.problems
    found = next(each for each in report.of(TOPIC) if "status" in each)
    assert found["status"] == status
    assert found["first_byte_at_ms"] > 0
    (request,) = server.requests
    assert (request.method, request.body) == ("HEAD", b"")
    assert report.of(TOPIC)[0]["addresses"] == ["127.0.0.1"]


def test_a_service_that_fails_is_a_warning_and_is_asked_once(doctor, sheet):
    with ScriptedServer(answer(503)) as server:
        sheet(SHEET.format(url=server.url) + "    retry: {attempts: 5, methods: [HEAD, GET]}\n")
        report = doctor("--online")
    assert report.code == 0
    assert "503" in report.texts(TOPIC, "warning")
    assert len(server.requests) == 1


def test_a_redirect_is_an_answer_and_is_not_followed(doctor, sheet):
    with ScriptedServer(answer(302, {"Location": "/elsewhere"})) as server:
        sheet(SHEET.format(url=server.url) + "    redirects: {max: 5}\n")
        report = doctor("--online")
    assert report.code == 0, report.problems
    assert len(server.requests) == 1


def test_settings_of_the_sheet_hold(doctor, sheet, monkeypatch):
    monkeypatch.setenv("TOKEN", "t0ps3cret")
    with ScriptedServer(answer(200)) as server:
        sheet(SHEET.format(url=f"{server.url}/v1") + '    auth: {bearer: "${TOKEN}"}\n    headers: {X-Tenant: a}\n')
        doctor("--online")
    (request,) = server.requests
    assert request.target == "/v1/"
    assert request.header("Authorization") == "Bearer t0ps3cret"
    assert request.header("X-Tenant") == "a"


def test_a_credential_that_has_to_be_fetched_is_left_out():
    fetched = Settings("http://a", auth=AuthSettings("fetched_by_post", {}))
    code, note = probe_of(fetched)
    assert code["auth"] == "off"
    assert "without its credential" in note
    assert "auth" not in probe_of(Settings("http://a", auth=AuthSettings("bearer", {})))[0]
    # What signs for AWS may ask a token service, or run a program.
    assert probe_of(Settings("http://a", sign=SignSettings("aws", {})))[0]["sign"] == "off"


@pytest.mark.parametrize(
    ("seconds", "grade", "told"),
    [(0, "ok", "agree"), (-100, "warning", "ahead of"), (100, "warning", "behind"), (3600, "problem", "behind")],
)
def test_the_clock_beside_the_servers(doctor, sheet, seconds, grade, told):
    with ScriptedServer(dated(seconds)) as server:
        sheet(SHEET.format(url=server.url))
        report = doctor("--online")
    assert told in report.texts(TOPIC, grade)
    assert report.code == (7 if grade == "problem" else 0)


NOW = 1_767_225_600.0  # Thu, 01 Jan 2026 00:00:00 GMT


@pytest.mark.parametrize(
    ("ours", "grade"),
    [(0.0, "ok"), (0.9, "ok"), (25.0, "ok"), (-25.0, "ok"), (35.0, "warning"), (-290.0, "warning"), (400.0, "problem")],
)
def test_a_skew_counts_as_far_as_it_is_certain(ours, grade):
    date = "Thu, 01 Jan 2026 00:00:00 GMT"
    assert of_skew(skew_of(date, NOW + ours, NOW + ours)).grade == grade
    # A slow answer may have been dated at any moment meanwhile.
    assert of_skew(skew_of(date, NOW + ours - 400, NOW + ours + 400)).grade == "ok"


@pytest.mark.parametrize(
    "date", [None, "", "yesterday", "Thu, 01 Jan 99999999999 00:00:00 GMT", "Thu, 99 Jan 2026 00:00:00 GMT"]
)
def test_a_date_that_cannot_be_read(date):
    assert of_skew(skew_of(date, NOW, NOW)).grade == "skipped"


def test_a_date_without_a_zone_is_one_of_utc():
    assert skew_of("Thu, 01 Jan 2026 00:00:00", NOW + 1, NOW + 1) == Skew(0.5, 0.5)


def test_a_good_certificate(doctor, sheet, certificates):
    with ScriptedServer(answer(200), tls=certificates.good()) as server:
        sheet(SHEET.format(url=server.url) + f"    tls: {{ca: '{certificates.ca_file}'}}\n")
        report = doctor("--online")
    found = next(each for each in report.of(TOPIC) if "issuer" in each)
    assert found["grade"] == "ok"
    assert found["tls"] == "TLSv1.3"
    assert "accepted" in found["text"]
    answered = next(each for each in report.of(TOPIC) if "status" in each)
    assert answered["secured_at_ms"] >= answered["connected_at_ms"] > 0


@pytest.mark.parametrize(
    ("kind", "request_told", "certificate_told"),
    [("expired", "has expired", "expired on"), ("untrusted", "not signed by a trusted authority", "valid until")],
)
def test_a_certificate_that_is_refused(doctor, sheet, certificates, kind, request_told, certificate_told):
    with ScriptedServer(answer(200), tls=getattr(certificates, kind)()) as server:
        sheet(SHEET.format(url=server.url) + f"    tls: {{ca: '{certificates.ca_file}'}}\n")
        report = doctor("--online")
    assert report.code == 7
    assert request_told in report.texts(TOPIC, "problem")
    assert certificate_told in report.texts(TOPIC)
    assert "accepted" not in report.texts(TOPIC)
    assert not server.requests


def test_the_client_certificate_is_presented(doctor, sheet, certificates, tmp_path):
    import ssl

    files = certificates.client(tmp_path, until=90)
    with ScriptedServer(answer(200), tls=certificates.client_required(ssl.TLSVersion.TLSv1_2)) as server:
        tls = f"{{ca: '{certificates.ca_file}', cert: client.pem, key: client.key}}"
        sheet(SHEET.format(url=server.url) + f"    tls: {tls}\n")
        report = doctor("--online")
    assert report.code == 0, report.problems
    assert set(server.ledger.clients) == {files.serial}
    assert [each for each in report.of(TOPIC, "ok") if "issuer" in each]


def test_the_client_certificate_is_not_presented_to_who_was_refused(doctor, sheet, certificates, tmp_path):
    import ssl

    certificates.client(tmp_path, until=90)
    context = certificates.self_signed()
    certificates._ca.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    with ScriptedServer(answer(200), tls=context) as server:
        tls = f"{{ca: '{certificates.ca_file}', cert: client.pem, key: client.key}}"
        sheet(SHEET.format(url=server.url.replace("127.0.0.1", "localhost")) + f"    tls: {tls}\n")
        report = doctor("--online")
    assert report.code == 7
    # libcurl has shown it in the handshake that it then refused; the look at the server's certificate does not.
    assert [client is None for client in server.ledger.clients].count(True) == 1
    assert len(server.ledger.clients) == 2
    assert "TLSError" in report.texts(TOPIC, "problem")


def test_a_refused_connection(doctor, sheet, refused_port):
    sheet(SHEET.format(url=f"http://127.0.0.1:{refused_port.port}"))
    report = doctor("--online")
    assert report.code == 7
    assert "NotSent" in report.texts(TOPIC, "problem")


@pytest.mark.parametrize("action", [close(), silence()], ids=["closed", "silent"])
def test_no_answer(doctor, sheet, action):
    with ScriptedServer(action) as server:
        sheet(SHEET.format(url=server.url) + "    timeout: {attempt: 300ms}\n")
        report = doctor("--online")
    assert report.code == 7
    assert len(server.requests) == 1


def test_a_host_without_an_address(doctor, sheet):
    sheet(SHEET.format(url="http://nowhere.invalid"))
    assert "DNS: nowhere.invalid" in doctor("--online").texts(TOPIC, "problem")


def test_a_proxy_takes_it_there(doctor, sheet):
    with ScriptedServer(answer(200)) as server, HttpProxy("ada:s3cret") as proxy:
        sheet(SHEET.format(url=server.url) + f'    proxy: "{proxy.url.replace("http://", "http://ada:s3cret@")}"\n')
        report = doctor("--online")
    assert len(proxy.requests) == 1
    assert report.code == 0, report.problems
    assert not [each for each in report.of(TOPIC) if "addresses" in each]
    assert "s3cret" not in json.dumps(report.data)


def test_services_by_name_and_several_at_once(doctor, sheet):
    with ScriptedServer(answer(200)) as server, ScriptedServer(answer(200)) as other:
        sheet(SHEET.format(url=server.url) + f"  bank:\n    base_url: {other.url}\n")
        report = doctor("bank", "--online")
        assert (len(server.requests), len(other.requests)) == (0, 1)
        assert not report.of(TOPIC)
        report = doctor("--online")
        assert (len(server.requests), len(other.requests)) == (1, 2)
    assert report.of(TOPIC)
    assert report.of("online: bank")


def test_a_service_that_is_broken_is_not_asked_and_the_others_are(doctor, sheet):
    with ScriptedServer(answer(200)) as server, ScriptedServer(answer(200)) as other:
        sheet(SHEET.format(url=server.url) + f"    proxy: nonsense\n  bank:\n    base_url: {other.url}\n")
        report = doctor("--online")
    assert report.texts(TOPIC, "skipped")
    assert (len(server.requests), len(other.requests)) == (0, 1)


def test_what_all_share_and_is_broken_keeps_all_from_being_asked(doctor, sheet):
    with ScriptedServer(answer(200)) as server:
        sheet(SHEET.format(url=server.url) + "defaults: {tls: {min_version: '1.9'}}\n")
        report = doctor("--online")
    assert report.texts(TOPIC, "skipped")
    assert not server.requests


def test_what_stands_on_one_line_is_broken_together(doctor, sheet):
    with ScriptedServer(answer(200)) as server:
        one = f"{{base_url: '{server.url}', retires: 3}}"
        sheet(f"callsheet: 1\nservices: {{shop: {one}, bank: {{base_url: '{server.url}'}}}}\n")
        report = doctor("--online")
    assert report.texts(TOPIC, "skipped")
    assert not server.requests


def test_whatever_hangs_is_left_behind():
    asked = threading.Event()
    with pytest.raises(TimeoutError):
        bounded(asked.wait, 0.001)
    asked.set()
    assert bounded(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        bounded(lambda: 1 / 0)


CANARY = "canary-0123456789"
SECRETS = """\
callsheet: 1
services:
  bearer: {{base_url: "{url}", auth: {{bearer: "${{CANARY}}"}}, headers: {{X-Secret: "${{CANARY}}"}}}}
  basic: {{base_url: "{url}", auth: {{basic: {{username: ada, password: "${{CANARY}}"}}}}}}
  key: {{base_url: "{url}", auth: {{api_key: {{query: key, value: "${{CANARY}}"}}}}}}
  mounted: {{base_url: "{url}", auth: {{bearer: "${{file:token}}"}}}}
  literal: {{base_url: "{url}", auth: {{bearer: {canary}}}}}
  proxied: {{base_url: "{url}", proxy: "http://ada:{canary}@127.0.0.1:1"}}
  sealed: {{base_url: "{url}", tls: {{cert: client.pem, key: client.key, key_password: "${{CANARY}}"}}}}
stores: {{limits: "valkey://:{canary}@127.0.0.1:1/0"}}
"""


@pytest.mark.parametrize("broken", ["", "  wrong: {{base_url: 'http://a', retires: {canary}}}\n"])
def test_no_canary_is_shown(callsheet, sheet, certificates, tmp_path, monkeypatch, broken):
    monkeypatch.setenv("CANARY", CANARY)
    monkeypatch.setenv("HTTP_PROXY", f"http://ada:{CANARY}@proxy.example:3128")
    monkeypatch.setenv("ALL_PROXY", f"http://ada:{CANARY}/x@proxy.example:3128")
    (tmp_path / "token").write_text(CANARY)
    (tmp_path / "more.env").write_text(f"OTHER={CANARY}\n{CANARY}\n")
    certificates.client(tmp_path, password=CANARY)
    told = raw(f"HTTP/1.1 401 {CANARY}\r\nX-Echo: {CANARY}\r\nContent-Length: 0\r\n\r\n".encode())
    with ScriptedServer(told) as server:
        text = SECRETS.replace("stores:", f"{broken}stores:").format(url=server.url, canary=CANARY)
        sheet(text)
        for words in (["--online"], ["--online", "--json"], [], ["--env-file", "more.env"]):
            ended = callsheet("doctor", *words)
            assert ended.code == 7
            assert CANARY not in ended.out + ended.err
    assert len(server.requests) >= 10


def test_a_server_that_is_silent_in_the_handshake_ends(doctor, sheet):
    with silent_in_handshake() as server:
        sheet(SHEET.format(url=server.url) + "    timeout: {connect: 200ms}\n")
        report = doctor("--online")
    assert report.code == 7
    assert "ConnectTimeout" in report.texts(TOPIC, "problem")


def test_the_sheet_of_the_practice_api(callsheet):
    from callsheet.practice import SHEET as PRACTICE
    from callsheet.practice import PracticeServer

    with PracticeServer() as server:
        (Path.cwd() / "more.env").write_text(f"PRACTICE_URL={server.url}\n")
        (Path.cwd() / "more.env").chmod(0o600)
        ended = callsheet("doctor", "--file", PRACTICE, "--env-file", "more.env", "--online")
    assert ended.code == 0, ended.out


@pytest.mark.parametrize("is_terminal", [True, False])
def test_whoever_waits_at_a_terminal_sees_how_far_it_is(sheet, is_terminal):
    out, err = io.BytesIO(), io.StringIO()
    with ScriptedServer(answer(200)) as server:
        sheet(SHEET.format(url=server.url) + f"  bank:\n    base_url: {server.url}\n")
        code = run(["doctor", "--online"], Screen(out, err, errors_are_terminal=is_terminal))
    assert code == 0
    assert ("asking the services: 1 of 2" in err.getvalue()) is is_terminal
    assert err.getvalue().endswith("\r\x1b[K" if is_terminal else "")
    assert b"asking" not in out.getvalue()
