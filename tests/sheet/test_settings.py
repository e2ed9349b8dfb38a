"""Built-in < defaults < service < operation < code; each value remembers where it came from."""

import pytest

from callsheet.errors import SheetError, UsageError
from callsheet.explain.spelling import spelled
from callsheet.secret import Secret, redact
from callsheet.settings import Backoff, Redirects, Settings
from callsheet.settings.timeout import Timeout, WrittenTimeout
from callsheet.sheet import Sheet
from tests.servers import Certificates
from tests.sheet.sheets import HEAD, errors, operation, parse, shop

LAYERS = """\
callsheet: 1
defaults:
  timeout: {connect: 2s}
  headers: {X-Who: defaults, X-Only: defaults}
  retry: {attempts: 4}
  caps: {response: 1MiB}
services:
  shop:
    base_url: https://shop.example/v1/
    headers: {x-who: service}
    retry: {statuses: [503]}
    operations:
      op:
        get: /x
        headers: {X-WHO: operation}
        retry: {attempts: 2}
        timeout: 8s
      off:
        get: /x
        retry: off
"""


def test_nothing_written_is_the_built_in_settings():
    assert shop().settings() == Settings("https://shop.example")


def test_each_layer_counts_over_the_ones_below():
    service = parse(LAYERS).services["shop"]
    whole, op = service.settings(), service.settings("op")
    assert whole.headers == {"x-who": "service", "X-Only": "defaults"}
    assert op.headers == {"X-WHO": "operation", "X-Only": "defaults"}
    assert (whole.retry.attempts, op.retry.attempts) == (4, 2)
    assert whole.retry.statuses == op.retry.statuses == {503}
    assert service.settings("off").retry is None
    assert op.timeout == Timeout(connect=2.0, read=10.0, attempt=8.0, total=8.0)
    assert op.caps.response == 1024**2
    assert op.base_url == "https://shop.example/v1"


def test_code_counts_over_the_sheet():
    service = parse(LAYERS).services["shop"]
    code = {"timeout": 1.5, "retry": False, "headers": {"x-who": "code"}, "base_url": "http://127.0.0.1:1/"}
    settings = service.settings("op", code)
    assert settings.timeout == Timeout(connect=1.5, read=10.0, attempt=1.5, total=1.5)
    assert settings.retry is None
    assert settings.headers == {"x-who": "code", "X-Only": "defaults"}
    assert settings.base_url == "http://127.0.0.1:1"
    assert service.settings("op").retry.attempts == 2


def test_what_is_wrong_in_code_says_so():
    told = errors(shop().settings, None, {"timeout": "soon", "retires": 3})
    assert "Client(...): `timeout`: expected a duration" in told
    assert "Client(...): unknown key `retires` here\n      did you mean `retry`?" in told


def test_code_that_contradicts_the_sheet_names_both():
    told = errors(shop("timeout: {total: 3s}").settings, None, {"timeout": {"attempt": 9}})
    assert (
        "Client(...): `timeout.attempt` of service `shop` is 9 s, longer than `timeout.total`, which is 3 s (s.yaml:5:22)"
        in told
    )


def test_settings_of_an_operation_that_is_not_there():
    with pytest.raises(UsageError, match="no operation `nope`"):
        shop().settings("nope")


def test_null_is_as_if_not_written():
    lines = "".join(
        f"{key}: null\n" for key in ("headers", "params", "timeout", "retry", "auth", "caps", "tls", "http2")
    )
    assert shop(lines + "breaker: null").settings() == Settings("https://shop.example")
    service = parse(LAYERS.replace("retry: {attempts: 2}", "retry: ~").replace("timeout: 8s", "timeout: {connect: ~}"))
    assert service.services["shop"].settings("op").retry.attempts == 4
    assert service.services["shop"].settings("op").timeout.connect == 2.0


@pytest.mark.parametrize("off", ["off", "false", "False"])
def test_off_and_false_are_the_same(off):
    settings = shop(f"retry: {off}\nauth: {off}").settings()
    assert (settings.retry, settings.auth) == (None, None)


