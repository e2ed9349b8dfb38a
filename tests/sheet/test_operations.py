"""Operations on the sheet, and the records that hold them."""

import copy
import pickle

import pytest

from callsheet.sheet.forms.types import PARAMETER_TYPES
from callsheet.sheet.words.operation import LOCATIONS, MISSING, STREAMS, Operation, Parameter
from callsheet.values.codec import codec_for
from callsheet.values.text import python_type
from callsheet.values.typeref import TypeRef
from tests.sheet.sheets import HEAD, errors, operation, parse, shop


def declared(lines: str, **given) -> Operation:
    return operation(lines, **given).operations["op"]


def test_an_operation_with_everything():
    lines = """\
        post: /users/{id}/notes
        summary: Add a note
        description: At the end
        tags: [notes, users]
        deprecated: true
        examples: {short: {text: hi, n: 1}}
        path: {id: integer}
        query: {lang: {type: string, enum: [de, en], required: true, description: of the text}, page: {type: integer, default: 1}}
        header: {X-Request-Id: uuid, X-Kind: {value: note}}
        json: app.models:Note
        returns: {201: app.models:Note, 204: null, 4xx: object, default: string}
        """
    op = declared(lines)
    assert (op.name, op.method, op.path, op.where) == ("op", "POST", "/users/{id}/notes", "s.yaml:6:7")
    assert (op.summary, op.description, op.tags, op.deprecated) == (
        "Add a note",
        "At the end",
        ("notes", "users"),
        True,
    )
    assert op.examples == {"short": {"text": "hi", "n": 1}}
    assert [(p.name, p.location, p.argument, p.required, p.where) for p in op.parameters] == [
        ("id", "path", "id", True, "s.yaml:13:16"),
        ("lang", "query", "lang", True, "s.yaml:14:17"),
        ("page", "query", "page", False, "s.yaml:14:97"),
        ("X-Request-Id", "header", "x_request_id", False, "s.yaml:15:18"),
        ("X-Kind", "header", "x_kind", False, "s.yaml:15:38"),
    ]
    _, lang, page, request_id, kind = op.parameters
    assert (lang.type.value, lang.description) == ({"type": "string", "enum": ["de", "en"]}, "of the text")
    assert (page.default, page.value) == (1, MISSING)
    assert (request_id.type.kind, request_id.type.value) == ("name", "uuid")
    assert (kind.value, kind.default) == ("note", MISSING)
    assert (op.json.kind, op.json.value) == ("import", "app.models:Note")
    assert list(op.returns) == [201, 204, "4xx", "default"]
    assert op.returns[204] is None


def test_a_form():
    lines = "post: /x\nform: {a: {type: string, required: true}, 'b[c]': array, d: {value: 7}, pw: {secret: true}}"
    op = declared(lines)
    assert [(f.name, f.location, f.argument, f.required, f.secret) for f in op.form] == [
        ("a", "form", "a", True, False),
        ("b[c]", "form", "b_c_", False, False),
        ("d", "form", "d", False, False),
        ("pw", "form", "pw", False, True),
    ]
    assert op.form[2].value == 7
    assert (op.fields, op.has_body, op.json, op.multipart, op.content) == (op.form, True, None, None, None)


@pytest.mark.parametrize(
    ("written", "kind"), [("app.models:SignIn", "import"), ("object", "name"), ("User", "json_schema")]
)
def test_a_form_of_a_type(written, kind):
    text = f"{HEAD}    operations: {{op: {{post: /x, form: '{written}'}}}}\nschemas: {{User: {{type: object}}}}\n"
    op = parse(text).services["shop"].operations["op"]
    assert (op.form.kind, op.fields, op.has_body) == (kind, (), True)


def test_a_form_of_a_python_type():
    from callsheet import Sheet

    sheet = Sheet(services={"shop": {"base_url": "http://a", "operations": {"op": {"post": "/x", "form": dict}}}})
    assert sheet.services["shop"].operations["op"].form.value is dict


