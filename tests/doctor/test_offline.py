"""What is checked without a word to any service."""

import os
import socket

import pytest

from callsheet.cli.doctor.found import ok
from callsheet.cli.doctor.on_proxies import shown
from callsheet.cli.doctor.topics import guarded
from tests.servers.valkey import ValkeyServer

GOOD = """\
callsheet: 1
default_environment: dev
services:
  shop:
    base_url: "${SHOP_URL:-http://127.0.0.1:1}"
    auth: {bearer: "${SHOP_TOKEN}"}
    operations:
      get_item: {get: "/items/{id}", path: {id: integer}}
environments:
  dev: {}
  prod: {services: {shop: {headers: {X-Key: "${PROD_KEY}"}}}}
"""
PLAIN = "callsheet: 1\nservices:\n  shop:\n    base_url: http://127.0.0.1:1\n"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in ("SHOP_URL", "SHOP_TOKEN", "PROD_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_a_sheet_in_order(callsheet, sheet, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", "t0ps3cret")
    sheet(GOOD).chmod(0o600)
    ended = callsheet("doctor")
    assert ended.code == 0, ended.out
    assert ended.out.endswith("\neverything is in order\n")
    for line in ("callsheet.yaml, in the working directory", "dev, the sheet's default (of dev, prod)"):
        assert f"  ✓ {line}" in ended.out
    assert "t0ps3cret" not in ended.out + ended.err


def test_no_sheet_is_a_problem_and_the_rest_goes_on(doctor):
    report = doctor()
    assert report.code == 7
    assert len(report.problems) == 1
    assert "callsheet init" in report.of("sheet")[0]["advice"]
    assert report.of("versions")
    assert report.of("trusted authorities")
    assert report.of("proxy")


def test_a_sheet_that_cannot_be_opened(doctor):
    report = doctor("--file", "nowhere.yaml")
    assert report.code == 7
    assert "nowhere.yaml: no such file" in report.problems[0]


