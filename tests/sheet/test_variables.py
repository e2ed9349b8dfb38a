"""`${...}`: what it is replaced by, where, and what is told when it cannot be."""

import pytest

from callsheet.secret import Secret
from callsheet.sheet.words.operation import MISSING
from tests.sheet.sheets import HEAD, errors, operation, parse, shop

FILLED = [
    ("${A}", "one"),
    ("x-${A}-y", "x-one-y"),
    ("${A}${B}", "onetwo"),
    ("${NONE:-default}", "default"),
    ("${EMPTY:-default}", "default"),
    ("${A:-default}", "one"),
    ("${A:?needed}", "one"),
    ("${NONE:-a:-b}", "a:-b"),
    ("$${A}", "${A}"),
    ("$$${A}", "$${A}"),
    ("$A $ $$ {A}", "$A $ $$ {A}"),
    ("${A}$${B}", "one${B}"),
]


@pytest.mark.parametrize(("written", "text"), FILLED)
def test_texts(written, text):
    service = shop(f'description: "{written}"', variables={"A": "one", "B": "two", "EMPTY": ""})
    assert service.description == text


def test_a_value_is_substituted_once_only():
    assert shop('description: "${A}"', variables={"A": "${B}", "B": "x"}).description == "${B}"


def test_a_value_cannot_bring_structure():
    assert shop('description: "${A}"', variables={"A": 'x"}\nretry: off'}).description == 'x"}\nretry: off'


def test_a_header_may_be_empty_and_a_credential_may_not():
    assert shop('headers: {X-A: "${A:-}"}').settings().headers["X-A"].reveal() == ""
    assert "`auth.bearer` of service `shop`: expected a text that is not empty" in errors(
        shop, 'auth: {bearer: "${A:-}"}'
    )


def test_keys_and_comments_are_left_alone():
    assert "unknown key `${A}`" in errors(shop, '"${A}": 1', variables={"A": "retry"})
    assert shop("# ${NOBODY_SET_THIS}\ndescription: x").description == "x"


def test_numbers_and_switches_may_come_from_variables():
    lines = 'http2: "${H}"\nconcurrency: {limit: "${N}"}\ntimeout: "${T}"\ntls: {min_version: "${V}"}'
    settings = shop(lines, variables={"H": "true", "N": "7", "T": "2.5", "V": "1.3"}).settings()
    assert (settings.http2, settings.concurrency.limit) == (True, 7)
    assert (settings.timeout.total, settings.tls.min_version) == (2.5, "1.3")


def test_a_text_from_a_variable_stays_a_text():
    lines = 'description: "${N}"\nparams: {n: "${N}"}'
    service = shop(lines, variables={"N": "007"})
    assert (service.description, service.settings().params) == ("007", {"n": Secret("007")})


BROKEN = [
    ("${NOPE}", "the variable `NOPE` is not set", "set it, or write `${NOPE:-default}`"),
    ("${EMPTY}", "the variable `EMPTY` is empty", "set it"),
    ("${NOPE:?the shop's key, from the wiki}", "the variable `NOPE` is not set", "the shop's key, from the wiki"),
    ("${}", "a `${...}` that cannot be read", "`${NAME:-default}`"),
    ("${a b}", "a `${...}` that cannot be read", "`$${` for a literal"),
    ("${A:+x}", "a `${...}` that cannot be read", ""),
    ("${1A}", "a `${...}` that cannot be read", ""),
    ("${A", "a `${` that is not closed", ""),
    ("${A:-${B}}", "a `${` that is not closed, or holds another", ""),
    ("${file:nowhere}", "the file `nowhere` cannot be read: No such file", "mount it"),
]


@pytest.mark.parametrize(("written", "message", "hint"), BROKEN)
def test_what_cannot_be_filled(written, message, hint):
    told = errors(shop, f'description: "{written}"', variables={"EMPTY": ""})
    assert f"s.yaml:5:18: {message}" in told
    assert hint in told


def test_all_unset_variables_are_told_at_once():
    told = errors(shop, 'description: "${A}"\nowner: "${B}"\nauth: {bearer: "${C}"}\nheaders: {X-A: "${D}"}')
    assert [f"the variable `{name}` is not set" in told for name in "ABCD"] == [True] * 4


def test_a_message_names_the_variable_and_not_what_it_holds():
    told = errors(shop, 'timeout: "${T}"', variables={"T": "a-secret-by-mistake"})
    assert "found what `${T}` holds" in told
    assert "a-secret-by-mistake" not in told