@pytest.mark.parametrize(
    ("written", "seconds"), [("off", None), ("false", None), ("null", 300.0), ("90", 90.0), ("1m", 60.0)]
)
def test_a_connection_may_have_no_end(written, seconds):
    assert shop(f"pool: {{lifetime: {written}}}").settings().pool.lifetime == seconds


def test_every_setting_in_full(tmp_path):
    certificates = Certificates(tmp_path)
    certificates.client(tmp_path, password="sesame")
    pin = certificates.pinned()[1]
    lines = """\
        headers: {Accept: text/csv, X-Version: 1.0, X-On: true}
        params: {a: 1, b: [x, 2], c: true, d: null}
        timeout: {connect: 1s, read: 2s, attempt: 3s, total: 4s}
        retry: {attempts: 5, backoff: {first: 100ms, max: 2s}, statuses: [503, 429], methods: [get, POST]}
        idempotent: true
        concurrency: {limit: 7, queue: 0}
        pool: {connections: 9, idle: 2m, lifetime: 1h}
        caps: {response: 1KiB, headers: 2KB, header_count: 3, encodings: 1}
        tls:
          min_version: "1.3"
          ca: ca.pem
          extra_ca: ca.pem
          cert: client.pem
          key: client.key
          key_password: "${PASSWORD:-sesame}"
          pins: ["PIN"]
          verify: false
          insecure_reason: the device makes its own
        http2: true
        redirects: {follow: same-origin, max: 2}
        cookies: true
        proxy: socks5h://proxy.example
        trust_env: true
        compress: gzip
        user_agent: shop-client/1
        description: The shop
        owner: team-shop
        docs: https://wiki.example/shop
        """
    service = shop(lines.replace("PIN", pin), folder=tmp_path)
    settings = service.settings()
    assert (service.description, service.owner, service.docs) == ("The shop", "team-shop", "https://wiki.example/shop")
    assert settings.headers == {"User-Agent": "shop-client/1", "Accept": "text/csv", "X-Version": "1.0", "X-On": "true"}
    assert settings.params == {"a": 1, "b": ["x", 2], "c": True}
    assert settings.timeout == Timeout(1.0, 2.0, 3.0, 4.0)
    assert settings.written == WrittenTimeout(1.0, 2.0, 3.0, 4.0)
    assert settings.retry.backoff == Backoff(0.1, 2.0, 1.0)
    assert (settings.retry.attempts, settings.retry.statuses) == (5, {503, 429})
    assert settings.retry.methods == {"GET", "POST"}
    assert (settings.idempotent, settings.http2) == (True, True)
    assert (settings.concurrency.limit, settings.concurrency.queue) == (7, 0)
    assert (settings.pool.connections, settings.pool.idle, settings.pool.lifetime) == (9, 120.0, 3600.0)
    assert (settings.caps.response, settings.caps.headers, settings.caps.header_count, settings.caps.encodings) == (
        1024,
        2000,
        3,
        1,
    )
    tls = settings.tls
    assert (tls.min_version, tls.ca, tls.extra_ca) == ("1.3", tmp_path / "ca.pem", tmp_path / "ca.pem")
    assert (tls.cert, tls.key) == (tmp_path / "client.pem", tmp_path / "client.key")
    assert (tls.key_password, tls.pins) == (Secret("sesame"), (pin,))
    assert (tls.verify, tls.insecure_reason) == (False, "the device makes its own")
    assert settings.redirects == Redirects("same-origin", 2)
    assert (settings.cookies, settings.proxy, settings.trust_env) == (True, "socks5h://proxy.example:1080", True)
    assert settings.compress == "gzip"


@pytest.mark.parametrize(
    ("line", "redirects"),
    [
        ("off", None),
        ("false", None),
        ("same-origin", Redirects()),
        ("{max: 1}", Redirects(max=1)),
        ("${R:-same-origin}", Redirects()),
        ("${R:-off}", None),
    ],
)
def test_redirects(line, redirects):
    assert shop(f"redirects: {line}").settings().redirects == redirects