def test_a_broken_sheet_keeps_nothing_else_from_being_checked(doctor, sheet, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", "t")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    sheet(GOOD.replace("    auth:", "    retires: 3\n    timeout: soon\n    auth:"))
    report = doctor()
    assert report.code == 7
    first, second = report.of("sheet", "problem")
    assert "callsheet.yaml:6:5: unknown key `retires`" in first["text"]
    assert first["advice"] == "did you mean `retry`?"
    assert "callsheet.yaml:7:" in second["text"]
    assert report.texts("environment") == "dev, the sheet's default (of dev, prod)"
    assert "SHOP_TOKEN is set" in report.texts("variables")
    assert "https_proxy" in report.texts("proxy", "warning")
    assert report.of("trusted authorities")
    assert report.of("versions")


def test_what_is_no_yaml_still_tells_its_variables(doctor, sheet):
    sheet('callsheet: 1\nservices:\n  # "${IN_A_COMMENT}"\n  shop: {auth: {bearer: "${SHOP_TOKEN}"}\n')
    report = doctor()
    assert report.of("sheet", "problem")
    assert report.texts("variables") == "SHOP_TOKEN is not set (line 4)"
    assert report.texts("certificates of the sheet", "skipped") == "none could be read"
    assert report.texts("proxy") == "none in the environment"


@pytest.mark.parametrize("content", [b"", b"[1, 2]", b"\xff\xfe", b"callsheet: 1\nservices: {}\n", b"a: &a [*a]\n"])
def test_whatever_is_no_sheet_is_a_problem_of_the_sheet_alone(doctor, tmp_path, content):
    (tmp_path / "callsheet.yaml").write_bytes(content)
    report = doctor("--online")
    assert report.code == 7
    assert {each["topic"] for each in report.found if each["grade"] == "problem"} == {"sheet"}


def test_a_store_without_certificates(doctor, sheet, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(sheet(PLAIN)))
    assert "no certificate in it" in doctor().texts("trusted authorities", "problem")


def test_one_broken_service_leaves_the_others_compiled(doctor, sheet):
    sheet(
        "callsheet: 1\nservices:\n  bad:\n    base_url: http://127.0.0.1:1\n    retires: 3\n    operations: {a: {get: /}}\n"
        "  good:\n    base_url: http://127.0.0.1:1\n    operations: {a: {get: /, returns: 'nowhere:Type'}}\n"
    )
    report = doctor()
    assert "those of bad" in report.texts("operations", "skipped")
    assert "cannot import 'nowhere'" in report.texts("operations", "problem")


def test_code_of_the_sheet_that_breaks_is_a_problem_like_others(doctor, sheet, tmp_path):
    (tmp_path / "models.py").write_text("1 / 0\n")
    sheet(f"{PLAIN}    operations: {{a: {{get: /, returns: 'models:Thing'}}}}\n")
    report = doctor()
    assert "ZeroDivisionError" in report.texts("operations", "problem")
    assert report.of("store")


def test_the_environment_and_who_chose_it(doctor, sheet, monkeypatch):
    sheet(GOOD)
    assert doctor("--env", "prod").texts("environment") == "prod, named with --env (of dev, prod)"
    monkeypatch.setenv("CALLSHEET_ENV", "prod")
    assert "named by CALLSHEET_ENV" in doctor().texts("environment")
    monkeypatch.setenv("CALLSHEET_ENV", "production")
    report = doctor()
    assert report.code == 7
    assert "unknown environment `production`" in report.texts("sheet", "problem")
    assert report.texts("environment", "skipped").startswith("none of dev, prod is chosen")


def test_the_variables_are_those_of_the_environment(doctor, sheet):
    sheet(GOOD)
    assert "PROD_KEY" not in doctor().texts("variables")
    assert "PROD_KEY is not set" in doctor("--env", "prod").texts("variables", "problem")


def test_each_state_of_a_variable(doctor, sheet, monkeypatch, tmp_path):
    monkeypatch.setenv("SET", "v")
    monkeypatch.setenv("EMPTY", "")
    (tmp_path / "vars.env").write_text("FROM_FILE=v\nSET=other\n")
    (tmp_path / "vars.env").chmod(0o600)
    names = ("SET", "EMPTY", "UNSET", "FROM_FILE", "EMPTY_TOO:-d", "WANTED:?ask the admins")
    monkeypatch.setenv("EMPTY_TOO", "")
    fields = ", ".join(f'X-{number}: "${{{name}}}"' for number, name in enumerate(names))
    sheet(f"{PLAIN}    headers: {{{fields}}}\n")
    report = doctor("--env-file", "vars.env")
    found = {each["text"].split()[0]: (each["grade"], each["text"]) for each in report.of("variables")}
    assert found["SET"] == ("ok", "SET is set")
    assert found["EMPTY"] == ("problem", "EMPTY is empty (line 5)")
    assert found["UNSET"][0] == "problem"
    assert found["FROM_FILE"] == ("ok", "FROM_FILE is set, by vars.env")
    assert found["EMPTY_TOO"] == ("ok", "EMPTY_TOO is empty: the sheet's default holds")
    assert "ask the admins" in [each["advice"] for each in report.of("variables", "problem")]
    assert report.code == 7


def test_an_env_file_beside_the_sheet_that_was_not_read(doctor, sheet, tmp_path):
    sheet(GOOD)
    (tmp_path / ".env").write_text("SHOP_TOKEN=t\n")
    (tmp_path / ".env").chmod(0o644)
    told = doctor().texts("variables", "warning")
    assert "names SHOP_TOKEN and was not read" in told
    assert "others on this machine can read it (mode 0644)" in told
    assert doctor("--env-file", "nowhere.env").texts("variables", "problem").startswith("--env-file nowhere.env:")


@pytest.mark.parametrize(("mode", "grade"), [(0o600, "ok"), (0o640, "warning"), (0o644, "warning")])
def test_a_mounted_file(doctor, sheet, tmp_path, mode, grade):
    (tmp_path / "token").write_text("s3cret\n")
    (tmp_path / "token").chmod(mode)
    sheet(f'{PLAIN}    auth: {{bearer: "${{file:token}}"}}\n')
    (found,) = doctor().of("variables")
    assert found["grade"] == grade
    assert "the file token" in found["text"]


def test_a_mounted_file_that_is_not_there_or_empty(doctor, sheet, tmp_path):
    sheet(f'{PLAIN}    auth: {{bearer: "${{file:token}}"}}\n')
    assert "cannot be read" in doctor().texts("variables", "problem")
    (tmp_path / "token").write_text("\n")
    assert "is empty" in doctor().texts("variables", "problem")


def test_a_sheet_with_a_secret_that_others_can_read(doctor, sheet):
    path = sheet(f"{PLAIN}    auth: {{bearer: abcdefgh}}\n")
    path.chmod(0o644)
    (found,) = doctor().of("sheet", "warning")
    assert "others on this machine can read it (mode 0644)" in found["text"]
    assert "chmod 600 callsheet.yaml" in found["advice"]
    path.chmod(0o600)
    (found,) = doctor().of("sheet", "warning")
    assert "others" not in found["text"]


def test_the_extra_that_a_sheet_needs(sheet, monkeypatch):
    from callsheet.cli.doctor.examined import examined
    from callsheet.cli.doctor.on_machine import EXTRAS, check_versions
    from callsheet.cli.find_sheet import Wanted

    monkeypatch.setenv("KEY", "k" * 40)
    sheet(
        f'{PLAIN}    auth: {{jwt: {{algorithm: HS256, secret: "${{KEY}}"}}}}\nstores: {{limits: "valkey://a.example"}}\n'
    )
    found = examined(Wanted())
    assert not [each for each in check_versions(found) if each.grade == "problem"]
    without = EXTRAS | {"jwt": ("not_installed_anywhere",), "valkey": ("nor_this",)}
    advice = [each.advice for each in check_versions(found, without) if each.grade == "problem"]
    assert advice == ['pip install "callsheet[valkey]"', 'pip install "callsheet[jwt]"']


def test_proxy_variables_that_nobody_reads(doctor, sheet, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://ada:s3cret@proxy.example:3128")
    sheet(PLAIN)
    (found,) = doctor().of("proxy")
    assert found["grade"] == "warning"
    assert "http_proxy (http://***@proxy.example:3128)" in found["text"]
    assert "trust_env" in found["advice"]
    sheet(f"{PLAIN}    trust_env: true\n")
    assert doctor().texts("proxy") == "shop: through http://proxy.example:3128, by the environment"
    sheet(f"{PLAIN}    proxy: http://other.example:3128\n")
    assert doctor().texts("proxy") == "shop: through http://other.example:3128, by the sheet"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("http://ada:s3cret@proxy.example", "http://***@proxy.example"),
        ("ada:s3cret@proxy.example:1", "http://***@proxy.example:1"),
        ("http://ada:12/34@proxy.example:1", "not a URL"),
        ("http://ada:s3/cret@proxy.example:1", "not a URL"),
        ("http://[", "not a URL"),
    ],
)
def test_a_proxy_is_shown_without_its_password(url, told):
    assert shown(url) == told