def test_a_mounted_file_is_read_anew(tmp_path):
    (tmp_path / "token").write_text("first-token\n")
    service = shop('auth: {bearer: "${file:token}"}', folder=tmp_path)
    token = service.settings().auth.options["token"]
    assert token.reveal() == "first-token"
    assert not token.is_constant


def test_a_mounted_file_in_a_header_keeps_the_text_around_it(tmp_path):
    (tmp_path / "token").write_text("first-token\n")
    settings = shop('headers: {Authorization: "Token ${file:token}"}', folder=tmp_path).settings()
    assert settings.headers["Authorization"].reveal() == "Token first-token"


@pytest.mark.parametrize(("content", "message"), [(b"", "the file `t` is empty"), (b"\xff\xfe", "not UTF-8 text")])
def test_a_mounted_file_that_cannot_be_used(tmp_path, content, message):
    (tmp_path / "t").write_bytes(content)
    assert message in errors(shop, 'auth: {bearer: "${file:t}"}', folder=tmp_path)


def test_what_came_through_a_variable_into_auth_or_headers_is_a_secret():
    lines = (
        'headers: {X-A: "${A}", X-B: plain}\nauth: {basic: {username: "${A}", password: "${B}"}}\n'
        'operations: {op: {get: /x, headers: {X-C: "${A}"}, header: {X-D: {value: "${B}"}}, params: {p: "${A}"}}}'
    )
    service = shop(lines, variables={"A": "value-a", "B": "value-b"})
    settings = service.settings("op")
    assert settings.headers == {"X-A": Secret("value-a"), "X-B": "plain", "X-C": Secret("value-a")}
    assert settings.auth.options == {"username": Secret("value-a"), "password": Secret("value-b")}
    assert settings.params == {"p": Secret("value-a")}
    assert set(service.secrets("op")) == {Secret("value-a"), Secret("value-b")}


def test_a_parameter_marked_secret_is_a_secret():
    service = operation('get: /x\nquery: {k: {value: "${A}", secret: true}}', variables={"A": "value-a"})
    parameter = service.operations["op"].parameters[0]
    assert (parameter.value, parameter.default, parameter.secret) == (Secret("value-a"), MISSING, True)
    assert service.secrets("op") == (Secret("value-a"),)


def test_a_line_break_from_a_variable_cannot_enter_a_header():
    told = errors(shop, 'headers: {X-A: "${A}"}', variables={"A": "x\r\nInjected: value-a"})
    assert "`headers.X-A` of service `shop`: a line break within the secret" in told
    assert "value-a" not in told


@pytest.mark.parametrize("chosen", ["dev", "prod"])
def test_only_the_chosen_environment_needs_its_variables(chosen):
    text = (
        HEAD
        + '    auth: {bearer: "${PROD}"}\nenvironments: {prod: {}, dev: {services: {shop: {auth: {bearer: "${DEV}"}}}}}\n'
    )
    needed = {"prod": "PROD", "dev": "DEV"}[chosen]
    settings = parse(text, env=chosen, variables={needed: "the-token"}).services["shop"].settings()
    assert settings.auth.options["token"].reveal() == "the-token"


ODD = {
    '"cnry-5f1b9e"': "stands in quotes, which are sent, too",
    "'cnry-5f1b9e'": "stands in quotes, which are sent, too",
    " cnry-5f1b9e": "begins with a space",
    "\tcnry-5f1b9e": "begins with a space",
    "cnry-5f1b9e ": "ends with a space",
    " cnry-5f1b9e ": "begins with a space",
}


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize(
    "lines",
    [
        'headers: {X-A: "a ${V}!"}',
        'auth: {basic: {username: u, password: "${V}"}}',
        'params: {q: "${V}"}',
        'description: "${V}"',
        'operations: {x: {post: /x, form: {q: {value: "${V}"}}}}',
    ],
)
def test_a_variable_that_was_probably_set_wrong_is_a_warning(lines, value):
    if "\t" in value and not lines.startswith(("description", "operations")):
        return  # a control character, which is refused
    sheet = parse(f"{HEAD}    {lines}\n", variables={"V": value})
    assert {warning.message for warning in sheet.warnings} == {f"what `${{V}}` holds {ODD[value]}"}
    assert "cnry" not in str(sheet.warnings)


@pytest.mark.parametrize("value", ["cnry", '"', 'a"b"', "it's", "'a\"", '{"a": 1}', "a b", "a\n"])
def test_any_other_value_is_no_warning(value):
    sheet = parse(f'{HEAD}    params: {{r: "${{W:- x}}"}}\n    auth: {{bearer: "${{V}}"}}\n', variables={"V": value})
    assert [each for each in sheet.warnings if "line break" not in each.message] == []
