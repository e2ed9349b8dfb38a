"""`callsheet import curl`: where a secret stands twice, whose credential is whose, and that the suggested line works."""

import re
import shlex

import pytest

from tests.cli.conftest import spawn
from tests.servers.echo import EchoServer


def named(err):
    found = [line for line in err.splitlines() if line.startswith("callsheet: set ")]
    return found[0].removeprefix("callsheet: set ").split(";")[0].split(", ") if found else []


def tried(callsheet, err, variables, monkeypatch):
    """Run the suggested line as a shell would, with these variables set."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    words = shlex.split(err.splitlines()[-1].removeprefix("try: callsheet "))
    return callsheet(*[re.sub(r"\$\{(\w+)\}", lambda found: variables[found[1]], word) for word in words])


@pytest.fixture
def server():
    with EchoServer() as running:
        yield running


@pytest.mark.parametrize(
    ("secret", "command", "target"),
    [
        ("s3cret-password", "-u ada:{} {url}/basic-auth/ada/{}", "/basic-auth/ada/s3cret-password"),
        ("pw", "-u ada:{} {url}/x/{}", "/x/pw"),
        ("s3 cret/pass", "-u 'ada:{}' {url}/x/s3%20cret%2Fpass/y", "/x/s3%20cret%2Fpass/y"),
        ("to-ken", "-H 'Authorization: Bearer {}' '{url}/v/a-{}-b?q={}'", "/v/a-to-ken-b?q=to-ken"),
        ("k3y-of-ours", "-H 'X-Api-Key: {}' -H 'X-Trace: for {}' {url}/{}", "/k3y-of-ours"),
        ("k3y-of-ours", "'{url}/x/{}?api_key={}'", "/x/k3y-of-ours?api_key=k3y-of-ours"),
        ("pa55-w0rd", '-X POST --json \'{"password": "{}", "in": {"a": ["{}"]}}\' {url}/x/{}', "/x/pa55-w0rd"),
        ("pa55-w0rd", "-d 'name=ada&password={}' {url}/x/{}", "/x/pa55-w0rd"),
        ("pa55-w0rd", "-F name=ada -F password={} {url}/x/{}", "/x/pa55-w0rd"),
        ("T0KEN1234567890abcdef", "{url}/hooks/{}", "/hooks/T0KEN1234567890abcdef"),
    ],
)
def test_a_secret_stands_nowhere_and_is_sent_everywhere(
    callsheet, tmp_path, monkeypatch, server, secret, command, target
):
    ended = callsheet("import", "curl", "curl " + command.replace("{}", secret).replace("{url}", server.url))
    assert ended.code == 0, ended.err
    text = (tmp_path / "callsheet.yaml").read_text()
    assert secret not in (text + ended.err).replace("${PW}", "").replace("api_pw", "")
    (variable,) = named(ended.err)
    called = tried(callsheet, ended.err, {variable: secret}, monkeypatch)
    assert called.code == 0, called.err
    (request,) = server.requests
    assert request.target == target
    if "json" in command:
        assert request.body.count(secret.encode()) == 2


def test_two_values_have_two_variables_and_one_value_has_one(callsheet, tmp_path):
    command = "curl 'https://api.weather.test/x?api_key=first-key' -H 'X-Api-Key: second-key' -H 'X-Again: second-key'"
    ended = callsheet("import", "curl", command)
    text = (tmp_path / "callsheet.yaml").read_text()
    assert sorted(named(ended.err)) == ["WEATHER_API_KEY", "WEATHER_API_KEY_2"]
    assert (text.count('"${WEATHER_API_KEY}"'), text.count('"${WEATHER_API_KEY_2}"')) == (2, 1)


def test_a_variable_does_not_say_its_service_twice(callsheet):
    assert named(callsheet("import", "curl", "curl http://127.0.0.1/x -H 'X-API-Key: abc'").err) == ["API_KEY"]


def test_a_secret_in_the_host_name_is_refused(callsheet, tmp_path):
    ended = callsheet("import", "curl", "curl https://t0k3n.example.com/x -H 'Authorization: Bearer t0k3n'")
    assert (ended.code, "name of its host" in ended.err) == (2, True)
    assert not (tmp_path / "callsheet.yaml").exists()


def test_a_request_without_a_credential_stays_without(callsheet, monkeypatch, server):
    callsheet("import", "curl", f"curl -u ada:pw-of-ada {server.url}/mine")
    ended = callsheet("import", "curl", f"curl {server.url}/open")
    assert "the sheet needs API_PASSWORD too, which is not set" in ended.err
    called = tried(callsheet, ended.err, {"API_PASSWORD": "pw-of-ada"}, monkeypatch)
    assert called.code == 0, called.err
    (request,) = server.requests
    assert (request.target, request.header("authorization")) == ("/open", None)


def test_a_credential_beside_a_service_without_one_is_the_operations(callsheet, tmp_path, server):
    callsheet("import", "curl", f"curl {server.url}/open")
    callsheet("import", "curl", f"curl {server.url}/mine -H 'Authorization: Bearer abc-def'")
    text = (tmp_path / "callsheet.yaml").read_text()
    assert text.endswith('      get_mine:\n        get: /mine\n        auth: {bearer: "${API_TOKEN}"}\n')


def test_another_user_is_another_credential(callsheet, tmp_path, server):
    callsheet("import", "curl", f"curl -u ada:pw-of-ada {server.url}/a")
    ended = callsheet("import", "curl", f"curl -u bob:pw-of-bob {server.url}/b")
    assert '        auth: {basic: {username: bob, password: "${' in (tmp_path / "callsheet.yaml").read_text()
    assert "is used" not in ended.err


def test_a_variable_that_holds_the_value_is_taken(callsheet, tmp_path, monkeypatch):
    monkeypatch.setenv("OUR_TOKEN", "abc-def")
    (tmp_path / "callsheet.yaml").write_text(
        'callsheet: 1\nservices:\n  a:\n    base_url: http://a.test\n    auth: {bearer: "${OUR_TOKEN}"}\n'
    )
    ended = callsheet("import", "curl", "curl http://b.test/x -H 'Authorization: Bearer abc-def'")
    assert (tmp_path / "callsheet.yaml").read_text().count('{bearer: "${OUR_TOKEN}"}') == 2
    assert named(ended.err) == []


@pytest.mark.parametrize(
    "words",
    [
        ["curl", "curl", "http://a.test/x", "-H", "X-Team: ours", "-sSL"],
        ["curl", "curl", "-H", "X-Team: ours", "http://a.test/x", "--compressed"],
        ["curl http://a.test/x -H 'X-Team: ours'"],
        ["curl", "curl http://a.test/x -H 'X-Team: ours'"],
        ["--dry-run", "curl", "curl", "-H", "X-Team: ours", "a.test/x"],
    ],
)
def test_quotes_may_be_forgotten(callsheet, words):
    ended = callsheet("import", "--service", "a", *words)
    assert ended.code == 0, ended.err
    assert "try: callsheet call a.get_x" in ended.err


def test_where_the_quotes_are_needed_it_is_said(callsheet):
    ended = callsheet("import", "curl", "http://a.test/x", "-H", "X-Team: ours")
    assert ended.code == 2
    assert "quote the whole curl command" in ended.err


@pytest.mark.parametrize(
    ("command", "body"),
    [
        ('--json \'[1, {"a": "b c"}]\'', b'[1,{"a":"b c"}]'),
        ('--json \'{"at": "@home", "eq": "=1"}\'', b'{"at":"@home","eq":"=1"}'),
        ("-d 'a=%40home&b=1&b=x'", b"a=%40home&b=1&b=x"),
    ],
)
def test_the_suggested_line_sends_the_body_of_the_command(callsheet, monkeypatch, server, command, body):
    ended = callsheet("import", "curl", f"curl {server.url}/x {command}")
    called = tried(callsheet, ended.err, {}, monkeypatch)
    assert called.code == 0, called.err
    assert server.requests[0].body.replace(b", ", b",").replace(b": ", b":") == body


def test_a_sheet_elsewhere_is_named_in_the_suggested_line(callsheet):
    ended = callsheet("import", "curl", "curl http://a.test/x", "--file", "other sheet.yaml")
    assert ended.err.splitlines()[-1] == "try: callsheet call a.get_x --file 'other sheet.yaml'"


def test_it_works_as_a_process(tmp_path):
    ended = spawn("import", "curl", "curl", "http://a.test/x", "-H", "A: b", cwd=tmp_path)
    assert (ended.returncode, b"a.get_x is on callsheet.yaml" in ended.stderr) == (0, True)