def test_a_check_that_breaks_is_a_problem_and_no_more():
    def check():
        yield ok("so far")
        raise RuntimeError("s3cret")

    first, second = guarded(check)
    assert first.text == "so far"
    assert (second.grade, "RuntimeError in test_offline.py" in second.text) == ("problem", True)
    assert "s3cret" not in second.text


def test_the_store_on_this_machine_is_asked(doctor, sheet):
    with ValkeyServer(password="s3cret") as server:
        sheet(f'{PLAIN}stores: {{limits: "{server.url}"}}\n').chmod(0o600)
        (found,) = doctor().of("store")
        assert found["grade"] == "ok"
        assert f"valkey://127.0.0.1:{server.port} answers in" in found["text"]
        assert ": Valkey " in found["text"]
        sheet(f'{PLAIN}stores: {{limits: "{server.url.replace("s3cret", "wr0ng-one")}"}}\n')
        (found,) = doctor().of("store")
        assert found["grade"] == "problem"
        assert "wr0ng-one" not in str(found)


def test_a_store_that_is_down(doctor, sheet, refused_port):
    sheet(f'{PLAIN}stores: {{limits: "valkey://127.0.0.1:{refused_port.port}/0", on_failure: refuse}}\n')
    (found,) = doctor().of("store")
    assert found["grade"] == "problem"
    assert "no request is sent meanwhile" in found["advice"]


def test_the_store_of_the_cache_is_asked_too(doctor, sheet, refused_port):
    with ValkeyServer() as server:
        sheet(f'{PLAIN}stores: {{limits: "{server.url}", cache: "valkey://127.0.0.1:{refused_port.port}/0"}}\n')
        limits, cache = doctor().of("store")
    assert (limits["grade"], cache["grade"]) == ("ok", "problem")
    assert "the services are asked meanwhile" in cache["advice"]
    sheet(f'{PLAIN}stores: {{cache: "valkey://store.example:6379/0"}}\n')
    assert [found["grade"] for found in doctor().of("store")] == ["ok", "skipped"]


def test_a_store_elsewhere_is_left_alone(doctor, sheet):
    sheet(f'{PLAIN}stores: {{limits: "valkey://store.example:6379/0"}}\n')
    (found,) = doctor().of("store")
    assert found["grade"] == "skipped"
    assert "--online" in found["text"]


def test_nothing_is_sent_without_online(doctor, sheet):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sheet(PLAIN.replace("127.0.0.1:1", f"127.0.0.1:{listening.getsockname()[1]}"))
        report = doctor()
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()
    assert not [each for each in report.found if each["topic"].startswith("online")]


def test_an_unknown_service_is_a_usage_error(callsheet, sheet):
    sheet(PLAIN)
    ended = callsheet("doctor", "shp")
    assert ended.code == 2
    assert "did you mean `shop`?" in ended.err


@pytest.mark.parametrize("colour", [False, True])
def test_marks_are_coloured_on_a_terminal_only(callsheet, sheet, colour):
    sheet(PLAIN)
    ended = callsheet("doctor", terminal=colour, colour=colour)
    assert ("\x1b[32m✓\x1b[0m" in ended.out) is colour


@pytest.mark.skipif(os.name != "posix", reason="a mode is one of POSIX")
def test_a_file_that_cannot_steer_the_terminal(callsheet, sheet):
    sheet(f'{PLAIN}    headers: {{X: "${{file:a\\e[31m}}"}}\n')
    ended = callsheet("doctor", terminal=True)
    assert "\x1b" not in ended.out