def test_an_operation_may_follow_more_or_less_than_its_service():
    operations = "operations: {a: {get: /a, redirects: off}, b: {get: /b, redirects: {max: 1}}, c: {get: /c}}"
    service = shop(
        f"redirects: {{max: 3}}\ncompress: gzip\n{operations.replace('redirects: off', 'redirects: off, compress: off')}"
    )
    assert [service.settings(name).redirects for name in "abc"] == [None, Redirects(max=1), Redirects(max=3)]
    assert [service.settings(name).compress for name in "abc"] == [None, "gzip", "gzip"]
    assert str(service.origins("c")["redirects.max"]) == "s.yaml:5:22"
    assert "redirects" not in service.origins("c")
    assert str(shop().origins()["redirects"]) == "built-in"


@pytest.mark.parametrize(
    ("url", "with_port"),
    [
        ("http://proxy.example", "http://proxy.example:80"),
        ("https://proxy.example/", "https://proxy.example:443"),
        ("http://[fe80::1%25eth0]", "http://[fe80::1%25eth0]:80"),
        ("http://127.0.0.1:3128", "http://127.0.0.1:3128"),
        ("socks5://[::1]", "socks5://[::1]:1080"),
    ],
)
def test_a_proxy_has_a_port(url, with_port):
    assert shop(f'proxy: "{url}"').settings().proxy == with_port


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("http://ada:canary%40one@proxy.example:3128", "canary@one"),
        ("http://canary-token@proxy.example", "canary-token"),
        ("http://jösé:pässwört@proxy.example", "pässwört"),
        ("http://j%F6s%E9:p%E4ss@proxy.example", "avZz6Tpw5HNz"),
        ("http://ada:${PW}@proxy.example", "canary-pw"),
        ("${PROXY}", "canary-whole"),
    ],
)
def test_a_proxy_with_a_password_is_a_secret(url, masked):
    variables = {"PW": "canary-pw", "PROXY": "http://ada:canary-whole@proxy.example"}
    service = shop(f'proxy: "{url}"', variables=variables)
    proxy = service.settings().proxy
    assert isinstance(proxy, Secret)
    assert "canary" not in f"{service.settings()!r} {service.origins()}"
    assert redact(f"407 for {masked}", service.secrets()) == "407 for ***"
    assert redact(f"{proxy.reveal()} and http://proxy.example", service.secrets()) == "*** and http://proxy.example"


def test_a_password_of_a_proxy_written_on_the_sheet_is_warned_of():
    warnings = parse(HEAD + "    proxy: http://ada:canary@proxy.example\n").warnings
    assert "`proxy` of service `shop`: a secret written out on the sheet" in str(warnings)
    assert "canary" not in str(warnings)


def test_a_proxys_password_in_a_file_is_read_anew(tmp_path):
    (tmp_path / "pw").write_text("first")
    service = shop('proxy: "http://ada:${file:pw}@proxy.example"', folder=tmp_path)
    assert service.settings().proxy.reveal() == "http://ada:first@proxy.example:80"
    assert service.settings().proxy == service.settings(None, {"timeout": 3}).proxy


@pytest.mark.parametrize(
    "url", ["http://ada:canary/1@proxy.example", "http://ada:canary 1@proxy.example", "canary@proxy"]
)
def test_a_proxy_that_cannot_be_read_is_not_shown(url):
    assert "canary" not in errors(shop, f'proxy: "{url}"')


LONG = "a-secret-of-32-bytes-or-more-for-hs256"
JWT_DEFAULTS = {"algorithm": "HS256", "expires": 3600.0, "header": "Authorization", "scheme": "Bearer"}


