"""What stands on the wire, byte for byte."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.errors import ArgumentError
from callsheet.plan.binders import query_pairs
from callsheet.version import USER_AGENT

SIMPLE = st.text(max_size=20)


@given(st.lists(st.tuples(SIMPLE.filter(bool), SIMPLE)))
def test_a_query_comes_back(pairs):
    try:
        written = "&".join(query_pairs(pairs))
    except ArgumentError:
        return
    assert parse_qsl(written, keep_blank_values=True, strict_parsing=bool(pairs)) == pairs


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", b"plain"),
        ("a/b", b"a%2Fb"),
        ("a b", b"a%20b"),
        ("é", b"%C3%A9"),
        ("?#&=;", b"%3F%23%26%3D%3B"),
        ("100%", b"100%25"),
        ("%2F", b"%252F"),
        ("-._~", b"-._~"),
        ("a\r\nX-Evil: 1", b"a%0D%0AX-Evil%3A%201"),
        ("\x00", b"%00"),
        ("雪", b"%E9%9B%AA"),
        ("//evil.test", b"%2F%2Fevil.test"),
        (7, b"7"),
    ],
)
def test_a_path_parameter_is_one_segment(shop, value, written):
    with shop({"get_user": {"get": "/users/{id}/orders"}}, prefix="/v1") as service:
        service.call("get_user", id=value)
        assert service.sent.line == b"GET /v1/users/" + written + b"/orders HTTP/1.1"


@pytest.mark.parametrize(
    ("declared", "value", "written"),
    [
        ("string", "a b&c=d", "q=a%20b%26c%3Dd"),
        ("string", "", "q="),
        ("integer", 7, "q=7"),
        ("number", 1.5, "q=1.5"),
        ("number", 7, "q=7"),
        ("boolean", True, "q=true"),
        ("boolean", False, "q=false"),
        ("array", ["a", 1], "q=a&q=1"),
        ("array", ("a", "b"), "q=a&q=b"),
        ("array", [], ""),
        ("object", {"a": [1, None]}, "q=%7B%22a%22%3A%5B1%2Cnull%5D%7D"),
        ({"type": "string", "enum": ["on", "off"]}, "on", "q=on"),
        ({"type": "integer", "minimum": 1}, 1, "q=1"),
        ({"type": "array", "items": {"type": "integer"}}, [1, 2], "q=1&q=2"),
    ],
)
def test_each_type_has_its_text(shop, declared, value, written):
    query = declared if isinstance(declared, str) else dict(declared)
    with shop({"find": {"get": "/find", "query": {"q": query}}}) as service:
        service.call("find", q=value)
        assert service.sent.target == (f"/find?{written}" if written else "/find")


def test_times_and_ids_have_theirs(shop):
    from datetime import UTC, date, datetime, timedelta, timezone
    from uuid import UUID

    declared = {"d": "date", "t": "datetime", "u": "uuid"}
    with shop({"find": {"get": "/find", "query": declared}}) as service:
        service.call("find", d=date(2026, 1, 2), t=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), u=UUID(int=7))
        assert service.sent.target == (
            "/find?d=2026-01-02&t=2026-01-02T03%3A04%3A05%2B00%3A00&u=00000000-0000-0000-0000-000000000007"
        )
        service.call("find", t=datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=-5))))
        assert service.sent.target == "/find?t=2026-01-02T00%3A00%3A00-05%3A00"
        with pytest.raises(ArgumentError, match="should have timezone info"):
            service.call("find", t=datetime(2026, 1, 2))  # noqa: DTZ001 that is the fact


def test_none_and_what_is_left_out_are_not_sent(shop):
    with shop(
        {"find": {"get": "/find", "query": {"a": "string", "b": "string"}, "header": {"X-C": "string"}}}
    ) as service:
        service.call("find", a=None, x_c=None)
        assert service.sent.target == "/find"
        assert service.sent.header("X-C") is None


def test_a_default_is_not_sent_and_a_value_always_is(shop):
    query = {"page": {"type": "integer", "default": 1}, "size": {"type": "integer", "value": 50}}
    with shop({"find": {"get": "/find", "query": query}}) as service:
        service.call("find")
        assert service.sent.target == "/find?size=50"
        with pytest.raises(ArgumentError, match="`size`: its value is set on the sheet"):
            service.call("find", size=10)


def test_constants_of_the_service_come_first(shop):
    with shop({"find": {"get": "/find", "query": {"q": "string"}}}, params={"v": 2, "t": ["a", "b"]}) as service:
        service.call("find", q="x")
        assert service.sent.target == "/find?v=2&t=a&t=b&q=x"
        service.get("/raw?x=1", params={"y": [1, None, True]})
        assert service.sent.target == "/raw?x=1&v=2&t=a&t=b&y=1&y=true"


def test_a_whole_head_byte_for_byte(shop):
    operation = {"post": "/users", "header": {"X-Request-Id": "string"}, "json": "object", "query": {"dry": "boolean"}}
    with shop({"create": operation}, headers={"X-Team": "ours"}, auth={"bearer": "canary"}) as service:
        service.call("create", {"name": "Ada"}, x_request_id="7", dry=True)
        host = service.server.url.removeprefix("http://").encode()
        assert sorted(service.sent.head.split(b"\r\n")[1:-2]) == sorted(
            [
                b"Host: " + host,
                b"User-Agent: " + USER_AGENT.encode(),
                b"X-Team: ours",
                b"Authorization: Bearer canary",
                b"X-Request-Id: 7",
                b"Content-Type: application/json",
                b"Accept: */*",
                b"Accept-Encoding: gzip, deflate, br",
                b"Content-Length: 14",
            ]
        )
        assert service.sent.line == b"POST /users?dry=true HTTP/1.1"
        assert service.sent.body == b'{"name":"Ada"}'


def test_a_header_of_this_call_replaces_a_declared_and_a_constant_one(shop):
    operation = {"get": "/a", "header": {"X-One": "string"}}
    with shop({"a": operation}, headers={"X-Two": "sheet"}) as service:
        service.call("a", x_one="parameter", headers={"x-one": "call", "X-TWO": "call", "X-Three": None})
        found = [(name.lower(), value) for name, value in service.sent.headers if name.lower().startswith("x-")]
        assert sorted(found) == [("x-one", "call"), ("x-two", "call")]


def test_a_bodys_type_beats_the_sheets_and_a_calls_own_beats_both(shop):
    with shop({"a": {"post": "/a", "json": "object"}}, headers={"Content-Type": "text/plain"}) as service:
        service.call("a", {"x": 1})
        assert service.sent.header("content-type") == "application/json"
        service.call("a", {"x": 1}, headers={"content-type": "application/merge-patch+json"})
        assert [v for n, v in service.sent.headers if n.lower() == "content-type"] == ["application/merge-patch+json"]


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0", "snow 雪"])
@pytest.mark.parametrize("way", ["parameter", "headers", "key"])
def test_a_header_that_breaks_out_is_refused_and_not_shown(shop, value, way):
    with shop({"a": {"get": "/a", "header": {"X-Note": {"type": "string", "secret": True}}}}) as service:
        given = {
            "parameter": {"x_note": value},
            "headers": {"headers": {"X-Note": value}},
            "key": {"idempotency_key": value},
        }
        with pytest.raises(ArgumentError, match=r"header `(X-Note|Idempotency-Key)`: its value holds a") as caught:
            service.call("a", **given[way])
        assert value not in str(caught.value)
        assert service.count == 0


@pytest.mark.parametrize(
    "path", ["https://evil.test@/", "//evil.test/", "users", "/../admin", "/%2e%2E/admin", "/a\r\nb", "/#a"]
)
def test_an_undeclared_request_stays_on_its_service(shop, path):
    with shop() as service:
        with pytest.raises(ArgumentError, match=r"shop\.get: path"):
            service.get(path)
        assert service.count == 0


@pytest.mark.parametrize("name", [".", "..", "", "%2e%2e", "\ud800"])
def test_a_path_parameter_that_names_another_resource_is_refused(shop, name):
    with shop({"get_user": {"get": "/users/{id}"}}) as service:
        with pytest.raises(ArgumentError, match=r"`id` \(path, string\): "):
            service.call("get_user", id=name)
        assert service.count == 0


@pytest.mark.parametrize("method", ["G ET", "GET\r\nX: 1", "", "GÉT"])
def test_a_method_that_is_none_is_refused(shop, method):
    with shop() as service, pytest.raises(ArgumentError, match="expected letters, as in GET"):
        service.request(method, "/")


def test_json_and_content_are_not_both_sent(shop):
    with shop() as service:
        with pytest.raises(ArgumentError, match="a request has one body"):
            service.post("/a", json={}, content=b"x")
        with pytest.raises(ArgumentError, match="json: NaN and Infinity have no JSON form"):
            service.post("/a", json={"x": float("nan")})
        service.post("/a", json={"x": 1})
        assert (service.sent.body, service.sent.header("content-type")) == (b'{"x":1}', "application/json")
        service.post("/a", content="é")
        assert service.sent.body == "é".encode()


@pytest.mark.parametrize(
    ("prefix", "target"),
    [("", "/"), ("/", "/"), ("/graphql", "/graphql"), ("/graphql/", "/graphql"), ("/v1/graph%20ql", "/v1/graph%20ql")],
)
@pytest.mark.parametrize(("query", "written"), [({}, ""), ({"a": "b c"}, "?a=b%20c")])
def test_an_operation_at_the_base_url_itself(shop, prefix, target, query, written):
    declared = {"post": "", "json": "object", "query": {"a": "string"}}
    with shop({"graphql": declared, "schema": {"get": ""}}, prefix=prefix) as service:
        service.call("graphql", **query, variables={})
        assert service.sent.line == f"POST {target}{written} HTTP/1.1".encode()
        service.call("schema")
        assert service.sent.line == f"GET {target} HTTP/1.1".encode()
