"""A secret is on no message, repr or warning, whatever else is wrong with the sheet."""

import logging
import pickle
import traceback

import pytest

from callsheet.errors import SheetError
from callsheet.secret import Secret
from callsheet.sheet import Sheet, secrets_in
from tests.sheet.sheets import HEAD, errors, parse, shop

CANARY = "cnry-5f1b9e"

PLACES = [
    "auth: {bearer: %s}",
    "auth: {basic: {username: u, password: %s}}",
    "auth: {basic: {username: %s, password: p}}",
    "auth: {api_key: {header: X-Key, value: %s}}",
    "headers: {Authorization: Bearer %s}",
    "headers: {X-Anything: %s}",
    "auth: |\n  %s",
    "auth: [%s]",
    "auth: %s",
    "auth:\n  bearer:\n    - %s",
    'auth: {bearer: "line one\n  %s"}',
    "auth:\n  bearer: >\n    folded\n    %s",
    "bearr: %s",
    "token: %s",
    "toekn: [a, {b: %s}]",
    "api-key: %s",
    "retry: {password: %s}",
    "auth: {jwt: {secret: %s}}",
    "auth: {oauth2: {client_secret: %s}}",
    "sign: {hmac: {key: %s}}",
    "tls: {key_password: %s}",
    "base_url: https://user:%s@shop.example",
    "base_url: https://shop.example?token=%s",
    "base_url: https://shop.example#%s",
    "operations: {op: {get: /x, header: {X-Key: {value: %s}}}}",
    "operations: {op: {get: /x, query: {k: {value: %s, secret: true}}}}",
    "operations: {op: {get: /x, headers: {X-Key: %s}}}",
]
WRONG = ["", "retires: 3", "timeout: soon", "headers: {a b: 1}", "auth: {nope: 1}"]
BROKEN = [
    "auth: {bearer: %s",
    "auth: {bearer: '%s",
    'auth: {bearer: "%s\\q"}',
    "auth: {bearer: @%s}",
    "auth: {bearer: *%s}",
    "auth: {bearer: &%s ]}",
    "auth: {bearer: !%s x}",
    "auth: {bearer: !!%s x}",
    "auth: {bearer: !%s!%s x}",
    "auth: {bearer: %s: x}",
    "auth:\n  bearer: %s: x",
    "auth:\n  bearer:\n   %s\n  - x",
    "headers:\n  X-Key: %s: x",
    "headers:\n  X-Key: a\n   %s\n : x",
    "auth: {bearer: %s}\nauth: {bearer: %s}",
    'auth: {"bearer":"%s", ]',
    "auth: {bearer: %s\x07}",
    "token: %s: x",
    "token: |x %s",
    "? [%s]\n: x",
    "auth: {bearer: {%s}}",
]


def everything_told(text: str, **given) -> str:
    """All that anybody could see of a sheet, good or bad."""
    try:
        sheet = Sheet.parse(text, name="s.yaml", **given)
    except SheetError as error:
        shown = [str(error), repr(error), repr(error.findings), str(error.__context__), str(error.__cause__)]
        shown += ["".join(traceback.format_exception(error)), repr(pickle.loads(pickle.dumps(error)).findings)]
        return "\n".join(shown)
    services = sheet.services.values()
    shown = [repr(sheet), str(sheet.warnings), repr(vars(sheet)), repr(list(services))]
    for service in services:
        shown += [repr(service.operations), repr(service.origins()), repr(service.secrets()), repr(service.settings())]
        shown += [repr(service.settings(name)) for name in service.operations]
    return "\n".join(shown)


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("place", PLACES)
def test_a_literal_at_a_secret_place(place, wrong):
    lines = f"{place % CANARY}\n{wrong}\n"
    text = HEAD.replace('    base_url: "https://shop.example"\n', "") if "base_url" in place else HEAD
    text += "".join(f"    {line}\n" for line in lines.splitlines())
    told = everything_told(text, variables={})
    if "X-Anything" in place and not wrong:
        return  # a plain header of a sheet that is right may be seen
    if place.startswith("operations: {op: {get: /x, header") and not wrong:
        return
    if "headers: {X-Key" in place and not wrong:
        return
    assert CANARY not in told
    assert len(told) > 20


@pytest.mark.parametrize("line", BROKEN)
def test_a_literal_in_what_is_not_yaml(line):
    text = HEAD + "".join(f"    {part}\n" for part in line.replace("%s", CANARY).splitlines())
    told = everything_told(text, variables={})
    assert "s.yaml:" in told
    assert CANARY not in told


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("place", [place for place in PLACES if "base_url" not in place])
def test_what_came_through_a_variable(place, wrong):
    quoted = (
        place % '"${CANARY_VARIABLE}"' if "\n" not in place and "Bearer" not in place else place % "${CANARY_VARIABLE}"
    )
    lines = f"{quoted}\n{wrong}\n"
    text = HEAD + "".join(f"    {line}\n" for line in lines.splitlines())
    assert CANARY not in everything_told(text, variables={"CANARY_VARIABLE": CANARY})