def test_a_multipart_body():
    op = declared("post: /x\nmultipart: {picture: {type: file, required: true}, more: file, title: string}")
    assert [(f.name, f.type.value, f.required) for f in op.multipart] == [
        ("picture", "file", True),
        ("more", "file", False),
        ("title", "string", False),
    ]
    assert (op.fields, op.has_body) == (op.multipart, True)


@pytest.mark.parametrize(
    "media_type", ["text/csv", "application/x-ndjson", "text/plain; charset=utf-8", "image/svg+xml"]
)
def test_content_of_a_media_type(media_type):
    op = declared(f"put: /x\ncontent: {media_type}")
    assert (op.content, op.has_body) == (media_type, True)


def test_an_environment_replaces_a_body_whole_and_settings_key_by_key():
    text = (
        f"{HEAD}    redirects: {{max: 3}}\n    proxy: http://proxy.example:1\n"
        "    operations: {op: {post: /x, form: {a: string, b: string}}}\n"
        "environments: {e: {services: {shop: {redirects: {max: 2}, proxy: ~, operations: {op: {form: {c: string}}}}}}}\n"
    )
    service = parse(text, env="e").services["shop"]
    assert [field.name for field in service.operations["op"].form] == ["c"]
    assert (service.settings("op").redirects.max, service.settings().proxy) == (2, None)


def test_a_stream():
    assert declared("get: /x\nstream: true").stream is True
    assert [declared(f"get: /x\nstream: {parts}").stream for parts in STREAMS] == list(STREAMS)
    assert declared("get: /x\nstream: '${KIND:-events}'").stream == "events"
    assert declared("get: /x\nstream: false\nreturns: object").stream is False
    assert declared("get: /x").has_body is False


def test_a_constant_field_that_comes_through_a_variable_is_a_secret_of_the_operation():
    service = operation("post: /x\nform: {key: {value: '${KEY}'}}", variables={"KEY": "canary"})
    assert service.secrets("op") == service.secrets() == (service.operations["op"].form[0].value,)
    assert "canary" not in repr(service.operations["op"])


def test_operations_come_in_the_order_of_the_sheet():
    service = shop("operations: {b: {get: /b}, a: {get: /a}, c: {get: /c}}")
    assert list(service.operations) == ["b", "a", "c"]


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "head", "options"])
def test_every_method(method):
    assert declared(f"{method}: /x").method == method.upper()


@pytest.mark.parametrize(
    "path", ["/", "/a/", "/{id}.json", "/a/{b}/c/{d_e}", "/{user-id}", "/a:b@c;d=e,f", "/%C3%A4", "/~x/_y"]
)
def test_paths_that_are_taken_as_written(path):
    assert declared(f"get: '{path}'").path == path


def test_a_parameter_of_the_path_is_a_text_unless_declared():
    op = declared("get: /{a}/{b}\npath: {b: date}")
    assert [(p.name, p.type.value, p.required) for p in op.parameters] == [("a", "string", True), ("b", "date", True)]


@pytest.mark.parametrize("kind", PARAMETER_TYPES)
def test_every_parameter_type_compiles_short_and_in_full(kind):
    op = declared(f"get: /x\nquery: {{a: {kind}, b: {{type: {kind}, description: d}}}}")
    for parameter in op.parameters:
        assert parameter.type.kind == "name"
        assert python_type(parameter.type.value)


@pytest.mark.parametrize(
    ("terms", "schema"),
    [
        ("{type: date, enum: ['2024-01-01']}", {"type": "string", "format": "date", "enum": ["2024-01-01"]}),
        ("{minLength: 2}", {"type": "string", "minLength": 2}),
        ("{type: array, items: {type: integer}}", {"type": "array", "items": {"type": "integer"}}),
        ("{type: number, minimum: 0.5, maximum: 1}", {"type": "number", "minimum": 0.5, "maximum": 1}),
        ("{enum: [1, 2], type: integer}", {"type": "integer", "enum": [1, 2]}),
    ],
)
def test_terms_become_json_schema(terms, schema):
    parameter = declared(f"get: /x\nquery: {{a: {terms}}}").parameters[0]
    assert (parameter.type.kind, parameter.type.value) == ("json_schema", schema)
    assert python_type(parameter.type.value)


