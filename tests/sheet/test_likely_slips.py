"""What newcomers write, and what they are told: the place they meant, and what to write there."""

import sys
import types

import pytest
from pydantic import BaseModel

from callsheet.values.codec import codec_for
from callsheet.values.typeref import TypeRef
from tests.sheet.sheets import HEAD, errors, operation, parse, shop


def warned(sheet):
    return "\n".join(map(str, sheet._document.reading.findings.warned()))


@pytest.mark.parametrize(
    ("lines", "message", "hint"),
    [
        ("get: /x\nparams: {page: integer}", "8:24: `params.page` of operation `shop.op` is sent as the text `integer`", "is declared under `query`"),
        ("get: /x\nheaders: {X-A: string}", "8:24: `headers.X-A` of operation `shop.op` is sent as the text `string`", "is declared under `header`"),
        ("get: /users/:id/x", "7:14: `get` of operation `shop.op`: `:id` is sent as it is", "did you mean `{id}`?"),
    ],
)  # fmt: skip
def test_what_works_and_was_hardly_meant_is_a_warning(lines, message, hint):
    told = warned(operation(lines))
    assert f"s.yaml:{message}" in told
    assert hint in told


def test_a_constant_that_is_no_type_and_a_colon_inside_a_step_are_no_warnings():
    assert warned(operation("get: /x/a:b/:/v1:sum\nparams: {sort: name}\nheaders: {X-A: text}")) == ""


@pytest.mark.parametrize(
    ("lines", "message", "hint"),
    [
        ("get: /users/<id>", "`<id>` is no parameter", "did you mean `{id}`?"),
        ("get: /users/<int:id>", "`<int:id>` is no parameter", "did you mean `{id}`?"),
        ("get: /x\nreturns: shop.models.User", "no type is called `shop.models.User`", "did you mean `shop.models:User`?"),
        ("get: /x\nreturns: User", "no type is called `User`", "write `module:User`"),
        ("get: /x\nreturns: [models:User]", "found a list", 'did you mean "list[models:User]"?'),
        ("get: /x\nreturns: 'List[models:User]'", "expected a type as", "did you mean `list[models:User]`?"),
        ("get: /x\nreturns: models:User[]", "expected a type as", "did you mean `list[models:User]`?"),
        ("get: /x\nreturns: list[models.User]", "no type is called", "did you mean `list[models:User]`?"),
        ("get: /x\nreturns: list[User]", "no type is called", "write `list[module:User]`"),
    ],
)  # fmt: skip
def test_types_and_paths_as_others_write_them(lines, message, hint):
    told = errors(operation, lines)
    assert message in told
    assert hint in told


@pytest.fixture
def models(monkeypatch):
    module = types.ModuleType("listed_models")

    class Doc(BaseModel):
        id: int

    module.Doc = Doc
    monkeypatch.setitem(sys.modules, "listed_models", module)
    return module


def test_a_list_of_a_type_is_declared_as_such(models):
    returns = operation('get: /x\nreturns: "list[listed_models:Doc]"').operations["op"].returns
    assert codec_for(returns).decode(b'[{"id": 1}, {"id": 2}]') == [models.Doc(id=1), models.Doc(id=2)]


def test_a_list_of_a_type_is_sent_as_one(models):
    codec = codec_for(TypeRef("import", "list[listed_models:Doc]"))
    assert codec.encode([models.Doc(id=1), {"id": 2}]) == b'[{"id":1},{"id":2}]'
    assert codec.fields is None


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("auth: {bearer: $TOKEN}", 'did you mean "${TOKEN}"?'),
        ("auth: {bearer: Bearer $SHOP_TOKEN}", 'did you mean "Bearer ${SHOP_TOKEN}"?'),
        ("headers: {Authorization: Token $TOKEN}", 'did you mean "Token ${TOKEN}"?'),
        ("auth: {bearer: $ecretP4ss}", "write `${NAME}` and set the variable"),
    ],
)
def test_a_variable_as_a_shell_writes_it(line, hint):
    told = warned(shop(line))
    assert hint in told
    assert "ecretP4ss" not in told


@pytest.mark.parametrize(
    ("line", "variables"),
    [
        ('auth: {bearer: "${X}"}', {}),
        ('headers: {Authorization: "Bearer ${X}"}', {}),
        ('params: {key: "${SHOP_API_KEY}"}', {}),
        ('auth: {basic: {username: a, password: "${X}"}}', {"X": ""}),
    ],
)
def test_no_default_is_suggested_for_a_secret(line, variables):
    told = errors(shop, line, variables=variables)
    assert "set it, or write `${file:PATH}`" in told
    assert ":-" not in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("services:\n  shop\n    base_url: http://x\n", "3:3: not YAML: a key without `:`"),
        ("services:\n  shop:\n    timeout 3\n    retry: off\n", "4:5: not YAML: a key without `:`"),
        ("services\n  shop:\n    retry: off\n", "2:1: not YAML: a key without `:`"),
        ("services:\n  shop:\n    get_x   # the first\n\n    # so\n    retry: off\n", "4:5: not YAML: a key without `:`"),
        ("services:\n  shop:\n    description: a: b\n", "4:19: not YAML: a second `:`"),
        ("services:\n\tshop: {}\n", "3:1: not YAML: a tab indents this line"),
        ("services:\n  shop:\n    base_url: http://x\n\ttimeout: 3\n", "5:1: not YAML: a tab indents this line"),
    ],
)  # fmt: skip
def test_the_line_that_is_to_be_mended_is_named(text, message):
    assert f"s.yaml:{message}" in errors(parse, f"callsheet: 1\n{text}")


def test_a_tab_behind_a_value_is_none_that_indents():
    assert shop("timeout: 3\t").settings().timeout.total == 3


def test_a_variable_without_quotes_is_shown_with_them():
    told = errors(shop, "auth: {bearer: ${SHOP_TOKEN}}")
    assert 'did you forget the quotes? write "${SHOP_TOKEN}"' in told


def test_what_is_sent_with_every_request_is_params_at_a_service():
    assert "did you mean `params`?" in errors(shop, "query: {page: 1}")


def test_a_service_right_below_an_environment():
    told = errors(parse, HEAD + "environments:\n  dev: {shop: {base_url: http://y}, services: {}}\n", env="dev")
    assert "s.yaml:6:9: unknown key `shop` in environment `dev`" in told
    assert "did you mean `services: {shop: ...}`?" in told


@pytest.mark.parametrize("name", ["url", "host", "baseUrl", "base-url", "base_ulr"])
def test_a_base_url_under_another_name_is_one_finding(name):
    told = errors(parse, f"callsheet: 1\nservices:\n  shop:\n    {name}: http://x\n")
    assert told.count("s.yaml:") == 1
    assert "did you mean `base_url`?" in told