@pytest.mark.parametrize(
    ("line", "kind", "options"),
    [
        ("{bearer: t}", "bearer", {"token": Secret("t")}),
        ("{basic: {username: u, password: p}}", "basic", {"username": Secret("u"), "password": Secret("p")}),
        ("{api_key: {header: X-Key, value: k}}", "api_key", {"header": "X-Key", "value": Secret("k")}),
        ("{api_key: {query: key, value: k}}", "api_key", {"query": "key", "value": Secret("k")}),
        ("{api_key: {cookie: key, value: k}}", "api_key", {"cookie": "key", "value": Secret("k")}),
        (f"{{jwt: {{secret: {LONG}}}}}", "jwt", {"secret": Secret(LONG), **JWT_DEFAULTS}),
        (f"{{jwt: {{secret: {LONG}, scheme: ''}}}}", "jwt", {"secret": Secret(LONG), **JWT_DEFAULTS, "scheme": ""}),
        (
            f"{{jwt: {{secret: {LONG}, expires: 90, audience: [a, 7], claims: {{a: [1, {{b: x}}], c: null}}}}}}",
            "jwt",
            {
                "secret": Secret(LONG),
                **JWT_DEFAULTS,
                "expires": 90.0,
                "audience": ["a", "7"],
                "claims": {"a": [1, {"b": "x"}]},
            },
        ),
    ],
)
def test_auth(line, kind, options):
    auth = shop(f"auth: {line}").settings().auth
    assert (auth.kind, auth.options) == (kind, options)


def test_an_operation_may_go_without_the_services_credential():
    service = shop("auth: {bearer: t}\noperations: {login: {post: /login, auth: off}}")
    assert service.settings("login").auth is None
    assert service.settings().auth.kind == "bearer"


@pytest.mark.parametrize(
    ("line", "throttled"),
    [("first: 5s", 5.0), ("first: 100ms", 1.0), ("{first: 10ms, max: 200ms}", 0.2)],
)
def test_the_pause_after_a_429_stays_between_the_first_and_the_longest(line, throttled):
    line = line if line.startswith("{") else f"{{{line}}}"
    assert shop(f"retry: {{backoff: {line}}}").settings().retry.backoff.throttled == throttled


def test_origins():
    service = parse(LAYERS).services["shop"]
    origins = {name: str(origin) for name, origin in service.origins("op").items()}
    assert origins["timeout.connect"] == "s.yaml:3:22"
    assert origins["timeout.total"] == origins["timeout.attempt"] == "s.yaml:17:18"
    assert origins["timeout.read"] == "built-in"
    assert origins["retry.attempts"] == "s.yaml:16:27"
    assert origins["retry.statuses"] == "s.yaml:11:23"
    assert origins["retry.backoff.first"] == "built-in"
    assert origins["headers.X-WHO"] == "s.yaml:15:26"
    assert origins["base_url"] == "s.yaml:9:15"
    assert {name for name in service.origins("off") if name.startswith("retry")} == {"retry"}


def test_origins_name_the_variables_and_the_code():
    service = shop('timeout: "${T}"\nheaders: {X-A: "a ${A} ${B:-b}"}', variables={"T": "3", "A": "x"})
    origins = service.origins(None, {"http2": True})
    assert str(origins["timeout.total"]) == "s.yaml:5:14 (${T})"
    assert origins["headers.X-A"].variables == ("A", "B")
    assert str(origins["http2"]) == "Client(...)"


def test_origins_name_the_environments_line():
    text = HEAD + "    retry: {attempts: 2}\nenvironments: {e: {services: {shop: {retry: {attempts: 5}}}}}\n"
    assert str(parse(text, env="e").services["shop"].origins()["retry.attempts"]) == "s.yaml:6:56"


TIMEOUTS = [
    (WrittenTimeout(), Timeout(5, 10, 10, 30)),
    (WrittenTimeout(total=3), Timeout(3, 10, 3, 3)),
    (WrittenTimeout(attempt=60), Timeout(5, 60, 60, 60)),
    (WrittenTimeout(connect=20), Timeout(20, 20, 20, 30)),
    (WrittenTimeout(read=40), Timeout(5, 40, 40, 40)),
    (WrittenTimeout.within(2), Timeout(2, 10, 2, 2)),
    (WrittenTimeout.within(60), Timeout(5, 60, 60, 60)),
    (WrittenTimeout.within(2, WrittenTimeout(connect=1, read=9)), Timeout(1, 2, 2, 2)),
    (WrittenTimeout(attempt=2).over(WrittenTimeout.within(10)), Timeout(2, 10, 2, 10)),
]


@pytest.mark.parametrize(("written", "resolved"), TIMEOUTS)
def test_a_default_yields_to_what_is_written(written, resolved):
    assert written.resolved() == resolved


