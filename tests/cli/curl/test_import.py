"""`callsheet import curl`: the sheet passes `callsheet check`, says the same request, and holds no secret."""

import io
import json
import shlex

import pytest

from callsheet.cli.curl.command_line import read_curl
from callsheet.errors import ArgumentError
from tests.servers.echo import EchoServer

CANARY = "canary-9f8e7d6c5b4a"


def variables_named(err):
    found = [line for line in err.splitlines() if line.startswith("callsheet: set ")]
    return found[0].removeprefix("callsheet: set ").split(";")[0].split(", ") if found else []


@pytest.mark.parametrize(
    "command",
    [
        "curl {url}/users",
        "curl -H 'Authorization: Bearer CANARY' '{url}/users?status=active&page=2'",
        "curl -u ada:CANARY {url}/users",
        "curl -u CANARY: {url}/users",
        "curl -u :CANARY {url}/users",
        "curl -H 'Authorization: Basic YWRhOkNBTkFSWQ==' {url}/users",
        "curl -H 'Authorization: token CANARY' -H 'Accept: application/vnd.github+json' {url}/users",
        "curl -H 'X-API-Key: CANARY' -H 'X-Other-Token: CANARY2' {url}/users",
        "curl '{url}/users?api_key=CANARY&q=a%20b'",
        "curl '{url}/users?token=CANARY&access_token=CANARY2'",
        "curl -b 'session=CANARY; theme=dark' {url}/users",
        "curl -H 'X-Custom: CANARY-1234567890abcdefgh' {url}/users",
        "curl --oauth2-bearer CANARY {url}/users",
        "curl {url}/hooks/T0000/CANARY1234567890abcdef",
        'curl -XPOST {url}/users -H \'Content-Type: application/json\' -d \'{{"name": "Ada", "age": 36}}\'',
        'curl {url}/users --json \'{{"password": "CANARY"}}\' -sSL --compressed -k',
        "curl -X PUT {url}/rows --data-raw '[1, 2]'",
        "curl -G {url}/search -d q=one --data-urlencode 'r=two words'",
        "curl -I {url}/users -A agent/1 -e https://example.com/ -m 5",
        "curl {url}/login -d user=ada -d password=CANARY -d remember=true",
        "curl {url}/login --data-urlencode 'note=a b&c' --data-urlencode api_key=CANARY",
        "curl {url}/photos -F title=Me -F token=CANARY -F 'photo=@me.png;type=image/png'",
        "curl {url}/rows -H 'Content-Type: text/csv' --data-binary @rows.csv",
        "curl {url}/rows -H 'Content-Type: text/csv' -d key-CANARY1234567890abcdef",
        "curl -T backup.tar {url}/backup",
    ],
)
def test_what_is_imported_checks_and_hides_its_secrets(callsheet, tmp_path, monkeypatch, command):
    with EchoServer() as server:
        command = command.replace("{url}", server.url).replace("{{", "{").replace("}}", "}").replace("CANARY", CANARY)
        ended = callsheet("import", "curl", command)
        assert ended.code == 0, ended.err
        text = (tmp_path / "callsheet.yaml").read_text()
        assert CANARY not in text + ended.out + ended.err
        for number, name in enumerate(variables_named(ended.err)):
            monkeypatch.setenv(name, f"value-of-{number}")
        checked = callsheet("check")
        assert (checked.code, checked.out) == (0, "")
        target = json.loads(callsheet("list", "-o", "json").out)[0]["operation"]
        assert ended.err.splitlines()[-1].startswith(f"try: callsheet call api.{target}")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("-d a=1 -d b=x -d b=y --data-urlencode 'c=d e&f'", b"a=1&b=x&b=y&c=d+e%26f"),
        ("--data-raw 'card%5Bnumber%5D=42&q='", b"card%5Bnumber%5D=42&q="),
        ("-H 'Content-Type: text/csv' --data-binary @rows.csv", b"1,2\n"),
        ("-H 'Content-Type: text/plain' -d hello", b"hello"),
        ("-T rows.csv", b"1,2\n"),
        (
            "-F 'title=a;b' -F 'file=@rows.csv;type=text/x;filename=\"q r.csv\"' --form-string n=7",
            (
                b'--B\r\nContent-Disposition: form-data; name="title"\r\n\r\na;b\r\n'
                b'--B\r\nContent-Disposition: form-data; name="n"\r\n\r\n7\r\n'
                b'--B\r\nContent-Disposition: form-data; name="file"; filename="q r.csv"\r\n'
                b"Content-Type: text/x\r\n\r\n1,2\n\r\n--B--\r\n"
            ),
        ),
    ],
)
def test_an_imported_body_is_sent_as_it_was(callsheet, sheet, command, expected):
    sheet("1,2\n", "rows.csv")
    with EchoServer() as server:
        ended = callsheet("import", "curl", f"curl {server.url}/x {command}")
        assert ended.code == 0, ended.err
        called = callsheet(*shlex.split(ended.err.splitlines()[-1].removeprefix("try: callsheet ")))
        assert called.code == 0, called.err
        (request,) = server.requests
    boundary = (request.header("content-type") or "").partition("; boundary=")[2].encode()
    assert (request.body.replace(boundary, b"B") if boundary else request.body) == expected
    assert request.method == ("PUT" if command.startswith("-T") else "POST")