@pytest.mark.parametrize("key", ["timeout", "http2", "concurrency", "base_url", "description", "user_agent", "caps"])
def test_a_secret_that_was_named_by_mistake(key):
    text = f'callsheet: 1\nservices:\n  shop:\n    {key}: "${{V}}"\n'
    told = everything_told(text, variables={"V": f"\x01{CANARY}"})
    assert "s.yaml" in told
    assert CANARY not in told


def test_a_mounted_secret(tmp_path):
    (tmp_path / "token").write_text(CANARY)
    text = HEAD + '    auth: {bearer: "${file:token}"}\n    headers: {X-A: "${file:token}"}\n'
    assert CANARY not in everything_told(text, folder=tmp_path)
    assert CANARY not in everything_told(text + "    retires: 3\n", folder=tmp_path)


def test_the_environment_is_not_kept_where_it_is_shown():
    assert CANARY not in everything_told(HEAD, variables={"UNRELATED": CANARY})


@pytest.mark.parametrize(
    "line",
    [
        f"auth: {{bearer: {CANARY}}}",
        f"auth: {{basic: {{username: u, password: {CANARY}}}}}",
        f"auth: {{basic: {{username: {CANARY}, password: ''}}}}",
        f"auth: {{basic: {{username: {CANARY}}}}}",
        f"auth: {{basic: {{username: '', password: {CANARY}}}}}",
        f"auth: {{api_key: {{header: X-Key, value: {CANARY}}}}}",
        f"headers: {{Authorization: Bearer {CANARY}}}",
        f"headers: {{X-Api-Key: {CANARY}}}",
        f"operations: {{op: {{get: /x, query: {{k: {{value: {CANARY}, secret: true}}}}}}}}",
    ],
)
def test_a_literal_secret_is_a_warning_and_still_a_secret(line):
    sheet = parse(HEAD + f"    {line}\n")
    assert [finding.message.endswith("a secret written out on the sheet") for finding in sheet.warnings] == [True]
    assert "write `${NAME}` and set the variable" in str(sheet.warnings[0])
    assert any(CANARY in secret.reveal() for secret in sheet.services["shop"].secrets())


def test_a_variable_is_no_warning():
    sheet = parse(HEAD + '    auth: {bearer: "${A}"}\n    headers: {Cookie: "a=${A}"}\n', variables={"A": CANARY})
    assert sheet.warnings == ()


def test_secrets_of_settings_given_in_code():
    settings = shop().settings(None, {"headers": {"X-A": Secret(CANARY)}, "auth": {"bearer": Secret("other")}})
    assert set(secrets_in(settings)) == {Secret(CANARY), Secret("other")}


def test_nothing_is_logged(caplog):
    with caplog.at_level(logging.DEBUG):
        everything_told(HEAD + f"    auth: {{bearer: {CANARY}}}\n    retires: 3\n")
    assert caplog.text == ""


SHOWN = {
    "operations: {x: {post: /x, form: {password: {type: strin}}}}": "form: {password: {type: strin}}",
    "operations: {x: {get: /x, query: {token: {type: strin}}}}": "query: {token: {type: strin}}",
    "operations: {x: {get: /x, json: {properties: {secret: {type: strin}}}}}": "properties: {secret: {type: strin}}",
    "operations: {password: {get: x}}": "password: {get: x}",
    "operations: {auth: {get: x}}": "auth: {get: x}",
    "operations: {headers: {get: /x, query: {a: strin}}}": "headers: {get: /x, query: {a: strin}}",
    "operations: {x: {gett: /x}}": "x: {gett: /x}",
    "operations: {x: {GETT: /users}}": "x: {GETT: /users}",
    "operations:\n  x:\n    headers:\n      A: b\n     get: /x": "get: /x",
}


@pytest.mark.parametrize("lines", SHOWN)
def test_a_typo_hides_no_keyword_and_no_path(lines):
    assert SHOWN[lines] in errors(shop, lines)
    assert "get: ***" not in errors(shop, lines)


@pytest.mark.parametrize(
    "lines",
    [
        f"operations: {{x: {{gett: {CANARY}}}}}",
        f"operations: {{auth: {CANARY}}}",
        f"operations: {{auth: {{bearer: {CANARY}, get: x}}}}",
        f"operations: {{headers: {{X-Foo: {CANARY}, get: x}}}}",
        f"operations: {{x: {{get: x, auth: {{get: {CANARY}}}}}}}",
        f"operations: {{x: {{get: x, query: {{token: {{value: {CANARY}}}}}}}}}",
        f"auth: {{bearer: {{{CANARY}}}}}",
        f"auth: {{get: {CANARY}}}",
        f"operations:\n  x:\n    headers:\n      A: b\n     get: {CANARY}",
    ],
)
def test_a_typo_shows_no_secret(lines):
    assert CANARY not in errors(shop, lines)