def test_a_short_form_can_always_be_narrowed():
    service = operation("get: /x\ntimeout: {attempt: 1s}")
    assert service.settings("op", {"timeout": 20}).timeout == Timeout(5, 20, 20, 20)
    assert shop("timeout: 10", variables={}).settings(None, {"timeout": {"attempt": 2}}).timeout.connect == 2


def test_a_sheet_error_lists_its_findings():
    with pytest.raises(SheetError) as caught:
        shop("retires: 3\nhttp2: maybe")
    assert [(f.where, f.line, f.column) for f in caught.value.findings] == [
        ("s.yaml:5:5", 5, 5),
        ("s.yaml:6:12", 6, 12),
    ]


@pytest.mark.parametrize(
    ("url", "auth", "is_told"),
    [
        ("http://shop.example.com", "{bearer: '${T}'}", True),
        ("http://10.0.0.7:8000", "{bearer: '${T}'}", True),
        ("https://shop.example.com", "{bearer: '${T}'}", False),
        ("http://127.0.0.1:8000", "{bearer: '${T}'}", False),
        ("http://[::1]:8000", "{bearer: '${T}'}", False),
        ("http://localhost", "{bearer: '${T}'}", False),
        ("http://shop.localhost", "{bearer: '${T}'}", False),
        ("http://shop.localhost.:1", "{bearer: '${T}'}", False),
        ("http://localhost.example.com", "{bearer: '${T}'}", True),
        ("http://[0:0:0:0:0:0:0:1]", "{bearer: '${T}'}", False),
        ("http://[::1%25lo]", "{bearer: '${T}'}", False),
        ("http://[fe80::1%25eth0]", "{bearer: '${T}'}", True),
        ("http://shop.example.com", "off", False),
    ],
)
def test_a_credential_over_http_is_a_warning(url, auth, is_told):
    text = f'callsheet: 1\nservices:\n  shop:\n    base_url: "{url}"\n    auth: {auth}\n'
    warnings = Sheet.parse(text, variables={"T": "the-token"}).warnings
    assert [finding.line for finding in warnings] == ([4] if is_told else [])
    assert all("`auth` over http" in finding.message for finding in warnings)


@pytest.mark.parametrize(
    ("line", "is_told"),
    [("get: '/bot${BOT_TOKEN}/me'", True), ("get: '/${VERSION}/me'", False), ("get: '/bot{token}/me'", False)],
)
def test_a_credential_in_a_path_is_a_warning(line, is_told):
    text = f"{HEAD}    operations: {{op: {{{line}}}}}\n"
    warnings = parse(text, variables={"BOT_TOKEN": "abc", "VERSION": "v1"}).warnings
    assert [("`${BOT_TOKEN}` in a URL is shown" in finding.message) for finding in warnings] == (
        [True] if is_told else []
    )


def test_a_type_that_the_body_overrules_is_a_warning():
    text = (
        HEAD + "    operations: {op: {post: /x, json: object, headers: {content-type: application/x-amz-json-1.0}}}\n"
    )
    (warning,) = parse(text).warnings
    assert "is not sent: `json` has a type of its own" in warning.message


@pytest.mark.parametrize(
    ("written", "statuses", "shown"),
    [
        ("[5xx]", set(range(500, 600)), "[5xx]"),
        ("5xx", set(range(500, 600)), "[5xx]"),
        ("[429, 5XX]", {429, *range(500, 600)}, "[429, 5xx]"),
        ("[503, 4xx, 404]", {503, *range(400, 500)}, "[503, 4xx]"),
        ("[5xx, 4xx, 503]", set(range(400, 600)), "[4xx, 5xx]"),
        ("[503, '${CLASS:-5xx}']", set(range(500, 600)), "[5xx]"),
        ("[429, 503]", {429, 503}, "[429, 503]"),
        ("[]", set(), "[]"),
    ],
)
def test_retried_statuses_are_numbers_and_classes(written, statuses, shown):
    settings = shop(f"retry: {{statuses: {written}}}").settings()
    assert settings.retry.statuses == statuses
    assert spelled("retry.statuses", settings.retry.statuses) == shown