def test_the_imported_operation_sends_the_same_request(callsheet, monkeypatch):
    with EchoServer() as server:
        command = (
            f"curl '{server.url}/v1/users?q=a%20b&tag=x&tag=y' -H 'Authorization: Bearer {CANARY}' -H 'X-Team: ours'"
            ' --json \'{"name": "Ada", "age": 36}\''
        )
        ended = callsheet("import", "curl", command)
        assert variables_named(ended.err) == ["API_TOKEN"]
        monkeypatch.setenv("API_TOKEN", CANARY)
        words = ended.err.splitlines()[-1].removeprefix("try: callsheet ")
        called = callsheet(*shlex.split(words))
        assert called.code == 0, called.err
        (request,) = server.requests
    assert request.target == "/v1/users?q=a%20b&tag=x&tag=y"
    assert request.header("authorization") == f"Bearer {CANARY}"
    assert request.header("x-team") == "ours"
    assert json.loads(request.body) == {"name": "Ada", "age": 36}


SHEET = """\
# Ours.
callsheet: 1   # format

services:
  shop:            # the shop
    base_url: "https://shop.example.com/v1"
    auth: {bearer: "${SHOP_TOKEN}"}
    operations:
      # the first one
      get_user:
        get: /users/{id}
        path: {id: integer}   # a number
      # after the last one

  # before the bank
  bank:
    base_url: https://bank.example.com

# at the end
environments:
  dev: {}
default_environment: dev
"""


def lines_added(before, after):
    """The lines that are new; those that were there must stand in the same order."""
    rest, new = iter(before.splitlines()), []
    expected = next(rest, None)
    for line in after.splitlines():
        if line == expected:
            expected = next(rest, None)
        else:
            new.append(line)
    assert expected is None, f"lost: {expected}"
    return new


@pytest.fixture
def importing(callsheet, sheet, tmp_path, monkeypatch):
    """Import into SHEET; the lines that were added."""
    monkeypatch.setenv("SHOP_TOKEN", "a-token-of-the-shop")

    def run(*arguments, text=SHEET):
        sheet(text)
        ended = callsheet("import", "curl", *arguments)
        assert ended.code == 0, ended.err
        assert callsheet("check").code == 0, callsheet("check").out
        return lines_added(text, (tmp_path / "callsheet.yaml").read_text()), ended.err

    return run


def test_an_operation_joins_the_service_of_its_url(importing):
    new, err = importing(f"curl https://shop.example.com/v1/items -H 'Authorization: Bearer {CANARY}'")
    assert new == ["      get_items:", "        get: /items"]
    assert "the auth of service `shop` is used" in err


def test_another_kind_of_credential_stands_at_the_operation(importing, monkeypatch):
    monkeypatch.setenv("SHOP_PASSWORD", "pw")
    new, _ = importing(f"curl https://shop.example.com/v1/items -u ada:{CANARY}")
    assert '        auth: {basic: {username: ada, password: "${SHOP_PASSWORD}"}}' in new


@pytest.mark.parametrize(
    ("user", "written"),
    [
        (f"{CANARY}:", '{username: "${SHOP_API_KEY}"}'),
        (f":{CANARY}", '{username: "", password: "${SHOP_PASSWORD}"}'),
    ],
)
def test_a_user_without_name_or_password(importing, monkeypatch, user, written):
    monkeypatch.setenv("SHOP_PASSWORD", CANARY if user.startswith(":") else "pw")
    monkeypatch.setenv("SHOP_API_KEY", CANARY)
    new, _ = importing(f"curl https://shop.example.com/v1/items -u {user}")
    assert f"        auth: {{basic: {written}}}" in new