def test_null_among_parameters_is_as_if_not_written():
    assert declared("get: /x\nquery: {a: null, b: string}").parameters[0].name == "b"


def test_fixed_parameters_may_share_an_argument_name():
    op = declared("get: /{a}\nquery: {a: {value: x}}")
    assert [(p.location, p.value) for p in op.parameters] == [("path", MISSING), ("query", "x")]


@pytest.mark.parametrize(
    ("name", "argument", "of_header"),
    [
        ("a", "a", "a"),
        ("aB", "aB", "ab"),
        ("X-Request-Id", "x_request_id", "x_request_id"),
        ("user[name]", "user_name_", "user_name_"),
        ("page.size", "page_size", "page_size"),
        ("2fa", "2fa", "2fa"),
        ("class", "class", "class"),
    ],
)
def test_the_name_of_a_parameter_in_a_call(name, argument, of_header):
    found = {place: Parameter(name, place, TypeRef("name", "string")).argument for place in LOCATIONS}
    assert found == {**dict.fromkeys(LOCATIONS, argument), "header": of_header}


def test_the_names_that_a_call_gives_are_those_of_parameters_and_fields():
    op = declared("post: /{id}\nheader: {X-A: {value: b}}\nform: {'c[d]': string}")
    assert op.arguments == {"id", "x_a", "c_d_"}


def test_a_value_that_is_not_written_stays_the_same_when_a_record_is_copied():
    parameter = Parameter("a", "query", TypeRef("name", "string"))
    for copied in (copy.deepcopy(parameter), pickle.loads(pickle.dumps(parameter))):
        assert (copied, copied.value) == (parameter, MISSING)
        assert copied.value is MISSING


SCHEMAS = HEAD + (
    "    operations: {op: {post: /x, json: User, returns: {type: array, items: {$ref: '#/schemas/User'}}}}\n"
    "schemas: {User: {type: object, required: [name], properties: {name: {type: string}, type: {type: string}, friend: {$ref: '#/schemas/User'}}}}\n"
)  # fmt: skip


def test_schemas_by_name_and_by_reference():
    op = parse(SCHEMAS).services["shop"].operations["op"]
    assert (op.json.kind, op.json.value["required"]) == ("json_schema", ["name"])
    codec_for(op.json).encode({"name": "Ada", "friend": {"name": "Bob"}})
    assert codec_for(op.returns).decode(b'[{"name": "Ada"}]') == [{"name": "Ada"}]
    assert op.returns.definitions == {"User": op.json.value}


def test_returns_may_be_a_schema_that_has_a_default():
    op = declared("get: /x\nreturns: {type: object, default: {}}")
    assert (op.returns.kind, op.returns.value) == ("json_schema", {"type": "object", "default": {}})


def test_returns_for_every_status():
    assert list(declared("get: /x\nreturns: {default: object}").returns) == ["default"]


def test_settings_stand_beside_the_request():
    service = operation("get: /x\ntimeout: 3\nretry: off\nidempotent: true\nheaders: {A: b}\nparams: {c: d}")
    settings = service.settings("op")
    assert (settings.timeout.total, settings.retry, settings.idempotent) == (3.0, None, True)
    assert (settings.headers, settings.params) == ({"A": "b"}, {"c": "d"})


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("/" + "/".join(f"{{p{number}}}" for number in range(40_000)), ""),
        ("/" + "/".join(f"{{p{number}}}" for number in range(40_000)) + "/{p0}", "the parameter `{p0}` twice"),
        ("/{" + "a" * 400_000 + "}/ ", "a character that no path may hold"),
        ("/" + "{" * 400_000, "a brace without its partner"),
    ],
    ids=["many", "twice", "long", "braces"],
)
def test_a_path_of_400_kilobytes_is_read_or_refused(path: str, wrong: str) -> None:
    if wrong:
        assert wrong in errors(operation, f"get: '{path}'")
    else:
        assert len(operation(f"get: '{path}'").operations["op"].parameters) == 40_000
