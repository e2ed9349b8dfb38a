"""The JSON Schema for editors agrees with what is read."""

from pathlib import Path

import jsonschema_rs
import pytest

from callsheet.sheet.schema import json_schema
from callsheet.sheet.words.key_table import OPERATION_KEYS, SERVICE_KEYS
from tests.sheet.sheets import HEAD, parse
from tests.sheet.test_settings import LAYERS

ROOT = Path(__file__).parents[2]
VALIDATOR = jsonschema_rs.validator_for(json_schema())


def parse_plain(text: str):
    """The text as the JSON that an editor sees."""
    from callsheet.sheet.tree.compose import compose
    from callsheet.sheet.tree.findings import Findings
    from callsheet.sheet.tree.place import SheetText
    from tests.sheet.test_yaml import plain

    return plain_keys(plain(compose(SheetText("s.yaml", text), text, Findings())))


def plain_keys(value):
    if isinstance(value, dict):
        return {str(key): plain_keys(inner) for key, inner in value.items()}
    return [plain_keys(item) for item in value] if isinstance(value, list) else value


GOOD = [
    HEAD,
    HEAD
    + "    redirects: off\n    cookies: true\n    proxy: socks5h://a:1\n    trust_env: false\n    compress: gzip\n",
    HEAD
    + "    operations: {op: {post: /x, form: {a: array, b: {type: string, secret: true}}}, b: {post: /x, form: 'a:B'}}\n",
    HEAD + "    operations: {op: {post: /x, multipart: {a: file, b: {type: file, required: true}, c: integer}}}\n",
    HEAD + "    operations: {op: {put: /x, content: text/csv, stream: true}, b: {post: /x, form: object}}\n",
    HEAD + "    redirects: {max: 2}\n    operations: {op: {get: /x, redirects: same-origin, compress: off}}\n",
    HEAD
    + "    envelope: {ok: {path: code, equals: [0, null, a]}, data: a.0.b, message: msg}\n    errors: off\n    fallback: off\n",
    HEAD
    + "    envelope: {ok: {path: error, equals: ~}}\n    fallback: {value: ~}\n"
    + "    operations: {op: {get: /x, envelope: off, errors: [], returns: object, fallback: {python: 'a.b:c'}}}\n",
    HEAD
    + "    errors:\n      - {when: {status: 404}, then: ignore}\n"
    + "      - {when: {status: [4xx, 503], path: a, matches: '^E'}, then: fail, raise: OutOfStock, message: m}\n",
    LAYERS,
    HEAD + "    retry: {budget: off}\n    breaker: {ratio: 30%}\n",
    HEAD + "    retry: {budget: false}\n",
    HEAD + "    operations: {op: {post: '', json: object}}\n",
    HEAD + "    operations: {a: {get: /x, stream: json_lines}, b: {get: /x, stream: '${S:-lines}'}}\n",
    HEAD + "    retry: {statuses: [5xx, 4XX, 408, '${S:-5xx}']}\n",
    HEAD + "    retry: {statuses: 5xx}\n",
    HEAD
    + "    timeout: 3\n    retry: off\n    concurrency: 5\n    http2: '${H:-true}'\n    pool: {idle: 2m, lifetime: off}\n    auth: off\n",
    HEAD
    + "    auth: {api_key: {header: X-Key, value: '${K:-k}'}}\n    caps: {response: 10MiB}\n    tls: {min_version: 1.2}\n",
    HEAD
    + "    operations: {op: {get: /x, path: ~, query: {a: integer, b: {type: string, enum: [a]}}, returns: {200: object, 404: null}}}\n",
    HEAD
    + "environments: {prod: {}, dev: {services: {shop: {base_url: 'http://dev', auth: ~, operations: ~}}}}\ndefault_environment: prod\n",
    "api_config: {base_url: 'http://a', timeout: 10}\nenvironments: {prod: {}, dev: {base_url: 'http://dev'}}\ndefault_environment: dev\n",
    "callsheet: 1\ndefaults: {timeout: {total: 5s}, headers: {A: b}}\nservices: {a: {base_url: 'http://a'}}\nschemas: {A: {type: object}}\n",
]
BAD = [
    "callsheet: 2\nservices: {a: {base_url: 'http://a'}}",
    "services: {a: {base_url: 'http://a'}}",
    "callsheet: 1\nservices: {}",
    "callsheet: 1\nservices: {a: {}}",
    HEAD + "    retires: 3\n",
    HEAD + "    strict_responses: true\n",
    HEAD + "    cache: on\n",
    HEAD + "    breaker: on\n",
    HEAD + "    rate_limit: fast\n",
    HEAD + "stores: {limits: somewhere}\n",
    HEAD + "    retry: 3\n",
    HEAD + "    retry: {attempts: 0}\n",
    HEAD + "    retry: {budget: 20%}\n",
    HEAD + "    operations: {op: {get: /x, retry: {budget: off}}}\n",
    HEAD + "    retry: {statuses: [200]}\n",
    HEAD + "    retry: {statuses: [3xx]}\n",
    HEAD + "    timeout: 0\n",
    HEAD + "    timeout: 5 parsecs\n",
    HEAD + "    caps: {response: 10 cm}\n",
    HEAD + "    operations: {op: {post: /x, form: {}}}\n",
    HEAD + "    operations: {op: {post: /x, form: string}}\n",
    HEAD + "    operations: {op: {post: /x, form: {a: file}}}\n",
    HEAD + "    operations: {op: {post: /x, multipart: object}}\n",
    HEAD + "    operations: {op: {post: /x, content: csv}}\n",
    HEAD + "    operations: {op: {get: /x, stream: 1}}\n",
    HEAD + "    operations: {op: {get: /x, stream: sse}}\n",
    HEAD + "    redirects: all\n",
    HEAD + "    redirects: {max: 0}\n",
    HEAD + "    proxy: ftp://a\n",
    HEAD + "    cookies: 5\n",
    HEAD + "    compress: br\n",
    HEAD + "    operations: {op: {get: /x, cookies: true}}\n",
    HEAD + "    tls: {min_version: '1.1'}\n",
    HEAD + "    http2: yes\n",
    HEAD + "    auth: {}\n",
    HEAD + "    auth: {jwt: {}}\n",
    HEAD + "    headers: {a b: c}\n",
    HEAD + "    envelope: 5\n",
    HEAD + "    envelope: {ok: {path: '$.a'}}\n",
    HEAD + "    envelope: {ok: {path: a, equals: []}}\n",
    HEAD + "    errors: {}\n",
    HEAD + "    errors: [{then: fail}]\n",
    HEAD + "    errors: [{when: {status: 404}}]\n",
    HEAD + "    errors: [{when: {status: 600}, then: fail}]\n",
    HEAD + "    errors: [{when: {status: 404}, then: raise}]\n",
    HEAD + "    errors: [{when: {status: 404}, then: fail, raise: a_b}]\n",
    HEAD + "    fallback: 5\n",
    HEAD + "    fallback: {}\n",
    HEAD + "    fallback: {value: 1, python: 'a:b'}\n",
    HEAD + "    fallback: {python: a.b}\n",
    HEAD + "    operations: {op: {}}\n",
    HEAD + "    operations: {op: {get: /x, post: /y}}\n",
    HEAD + "    operations: {op: {get: x}}\n",
    HEAD + "    operations: {op: {get: /x, query: {a: intger}}}\n",
    HEAD + "    operations: {op: {get: /x, tls: {}}}\n",
    "callsheet: 1\ndefaults: {auth: off}\nservices: {a: {base_url: 'http://a'}}",
    HEAD + "environments: {e: {services: {shop: {retires: 3}}}}\ndefault_environment: e\n",
    "api_config: {timeout: 10}",
]


@pytest.mark.parametrize("text", GOOD)
def test_what_is_read_is_valid(text):
    parse(text)
    assert [error.message for error in VALIDATOR.iter_errors(parse_plain(text))] == []


@pytest.mark.parametrize("text", BAD)
def test_what_is_refused_is_not_valid(text):
    from callsheet.errors import SheetError

    with pytest.raises(SheetError):
        parse(text)
    assert not VALIDATOR.is_valid(parse_plain(text))


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/**/*.yaml")) + sorted(ROOT.glob("src/**/callsheet.yaml")))
def test_the_sheets_of_this_repository_are_valid(path):
    assert [error.message for error in VALIDATOR.iter_errors(parse_plain(path.read_text("utf-8")))] == []


def test_it_is_a_json_schema_and_holds_the_supported_keys_only():
    schema = json_schema()
    assert jsonschema_rs.meta.is_valid(schema)
    service, operation = schema["$defs"]["service"], schema["$defs"]["operation"]
    assert set(service["properties"]) == {key.name for key in SERVICE_KEYS if key.form} | {"operations"}
    assert set(operation["properties"]) == {key.name for key in OPERATION_KEYS if key.form}
    assert all("description" in value for value in service["properties"].values())