def test_a_service_without_operations_gets_its_first(importing):
    new, _ = importing("curl -X DELETE https://bank.example.com/cards/7")
    assert new == ["    operations:", "      delete_cards_7:", "        delete: /cards/7"]


def test_another_url_becomes_another_service(importing):
    new, _ = importing("--path-parameters", "curl https://api.github.com/users/7/repos")
    assert new == [
        "  github:", "    base_url: https://api.github.com", "    operations:", "      get_users_repos:",
        '        get: "/users/{id}/repos"', "        path:", "          id: integer", "",
    ]  # fmt: skip


def test_a_name_that_is_taken_is_numbered(importing):
    new, err = importing("curl https://shop.example.com/v1/user", "--operation", "get_user")
    assert new == ["      get_user_2:", "        get: /user", "        auth: off"]
    assert "shop.get_user_2 is on callsheet.yaml" in err


def test_line_breaks_of_windows_stay(importing, tmp_path):
    importing("curl https://bank.example.com/x", text=SHEET)
    text = SHEET.replace("\n", "\r\n")
    (tmp_path / "callsheet.yaml").write_bytes(text.encode())


def test_a_sheet_in_braces_is_left_as_it_is(callsheet, sheet):
    path = sheet('callsheet: 1\nservices: {shop: {base_url: "http://x"}}\n')
    before = path.read_text()
    ended = callsheet("import", "curl", "curl https://a.example.com/x")
    assert ended.code == 2
    assert "is left as it is" in ended.err
    assert "base_url: https://a.example.com" in ended.out
    assert path.read_text() == before


def test_dry_run_writes_nothing(callsheet, tmp_path):
    ended = callsheet("import", "curl", "--dry-run", "curl https://a.example.com/x")
    assert "get: /x" in ended.out
    assert not (tmp_path / "callsheet.yaml").exists()


def test_the_command_may_come_from_stdin(callsheet, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "sys.stdin", io.StringIO("curl 'https://a.example.com/x' \\\n  -H 'accept: text/plain' \\\n --compressed\n")
    )
    assert callsheet("import", "curl").code == 0
    assert 'accept: "text/plain"' in (tmp_path / "callsheet.yaml").read_text()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("curl", "names no URL"),
        ("curl https://a.example/ https://b.example/", "two URLs"),
        ("curl ftp://a.example/", "expected http:// or https://"),
        ("curl -F file=@x -d a=b https://a.example/", "bodies of two kinds"),
        ("curl -F file https://a.example/", "expected NAME=CONTENT"),
        ("curl -F 'note=<x' https://a.example/", "the text is in a file"),
        ("curl -d words https://a.example/", "neither JSON nor a form; name its type"),
        ("curl -d 'a: b' -H 'Content-Type: application/json' https://a.example/", "is not JSON"),
        ("curl --data-urlencode a@x https://a.example/", "the body is in a file"),
        ("curl -d @body.json https://a.example/", "the body is in a file"),
        ("curl -b jar.txt https://a.example/", "a file of cookies is not read"),
        ("curl --made-up https://a.example/", "--made-up: not known here"),
        ("curl 'https://a.example/", "check its quotes"),
        ("curl https://a.example/ -H", "expected a value after it"),
    ],
)
def test_what_cannot_be_said_on_a_sheet_is_refused(callsheet, tmp_path, command, message):
    ended = callsheet("import", "curl", command)
    assert (ended.code, message in ended.err) == (2, True), ended.err
    assert not (tmp_path / "callsheet.yaml").exists()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("curl a.example/x", ("GET", "http://a.example/x", [])),
        ("curl -sSLXPATCH https://a.example/", ("PATCH", "https://a.example/", [])),
        ("curl -H'A: b' -H 'C;' https://a.example/", ("GET", "https://a.example/", [("A", "b"), ("C", "")])),
        ("curl -o out.txt -w '%{http_code}' https://a.example/", ("GET", "https://a.example/", [])),
        (r"curl https://a.example/ -H $'X: it\'s'", ("GET", "https://a.example/", [("X", "it's")])),
    ],
)
def test_how_a_command_is_read(command, expected):
    request = read_curl(command)
    assert (request.method, request.url, request.headers) == expected


def test_errors_of_reading_show_no_value():
    with pytest.raises(ArgumentError) as raised:
        read_curl(f"curl https://a.example/ --json token={CANARY}")
    assert CANARY not in str(raised.value)
