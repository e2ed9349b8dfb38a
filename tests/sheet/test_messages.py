"""Every rule of the sheet has its message, with the place it is about."""

import pytest

from tests.sheet.sheets import HEAD, errors, operation, parse, shop

SERVICE = [
    ("retires: 3", "5:5: unknown key `retires` in service `shop`", "did you mean `retry`?"),
    ("url: x", "5:5: unknown key `url` in service `shop`", "did you mean `base_url`?"),
    ("max-attempts: 3", "5:5: unknown key `max-attempts`", "did you mean `retry: {attempts: 3}`?"),
    ("maxRetries: 3", "5:5: unknown key `maxRetries`", "did you mean `retry: {attempts: 3}`?"),
    ("endpoints: {}", "5:5: unknown key `endpoints`", "did you mean `operations`?"),
    ("paginator: x", "5:5: unknown key `paginator`", "did you mean `paginate`?"),
    ("data_selector: x", "5:5: unknown key `data_selector`", "did you mean `paginate: {items: ...}`?"),
    ("token: x", "5:5: unknown key `token`", 'did you mean `auth: {bearer: "${TOKEN}"}`?'),
    ("verify: false", "5:5: unknown key `verify`", "did you mean `tls: {ca: PATH}`?"),
    ("timeout_seconds: 3", "5:5: unknown key `timeout_seconds`", "did you mean `timeout: 10s`?"),
    ("xyzzy: 3", "5:5: unknown key `xyzzy` in service `shop`", "it takes `base_url`, `headers`"),
    ("5: x", "5:5: unknown key `5` in service `shop`", ""),
    ("retry: 3", "5:12: `retry` of service `shop`: expected `off`", "write `retry: {attempts: 3}`: tries in all"),
    ("retry: on", "5:12: `retry` of service `shop`: expected `off` or a mapping", ""),
    ("retry: {attempts: 0}", "5:23: `retry.attempts` of service `shop`: expected a whole number from 1 to 10, found `0`", ""),
    ("retry: {attempts: 11}", "5:23: `retry.attempts`", ""),
    ("retry: {attempts: 2.0}", "5:23: `retry.attempts`", ""),
    ("retry: {attempts: true}", "5:23: `retry.attempts`", ""),
    ("retry: {tries: 3}", "5:13: unknown key `tries` in `retry` of service `shop`", "did you mean `attempts`?"),
    ("retry: {budget: {ratio: 120%}}", "5:29: `retry.budget.ratio` of service `shop`: expected a share from 0 to 1", ""),
    ("retry: {budget: {window: 0}}", "5:30: `retry.budget.window` of service `shop`: expected a duration from 1ms to 366 days", "found `0`"),
    ("retry: {budget: {floor: -1}}", "5:29: `retry.budget.floor` of service `shop`: expected a number per second, 0 or more", "found `-1`"),
    ("retry: {budget: {percent: 20}}", "5:22: unknown key `percent` in `retry.budget`", "did you mean `ratio: 20%`?"),
    ("breaker: on", "5:14: `breaker` of service `shop`: expected `off` or a mapping such as `{ratio: 50%, samples: 20}`", ""),
    ("breaker: {ratio: 50}", "5:22: `breaker.ratio` of service `shop`: expected a share from 0 to 1, such as `50%` or 0.5, found `50`", ""),
    ("breaker: {window: 0s}", "5:23: `breaker.window` of service `shop`: expected a duration from 1ms", ""),
    ("breaker: {samples: 0}", "5:24: `breaker.samples` of service `shop`: expected a whole number from 1", ""),
    ("breaker: {probes: 0}", "5:23: `breaker.probes` of service `shop`: expected a whole number from 1", ""),
    ("breaker: {open: 60s, max_open: 5s}", "5:21: `breaker.open` of service `shop` is 60 s, longer than `max_open`, 5 s", "write `open` below `max_open`"),
    ("breaker: {failure_threshold: 5}", "5:15: unknown key `failure_threshold` in `breaker` of service `shop`", "did you mean `samples`?"),
    ("circuit_breaker: {}", "5:5: unknown key `circuit_breaker`", "did you mean `breaker`?"),
    ("rate_limit: off", "5:17: `rate_limit` of service `shop`: expected a rate such as `50/s`", "leave it out"),
    ("rate_limit: 50", "5:17: `rate_limit.rates` of service `shop`: expected a rate such as `50/s`, `1000/min` or `10/100ms`, found `50`", ""),
    ("rate_limit: 0/s", "5:17: `rate_limit.rates` of service `shop`: expected a rate", ""),
    ("rate_limit: 5/0s", "5:17: `rate_limit.rates` of service `shop`: expected a rate", ""),
    ("rate_limit: [50/s, often]", "5:24: `rate_limit.rates` of service `shop`: expected a rate", "found `often`"),
    ("rate_limit: {burst: 5}", "5:18: unknown key `burst` in `rate_limit`", "all of a rate may go at once"),
    ("rate_limit: {rates: 5/s, cost: 0}", "5:36: `rate_limit.cost` of service `shop`: expected a whole number from 1", ""),
    ("rate_limit: {rates: 5/s, cost: 6}", "5:36: `rate_limit` of service `shop`: a request costs 6 units, more than 5/1 s ever allows", "lower `cost`, or raise the rate"),
    ("rate_limit: {rates: 5/s, per: tenant}", "5:35: `rate_limit.per` of service `shop`: no argument is named `tenant`", "write one of `service` or `operation`"),
    ("rate_limit: {when_full: drop}", "5:29: `rate_limit.when_full` of service `shop`: expected `wait` or `fail`, found `drop`", ""),
    ("idempotency_key: 5", "5:22: `idempotency_key` of service `shop`: expected true, the name of a header, or a mapping", ""),
    ("idempotency_key: a b", "5:22: `idempotency_key` of service `shop`: expected the name of a header", ""),
    ("idempotency_key: {from: caller}", "5:29: `idempotency_key.from` of service `shop`: expected `auto` or `argument`, found `caller`", ""),
    ("idempotency_key: {name: X}", "5:23: unknown key `name` in `idempotency_key`", "did you mean `header`?"),
    ("deadline_header: a b", "5:22: `deadline_header` of service `shop`: expected the name of a header", ""),
    ("deadline_header: Content-Length", "5:22: `deadline_header` of service `shop`: the header `Content-Length` is set by the transport", ""),
    ("retry: {statuses: 503}", "5:23: `retry.statuses` of service `shop`: expected a list of statuses", ""),
    ("retry: {statuses: [200]}", "5:24: `retry.statuses` of service `shop`: expected a whole number from 400 to 599", ""),
    ("retry: {methods: [GTE]}", "5:23: `retry.methods`", "did you mean `GET`?"),
    ("retry: {backoff: 3}", "5:22: `retry.backoff` of service `shop`: expected a mapping of first and max", ""),
    ("retry: {backoff: {first: 0}}", "5:30: `retry.backoff.first`", ""),
    ("retry: {backoff: {first: 9s, max: 3s}}", "5:30: `retry.backoff` of service `shop`: the first pause, 9 s, is above the ceiling `max`, 3 s (s.yaml:5:39)", "write both"),
    ("retry: {backoff: {first: 30s}}", "5:30: `retry.backoff` of service `shop`: the first pause, 30 s, is above the ceiling `max`, 20 s (built-in)", ""),
    ("timeout: 0", "5:14: `timeout` of service `shop`: expected a duration from 1ms", ""),
    ("timeout: -1", "5:14: `timeout` of service `shop`: expected a duration", "found `-1`"),
    ("timeout: .inf", "5:14: `timeout` of service `shop`: expected a duration", ""),
    ("timeout: .nan", "5:14: `timeout` of service `shop`: expected a duration", ""),
    ("timeout: 5 parsecs", "5:14: `timeout` of service `shop`: expected a duration", "found `5 parsecs`"),
    ("timeout: []", "5:14: `timeout` of service `shop`: expected a duration such as `10s`, or a mapping", "found a list"),
    ("timeout: {total: soon}", "5:22: `timeout.total` of service `shop`: expected a duration", "found `soon`"),
    ("timeout: {seconds: 3}", "5:15: unknown key `seconds` in `timeout` of service `shop`", "did you mean `total`?"),
    ("timeout: {attempt: 9s, total: 3s}", "5:24: `timeout.attempt` of service `shop` is 9 s, longer than `timeout.total`, which is 3 s (s.yaml:5:35)", "change one"),
    ("concurrency: 0", "5:18: `concurrency.limit` of service `shop`: expected a whole number from 1", ""),
    ("concurrency: {queue: -1}", "5:26: `concurrency.queue`", ""),
    ("concurrency: []", "5:18: `concurrency` of service `shop`: expected a whole number, or a mapping of limit and queue", ""),
    ("pool: 3", "5:11: `pool` of service `shop`: expected a mapping of connections and idle", ""),
    ("pool: {connections: 0}", "5:25: `pool.connections`", ""),
    ("caps: {response: 0}", "5:22: `caps.response` of service `shop`: expected a size", ""),
    ("caps: {response: 10 cm}", "5:22: `caps.response` of service `shop`: expected a size", "found `10 cm`"),
    ("caps: {headers: 5 cm}", "5:21: `caps.headers` of service `shop`", "found `5 cm`"),
    ("caps: {encodings: 0}", "5:23: `caps.encodings`", ""),
    ("tls: {min_version: 1.1}", "5:24: `tls.min_version` of service `shop`: expected `1.2` or `1.3`, found `1.1`", ""),
    ("tls: {ca: no/such.pem}", "5:15: `tls.ca` of service `shop`: there is no such file", "looked for it in"),
    ("tls: {ca: \"-----BEGIN CERTIFICATE-----\"}", "5:15: `tls.ca` of service `shop`: expected the path of a PEM file, found what is in one", "write it to a file"),
    ("tls: {cert: no/such.pem}", "5:17: `tls.cert` of service `shop`: there is no such file", "looked for it in"),
    ("tls: {key: no/such.pem}", "5:16: `tls.key` of service `shop`: there is no such file", "looked for it in"),
    ("tls: {key_password: \"${P:-p}\"}", "5:25: `tls.key_password` of service `shop`: there is no `tls.cert`", "write it, too"),
    ("tls: {verify: false}", "5:19: `tls.verify` of service `shop`: false leaves open who answers, so it needs an `insecure_reason`", "`ca` trusts an authority of your own; else write `insecure_reason: \"why\"` beside it"),
    ("tls: {verify: no}", "5:19: `tls.verify` of service `shop`: expected true or false, found `no`", ""),
    ("tls: {insecure_reason: ''}", "5:28: `tls.insecure_reason` of service `shop`: expected a text, found an empty text", ""),
    ("tls: {pins: sha256//x}", "5:17: `tls.pins` of service `shop`: expected a list of pins", "one for the key of today, one for the next"),
    ("tls: {pins: []}", "5:17: `tls.pins` of service `shop`: expected a list of pins", ""),
    ("tls: {pins: [sha256//AAAA]}", "5:18: `tls.pins` of service `shop`: expected a pin: `sha256//` and the 44 characters of a SHA-256 in base64", ""),
    ("tls: {pins: [sha256/AAAA]}", "5:18: `tls.pins` of service `shop`: expected a pin", "it begins with `sha256//`, two slashes"),
    ("tls: {pins: [5]}", "5:18: `tls.pins` of service `shop`: expected a pin", "found `5`"),
    ("tls: {certfile: x}", "5:11: unknown key `certfile`", "did you mean `cert`?"),
    ("tls: {passphrase: x}", "5:11: unknown key `passphrase`", "did you mean `key_password`?"),
    ("tls: {cafile: x}", "5:11: unknown key `cafile`", "did you mean `ca`?"),
    ("http2: yes", "5:12: `http2` of service `shop`: expected true or false, found `yes`", ""),
    ("redirects: true", "5:16: `redirects` of service `shop`: expected `off`, `same-origin`, or a mapping such as `{follow: same-origin, max: 5}`, found `true`", "write `redirects: same-origin`; one to another origin is never followed"),
    ("redirects: all", "5:16: `redirects` of service `shop`: expected `off`, `same-origin`, or a mapping", "found `all`"),
    ("redirects: [same-origin]", "5:16: `redirects` of service `shop`: expected `off`", "found a list"),
    ("redirects: {follow: any}", "5:25: `redirects.follow` of service `shop`: expected `same-origin`, found `any`", ""),
    ("redirects: {max: 0}", "5:22: `redirects.max` of service `shop`: expected a whole number from 1 to 20, found `0`", ""),
    ("redirects: {max_redirects: 3}", "5:17: unknown key `max_redirects` in `redirects` of service `shop`", "did you mean `max`?"),
    ("follow_redirects: true", "5:5: unknown key `follow_redirects` in service `shop`", "did you mean `redirects: same-origin`?"),
    ("cookies: yes", "5:14: `cookies` of service `shop`: expected true or false", ""),
    ("trust_env: 1", "5:16: `trust_env` of service `shop`: expected true or false, found `1`", ""),
    ("compress: br", "5:15: `compress` of service `shop`: expected `off` or `gzip`, found `br`", ""),
    ("compress: true", "5:15: `compress` of service `shop`: expected `off` or `gzip`, found `true`", ""),
    ("compress: {gzip: 6}", "5:15: `compress` of service `shop`: expected `off` or `gzip`, found a mapping", ""),
    ("compression: gzip", "5:5: unknown key `compression`", "did you mean `compress: gzip`?"),
    ("proxy: proxy.example:3128", "5:12: `proxy` of service `shop`: expected a URL that begins with http://, https://, socks5:// or socks5h://", "`socks5h` lets the proxy look names up"),
    ("proxy: socks4://proxy.example", "5:12: `proxy` of service `shop`: expected a URL that begins with http://", ""),
    ("proxy: off", "5:12: `proxy` of service `shop`: expected a URL that begins with http://", ""),
    ("proxy: 3128", "5:12: `proxy` of service `shop`: expected the URL of a proxy such as `http://proxy.example:3128`", "found a number"),
    ("proxy: {url: x}", "5:12: `proxy` of service `shop`: expected the URL of a proxy", "found a mapping"),
    ("proxy: http://proxy.example/path", "5:12: `proxy` of service `shop`: a host, port or user name that cannot be read", "a path or query does not belong there"),
    ("proxy: http://a:b@c@proxy.example", "5:12: `proxy` of service `shop`: a host, port or user name that cannot be read", "in a password, write `@` as %40"),
    ("proxy: http://proxy.example:99999", "5:12: `proxy` of service `shop`: a port that cannot be", "from 1 to 65535"),
    ("proxies: {}", "5:5: unknown key `proxies`", "did you mean `proxy`?"),
    ("idempotent: 1", "5:17: `idempotent` of service `shop`: expected true or false, found `1`", ""),
    ("description: 5", "5:18: `description` of service `shop`: expected a text, found `5`", "write it in quotes"),
    ("description: [a]", "5:18: `description` of service `shop`: expected a text, found a list", ""),
    ("user_agent: 'a\tb'", "5:17: `user_agent` of service `shop`: expected a text of printable ASCII", ""),
    ("headers: x", "5:14: `headers` of service `shop`: expected a mapping from header name to value", ""),
    ("headers: {a b: x}", "5:15: `headers` of service `shop`: expected the name of a header", ""),
    ("headers: {X-Ä: x}", "5:15: `headers` of service `shop`: expected the name of a header", ""),
    ("headers: {1: x}", "5:15: `headers` of service `shop`: expected the name of a header", ""),
    ("headers: {X-A: 1, x-a: 2}", "5:23: `headers` of service `shop`: the header `x-a` twice; names have no case", ""),
    ("headers: {Content-Length: 1}", "5:15: `headers` of service `shop`: the header `Content-Length` is set by the transport", ""),
    ('headers: {X-A: "a\\r\\nb"}', "5:20: `headers.X-A` of service `shop`: a line break or NUL", ""),
    ("headers: {X-A: ☃}", "5:20: `headers.X-A` of service `shop`: a character outside Latin-1", ""),
    ("headers: {X-A: [a]}", "5:20: `headers.X-A` of service `shop`: expected one value, found a list", ""),
    ("params: [a]", "5:13: `params` of service `shop`: expected a mapping from name to value", ""),
    ("params: {a: {b: 1}}", "5:17: `params.a` of service `shop`: expected a value or a list of values, found a mapping", ""),
    ("params: {1: a}", "5:14: `params` of service `shop`: expected a name in text", "write it in quotes"),
    ("auth: on", "5:11: `auth` of service `shop`: expected `off`, or a mapping with one kind", ""),
    ("auth: {}", "5:11: `auth` of service `shop`: expected one kind, found 0", "write one of `bearer`, `basic` or `api_key`"),
    ("auth: {bearer: a, basic: {}}", "5:11: `auth` of service `shop`: expected one kind, found 2", ""),
    ("auth: {bearer: [a]}", "5:20: `auth.bearer` of service `shop`: expected a text, found a list", ""),
    ("auth: {bearer: ''}", "5:20: `auth.bearer` of service `shop`: expected a text", ""),
    ("auth: {jwt: {}}", "5:12: `jwt` is not supported yet (`auth` of service `shop`)", ""),
    ("auth: {token: a}", "5:12: unknown key `token` in `auth` of service `shop`", "did you mean `bearer`?"),
    ("auth: {basic: {username: a}}", "5:19: `auth.basic` of service `shop`: `password` is missing", "write it beside `username`"),
    ("auth: {basic: {user: a, password: b}}", "5:20: unknown key `user` in `auth.basic`", "did you mean `username`?"),
    ("auth: {basic: {username: 'a:b', password: c}}", "5:30: `auth.basic.username` of service `shop`: a `:`", ""),
    ("auth: {basic: x}", "5:19: `auth.basic` of service `shop`: expected a mapping of username, password", ""),
    ("auth: {api_key: {value: x}}", "5:21: `auth.api_key` of service `shop`: expected one of `header`, `query` or `cookie`", ""),
    ("auth: {api_key: {header: A, query: b, value: x}}", "5:21: `auth.api_key` of service `shop`: expected one of", ""),
    ("auth: {api_key: {header: a b, value: x}}", "5:30: `auth.api_key.header` of service `shop`: expected a name", ""),
    ("auth: {api_key: {name: A, value: x}}", "5:22: unknown key `name`", "did you mean `header`, with the name as its value?"),
    ("envelope: 5", "5:15: `envelope` of service `shop`: expected `off` or a mapping such as `{ok: {path: code, equals: 0}, data: data}`, found `5`", ""),
    ("envelope: {}", "5:15: `envelope` of service `shop`: neither `ok` nor `data`", "write `ok: {path: code, equals: 0}`"),
    ("envelope: {message: msg}", "5:15: `envelope` of service `shop`: neither `ok` nor `data`", ""),
    ("envelope: {ok: 0}", "5:20: `envelope.ok` of service `shop`: expected a mapping such as `{path: code, equals: 0}`, found `0`", ""),
    ("envelope: {ok: {}}", "5:20: `envelope.ok` of service `shop`: `path` is missing", "write where the value stands"),
    ("envelope: {ok: {equals: 0}}", "5:21: `envelope.ok` of service `shop`: `path` is missing", ""),
    ("envelope: {ok: {matches: a}}", "5:21: `envelope.ok` of service `shop`: `path` is missing", ""),
    ("envelope: {ok: {path: a, equals: 0, matches: b}}", "5:41: `envelope.ok` of service `shop`: `matches` beside `equals`", "keep one"),
    ("envelope: {ok: {path: $.a}}", "5:27: `envelope.ok.path` of service `shop`: expected a dotted path such as `code` or `error.code`, found `$.a`", "did you mean `a`?"),
    ("envelope: {ok: {path: 'a[0].b'}}", "5:27: `envelope.ok.path` of service `shop`: expected a dotted path", "did you mean `a.0.b`?"),
    ("envelope: {ok: {path: a..b}}", "5:27: `envelope.ok.path` of service `shop`: expected a dotted path", "single dots"),
    ("envelope: {ok: {path: 0}}", "5:27: `envelope.ok.path` of service `shop`: expected a dotted path", "write it in quotes"),
    ("envelope: {ok: {path: a, equals: {b: 1}}}", "5:38: `envelope.ok.equals` of service `shop`: expected a text, a number, true, false, null, or a list of them, found a mapping", ""),
    ("envelope: {ok: {path: a, equals: [[1]]}}", "5:39: `envelope.ok.equals` of service `shop`: expected a text", "found a list"),
    ("envelope: {ok: {path: a, equals: []}}", "5:38: `envelope.ok.equals` of service `shop`: expected a text", "list one at least"),
    ("envelope: {ok: {path: a, equals: .inf}}", "5:38: `envelope.ok.equals` of service `shop`: expected a text", "found `.inf`"),
    ("envelope: {ok: {path: a, regex: b}}", "5:30: unknown key `regex` in `envelope.ok` of service `shop`", "did you mean `matches`?"),
    ("envelope: {data: ''}", "5:22: `envelope.data` of service `shop`: expected a dotted path", ""),
    ("envelope: {result: a}", "5:16: unknown key `result` in `envelope` of service `shop`", "did you mean `data`?"),
    ("unwrap: data", "5:5: unknown key `unwrap`", "did you mean `envelope: {data: data}`?"),
    ("errors: 5", "5:13: `errors` of service `shop`: expected `off`, or a list of rules such as `{when: {path: code, equals: 1001}, then: fail}`, found `5`", ""),
    ("errors: {when: {status: 404}, then: fail}", "5:13: `errors` of service `shop`: expected `off`, or a list of rules", "begin each rule with `- `"),
    ("errors: [404]", "5:14: `errors.0` of service `shop`: expected a rule such as", "found `404`"),
    ("errors: [{then: fail}]", "5:14: `errors.0` of service `shop`: `when` is missing", "write `when: {status: 404}`"),
    ("errors: [{when: {status: 404}}]", "5:14: `errors.0` of service `shop`: `then` is missing", "write one of `fail`, `retry`, `ignore`, `rate_limited` or `refresh_token`"),
    ("errors: [{when: {status: 404}, then: fail}, {when: {}, then: fail}]", "5:56: `errors.1.when` of service `shop`: nothing to look at", "write `status`, `path`, or both"),
    ("errors: [{when: 404, then: fail}]", "5:21: `errors.0.when` of service `shop`: expected a mapping such as `{status: 404}` or `{path: code, equals: 1001}`, found `404`", ""),
    ("errors: [{if: {status: 404}, then: fail}]", "5:15: unknown key `if` in `errors.0` of service `shop`", "did you mean `when`?"),
    ("errors: [{code: 5, then: fail}]", "5:15: unknown key `code` in `errors.0` of service `shop`", "did you mean `when: {path: code, equals: 1001}`?"),
    ("errors: [{when: {code: 5}, then: fail}]", "5:22: unknown key `code` in `errors.0.when` of service `shop`", "did you mean `path: code`?"),
    ("errors: [{when: {status: 600}, then: fail}]", "5:30: `errors.0.when.status` of service `shop`: expected a status such as `404`, a class such as `5xx`, or a list of them, found `600`", ""),
    ("errors: [{when: {status: 1xx}, then: fail}]", "5:30: `errors.0.when.status` of service `shop`: expected a status", "found `1xx`"),
    ("errors: [{when: {status: '404'}, then: fail}]", "5:30: `errors.0.when.status` of service `shop`: expected a status", "write it without quotes"),
    ("errors: [{when: {status: true}, then: fail}]", "5:30: `errors.0.when.status` of service `shop`: expected a status", ""),
    ("errors: [{when: {status: []}, then: fail}]", "5:30: `errors.0.when.status` of service `shop`: expected a status", "list one at least"),
    ("errors: [{when: {status: 404, equals: 5}, then: fail}]", "5:35: `errors.0.when` of service `shop`: `path` is missing", ""),
    ("errors: [{when: {path: a, matches: '('}, then: fail}]", "5:40: `errors.0.when.matches` of service `shop` is no regular expression: missing ), unterminated subpattern", "put it in single quotes"),
    ("errors: [{when: {path: a, matches: 5}, then: fail}]", "5:40: `errors.0.when.matches` of service `shop`: expected a regular expression, found `5`", "write it in quotes"),
    ("errors: [{when: {path: a, equals: 1, matches: b}, then: fail}]", "5:42: `errors.0.when` of service `shop`: `matches` beside `equals`", "keep one"),
    ("errors: [{when: {status: 404}, then: raise}]", "5:42: `errors.0.then` of service `shop`: expected `fail`, `retry`, `ignore`, `rate_limited` or `refresh_token`, found `raise`", "did you mean `fail`?"),
    ("errors: [{when: {status: 404}, then: retyr}]", "5:42: `errors.0.then` of service `shop`: expected `fail`", "did you mean `retry`?"),
    ("errors: [{when: {status: 404}, then: [fail]}]", "5:42: `errors.0.then` of service `shop`: expected `fail`", "found a list"),
    ("errors: [{when: {status: 404}, then: ignore, raise: NotFound}]", "5:50: `errors.0` of service `shop`: `raise` beside `then: ignore`", "an answer that is ignored raises nothing"),
    ("errors: [{when: {status: 404}, then: ignore, message: a}]", "5:50: `errors.0` of service `shop`: `message` beside `then: ignore`", ""),
    ("errors: [{when: {status: 404}, then: fail, raise: out_of_stock}]", "5:55: `errors.0.raise` of service `shop`: `out_of_stock` is no class name", "write it like `OutOfStock`"),
    ("errors: [{when: {status: 404}, then: fail, raise: NotSent}]", "5:55: `errors.0.raise` of service `shop`: `NotSent` is an error of Callsheet's own", "choose another name"),
    ("errors: [{when: {status: 404}, then: fail, raise: TimeoutError}]", "5:55: `errors.0.raise` of service `shop`: `TimeoutError` is an exception of Python's own", "choose another name"),
    ("errors: [{when: {status: 404}, then: fail, raise: 5}]", "5:55: `errors.0.raise` of service `shop`: expected the name of an error such as `NotFound` or `OutOfStock`", ""),
    ("errors: [{when: {status: 404}, then: fail, message: 'a[0]'}]", "5:57: `errors.0.message` of service `shop`: expected a dotted path", "did you mean `a.0`?"),
    ("error_map: {}", "5:5: unknown key `error_map`", "did you mean `errors`?"),
    ("response_actions: []", "5:5: unknown key `response_actions`", "did you mean `errors`?"),
    ("fallback: 5", "5:15: `fallback` of service `shop`: expected `off`, `{value: ...}` or `{python: \"module:function\"}`, found `5`", "write `{value: ...}`"),
    ("fallback: []", "5:15: `fallback` of service `shop`: expected `off`", "found a list"),
    ("fallback: {}", "5:15: `fallback` of service `shop`: expected one of `value` and `python`, found 0", "`{value: null}` gives None"),
    ("fallback: {value: 5, python: 'a:b'}", "5:15: `fallback` of service `shop`: expected one of `value` and `python`, found 2", "keep one"),
    ("fallback: {python: a.b.c}", "5:24: `fallback.python` of service `shop`: expected a function as `package.module:function`, found `a.b.c`", "did you mean `a.b:c`?"),
    ("fallback: {python: c}", "5:24: `fallback.python` of service `shop`: expected a function", ""),
    ("fallback: {python: 5}", "5:24: `fallback.python` of service `shop`: expected a function", "found `5`"),
    ("fallback: {default: 5}", "5:16: unknown key `default` in `fallback` of service `shop`", "did you mean `value`?"),
    ("default_value: 5", "5:5: unknown key `default_value`", "did you mean `fallback: {value: ...}`?"),
    ("operations: [a]", "5:17: `operations` of service `shop`: expected a mapping from name to operation", ""),
    ("operations: {a.b: {get: /}}", "5:18: `a.b` cannot name an operation", "letters, digits, `_` and `-`"),
    ("operations: {1: {get: /}}", "5:18: `1` cannot name an operation", ""),
    ("operations: {a: /x}", "5:21: operation `shop.a`: expected a mapping with a method and path", ""),
    ("operations: {a: {}}", "5:18: operation `shop.a`: no method", "`get: /users`"),
]  # fmt: skip

NOT_YET = [
    *("sign", "paginate", "cache", "strict_responses", "allow_origins", "addresses"),
]

OPERATION = [
    ("get: /x\npost: /y", "8:9: operation `shop.op`: `post` beside `get`", "an operation has one method"),
    ("url: /x", "7:9: unknown key `url` in operation `shop.op`", "write the method as a key: `get: /users`"),
    ("get: x", "7:14: `get` of operation `shop.op`: expected a path that begins with `/`", "write `/x`"),
    ("get: //x", "7:14: `get` of operation `shop.op`: expected a path, not a URL", ""),
    ("get: https://a/x", "7:14: `get` of operation `shop.op`: expected a path, not a URL", ""),
    ("get: /x?y=1", "7:14: `get` of operation `shop.op`: a query does not belong into a path", "declare it under `query`"),
    ("get: /x#y", "7:14: `get` of operation `shop.op`: a fragment is never sent", ""),
    ("get: /x/{id", "7:14: `get` of operation `shop.op`: a brace without its partner", ""),
    ("get: /x/id}", "7:14: `get` of operation `shop.op`: a brace without its partner", ""),
    ("get: /x/{}", "7:14: `get` of operation `shop.op`: `{}` is no parameter's name", ""),
    ("get: /x/{a b}", "7:14: `get` of operation `shop.op`: `{a b}` is no parameter's name", ""),
    ("get: /{a}/{a}", "7:14: `get` of operation `shop.op`: the parameter `{a}` twice", ""),
    ("get: /{a}{b}", "7:14: `get` of operation `shop.op`: two parameters without anything between", ""),
    ("get: /a b", "7:14: `get` of operation `shop.op`: a character that no path may hold", "percent-encode it"),
    ("get: /ä", "7:14: `get` of operation `shop.op`: a character that no path may hold", ""),
    ("get: /%zz", "7:14: `get` of operation `shop.op`: a character that no path may hold", ""),
    ("get: /a/../b", "7:14: `get` of operation `shop.op`: `.` and `..` segments", ""),
    ("get: /a/%2E%2e/b", "7:14: `get` of operation `shop.op`: `.` and `..` segments", ""),
    ("get: {id}", "7:14: `get` of operation `shop.op`: expected a path", "did you forget the quotes?"),
    ("get: 5", "7:14: `get` of operation `shop.op`: expected a path", ""),
    ("get: /x\npath: {id: integer}", "8:16: `path` of operation `shop.op`: `id` is not in `get: /x`", "write `{id}` into the path"),
    ("get: /x\nquery: {a: intger}", "8:20: `query.a` of operation `shop.op`: expected `string`", "did you mean `integer`?"),
    ("get: /x\nquery: {a: [string]}", "8:20: `query.a` of operation `shop.op`: expected `string`", "found a list"),
    ("get: /x\nquery: a", "8:16: `query` of operation `shop.op`: expected a mapping from parameter name to type", ""),
    ("get: /x\nquery: {a: {type: string, minimum: 4}}", "8:44: `query.a` of operation `shop.op`: `minimum` says nothing of a value of type `string`", ""),
    ("get: /x\nquery: {a: {enum: x}}", "8:27: `query.a.enum` of operation `shop.op`: expected a list", ""),
    ("get: /x\nquery: {a: {type: string, pattern: '['}}", "`query.a` of operation `shop.op`: `pattern` cannot be used as written", ""),
    ("get: /x\nquery: {a: {type: integer, minimum: many}}", "`query.a` of operation `shop.op`: `minimum` cannot be used as written", ""),
    ("get: /x\nquery: {a: {optional: true}}", "8:21: unknown key `optional` in `query.a` of operation `shop.op`", "did you mean `required`"),
    ("get: /x\nquery: {a: {required: 1}}", "8:31: `query.a.required` of operation `shop.op`: expected true or false", ""),
    ("get: /x\nquery: {a: {value: 1, default: 2}}", "8:28: `query.a` of operation `shop.op`: `value` and `default`", "keep one"),
    ("get: /{a}\npath: {a: {required: false}}", "8:30: `path.a.required` of operation `shop.op`: expected true", "a path parameter is always required"),
    ("get: /x\nheader: {a b: string}", "8:18: `header` of operation `shop.op`: expected the name of a header", ""),
    ("get: /{a}\nquery: {a: string}", "8:17: operation `shop.op`: `a` in path and `a` in query are both given as `a`", "a call could not tell them apart"),
    ("get: /x\nquery: {x_id: string}\nheader: {X-Id: string}", "9:18: operation `shop.op`: `x_id` in query and `X-Id` in header are both given as `x_id`", ""),
    ("get: /x\ncookie: {a: string}", "8:9: `cookie` is not supported yet (operation `shop.op`)", ""),
    ("post: /x\nform: {}", "8:15: `form` of operation `shop.op`: no fields", "name one at least: `{name: string}`"),
    ("post: /x\nform: [a]", "8:15: `form` of operation `shop.op`: expected a type", "found a list"),
    ("post: /x\nform: string", "8:15: `form` of operation `shop.op`: expected a mapping from field name to type, or the name of a type that has fields, found `string`", ""),
    ("post: /x\nform: User", "8:15: `form` of operation `shop.op`: no type is called `User`", ""),
    ("post: /x\nform: {a: strnig}", "8:19: `form.a` of operation `shop.op`: expected `string`", "did you mean `string`?"),
    ("post: /x\nform: {a: file}", "8:19: `form.a` of operation `shop.op`: expected `string`", ""),
    ("post: /x\nform: {a: {optional: true}}", "8:20: unknown key `optional` in `form.a` of operation `shop.op`", "did you mean `required`"),
    ("post: /{a}\nform: {a: string}", "8:16: operation `shop.op`: `a` in path and `a` in form are both given as `a`", "a call could not tell them apart"),
    ("post: /x\nmultipart: {}", "8:20: `multipart` of operation `shop.op`: no fields", "name one at least"),
    ("post: /x\nmultipart: x", "8:20: `multipart` of operation `shop.op`: expected a mapping from parameter name to type", ""),
    ("post: /x\nmultipart: {a: flie}", "8:24: `multipart.a` of operation `shop.op`: expected `string`", "did you mean `file`?"),
    ("post: /x\nmultipart: {a: {type: file, value: x}}", "8:44: `multipart.a` of operation `shop.op`: `value` says nothing of a file", "remove it"),
    ("post: /x\nmultipart: {a: {type: file, secret: true}}", "8:45: `multipart.a` of operation `shop.op`: `secret` says nothing of a file", "remove it"),
    ("post: /x\nmultipart: {a: {type: file, minLength: 1}}", "8:48: `multipart.a` of operation `shop.op`: `minLength` says nothing of a value of type `file`", "remove it"),
    ("post: /x\nquery: {f: string}\nmultipart: {f: file}", "9:21: operation `shop.op`: `f` in query and `f` in multipart are both given as `f`", ""),
    ("post: /x\ncontent: csv", "8:18: `content` of operation `shop.op`: expected a media type such as `text/csv`, found `csv`", ""),
    ("post: /x\ncontent: 5", "8:18: `content` of operation `shop.op`: expected a media type", "found `5`"),
    ("post: /x\nquery: {content: string}\ncontent: text/csv", "8:17: operation `shop.op`: `content` in query and the body are both given as `content`", "rename it"),
    ("post: /x\njson: object\nform: {a: string}", "9:9: operation `shop.op`: `form` beside `json`", "a request has one body: keep one"),
    ("post: /x\ncontent: text/csv\nmultipart: {a: file}", "9:9: operation `shop.op`: `multipart` beside `content`", ""),
    ("get: /x\nstream: 1", "8:17: `stream` of operation `shop.op`: expected true or false, found `1`", ""),
    ("get: /x\nstream: true\nreturns: object", "8:9: operation `shop.op`: `stream` beside `returns`", "keep one"),
    ("get: /x\nfallback: {value: 1}", "8:9: operation `shop.op`: `fallback` without `returns`", "declare what the operation `returns`"),
    ("get: /x\nstream: true\nfallback: {value: 1}", "9:9: operation `shop.op`: `fallback` beside `stream`", "has no result to stand in for"),
    ("get: /x\nstream: true\nenvelope: {data: a}", "9:9: operation `shop.op`: `envelope` beside `stream`", "is not looked into"),
    ("get: /x\nstream: true\nerrors: [{when: {path: a}, then: fail}]", "9:9: operation `shop.op`: a rule of `errors` that looks at the body, beside `stream`", "only the `status` is known"),
    ("post: /x\ndata: {a: string}", "8:9: unknown key `data` in operation `shop.op`", "did you mean `form`?"),
    ("post: /x\nfiles: {a: file}", "8:9: unknown key `files` in operation `shop.op`", "did you mean `multipart`?"),
    ("post: /x\nbody: object", "8:9: unknown key `body` in operation `shop.op`", "did you mean `json`?"),
    ("post: /x\njson: User", "8:15: `json` of operation `shop.op`: no type is called `User`", "there are no `schemas`"),
    ("post: /x\njson: strnig", "8:15: `json` of operation `shop.op`: no type is called `strnig`", "did you mean `string`?"),
    ("post: /x\njson: 'a b:C'", "8:15: `json` of operation `shop.op`: expected a type as `package.module:Type`", ""),
    ("post: /x\njson: 5", "8:15: `json` of operation `shop.op`: expected a type", ""),
    ("post: /x\njson: {type: objet}", "8:22: `json.type` of operation `shop.op`: expected `string`", "did you mean `object`?"),
    ("post: /x\njson: {$ref: '#/schemas/Nope'}", "8:22: `json` of operation `shop.op`: `$ref` names a schema that is not there", "`schemas` has nothing"),
    ("post: /x\njson: {$ref: 'https://a/b'}", "8:22: `json` of operation `shop.op`: `$ref` leaves the sheet", "nothing is fetched"),
    ("post: /x\njson: {properties: {a: {pattern: '('}}}", "`json` of operation `shop.op`: `pattern` is no regular expression", ""),
    ("post: /x\njson: {type: object, required: name}", "8:15: `json` of operation `shop.op`: not a JSON Schema", ""),
    ("post: /x\njson: {minimum: [a]}", "8:15: `json` of operation `shop.op`: not a JSON Schema", ""),
    ("get: /x\nreturns: {200: object, 20: object}", "8:32: `returns` of operation `shop.op`: expected a status such as `200`", ""),
    ("get: /x\nreturns: {200: Nope}", "8:24: `returns.200` of operation `shop.op`: no type is called `Nope`", ""),
    ("get: /x\ntags: a", "8:15: `tags` of operation `shop.op`: expected a list of texts", ""),
    ("get: /x\ndeprecated: 1", "8:21: `deprecated` of operation `shop.op`: expected true or false", ""),
    ("get: /x\nexamples: [1]", "8:19: `examples` of operation `shop.op`: expected a mapping from a name", ""),
    ("get: /x\ntls: {}", "8:9: unknown key `tls` in operation `shop.op`", ""),
    ("get: /x\nbase_url: http://a", "8:9: unknown key `base_url` in operation `shop.op`", "did you mean `base_url` in the service?"),
    ("get: /x\ntimeout: {total: 0}", "8:26: `timeout.total` of operation `shop.op`: expected a duration", ""),
]  # fmt: skip

URLS = [
    ("shop.example", "expected a URL that begins with http:// or https://"),
    ("ftp://a", "expected a URL that begins with http:// or https://"),
    ("https://u:p@a", "user name and password do not belong into a URL"),
    ("https://a?b", "a query does not belong into a base URL"),
    ("https://a/?", "a query does not belong into a base URL"),
    ("https://a#b", "a fragment is never sent"),
    ("https://", "expected a host name"),
    ("https://ä.example", "expected a host name"),
    ("https://a:0", "a host or port that cannot be read"),
    ("https://a:", "a host or port that cannot be read"),
    ("https://a:99999", "a host or port that cannot be read"),
    ("https://a:b", "a host or port that cannot be read"),
    ("https://[::1", "a host or port that cannot be read"),
    ("https://a b", "a character that no URL may hold"),
    ("https://a\\\\b", "a character that no URL may hold"),
    ("https://a/{x}", "a character that no URL may hold"),
    ("https://a/b/../c", "a path prefix that cannot be sent as it is"),
    ("https://a//b", "a path prefix that cannot be sent as it is"),
    ("https://a/ü", "a path prefix that cannot be sent as it is"),
]

WHOLE = [
    ("- a", "1:1: expected a mapping with `callsheet: 1` and `services`"),
    ("services: {a: {base_url: http://a}}", "1:1: `callsheet: 1` is missing"),
    ("callsheet: 2\nservices: {a: {base_url: http://a}}", "1:12: `callsheet` of the sheet: expected 1"),
    ("callsheet: true\nservices: {a: {base_url: http://a}}", "1:12: `callsheet` of the sheet: expected 1"),
    ("callsheet: 1", "1:1: there are no `services`"),
    ("callsheet: 1\nservices: {}", "2:1: there are no `services`"),
    ("callsheet: 1\nservices: [a]", "2:11: `services` of the sheet: expected a mapping from name to service"),
    ("callsheet: 1\nservices: {a: http://a}", "2:15: service `a`: expected a mapping with `base_url`"),
    ("callsheet: 1\nservices: {a: {}}", "2:12: service `a`: `base_url` is missing"),
    ("callsheet: 1\nservices: {a/b: {}}", "2:12: `a/b` cannot name a service"),
    ("callsheet: 1\nservice: {}", "2:1: unknown key `service` in the sheet"),
    ("callsheet: 1\nstores: {cache: memory}\nservices: {a: {base_url: http://a}}", "2:10: `cache` is not supported yet (`stores` of the sheet)"),
    ("callsheet: 1\nstores: valkey\nservices: {a: {base_url: http://a}}", "2:9: `stores` of the sheet: expected a mapping such as `{limits:"),
    ("callsheet: 1\nstores: {limits: 5}\nservices: {a: {base_url: http://a}}", "2:18: `stores.limits` of the sheet: expected `memory`, or the URL"),
    ("callsheet: 1\nstores: {limits: mysql://a}\nservices: {a: {base_url: http://a}}", "2:18: `stores.limits` of the sheet: expected `memory`, or the URL"),
    ("callsheet: 1\nstores: {limits: valkey://a:99999}\nservices: {a: {base_url: http://a}}", "2:18: `stores.limits` of the sheet: expected `memory`"),
    ("callsheet: 1\nstores: {limits: sqlite:a.db}\nservices: {a: {base_url: http://a}}", "`sqlite` is not supported yet"),
    ("callsheet: 1\nstores: {redis: a}\nservices: {a: {base_url: http://a}}", "did you mean `limits: redis://HOST:6379/0`?"),
    ("callsheet: 1\nstores: {on_failure: stop}\nservices: {a: {base_url: http://a}}", "expected `local` or `refuse`, found `stop`"),
    ("callsheet: 1\nstores: {prefix: a b}\nservices: {a: {base_url: http://a}}", "expected letters, digits"),
    ("api_config: {base_url: http://a}\nservices: {}", "1:1: `api_config` beside `services`"),
    ("callsheet: 1\nschemas: [a]\nservices: {a: {base_url: http://a}}", "2:10: `schemas` of the sheet: expected a mapping"),
    ("callsheet: 1\nschemas: {string: {}}\nservices: {a: {base_url: http://a}}", "2:11: `schemas`: `string` cannot name a schema"),
    ("callsheet: 1\nschemas: {a: b}\nservices: {a: {base_url: http://a}}", "2:14: `schemas.a` of the sheet: expected a JSON Schema"),
    ("callsheet: 1\ndefaults: [a]\nservices: {a: {base_url: http://a}}", "2:11: `defaults`: expected a mapping of settings"),
]  # fmt: skip

DEFAULTS = [
    ("base_url: http://a", "2:12: `base_url` is not allowed in `defaults`"),
    ("operations: {}", "2:12: `operations` is not allowed in `defaults`"),
    ("auth: off", "2:12: `auth` is not allowed in `defaults`"),
    ("sign: off", "2:12: `sign` is not allowed in `defaults`"),
    ("cookies: true", "2:12: `cookies` is not allowed in `defaults`"),
    ("tls: {cert: a}", "2:24: `tls.cert` is not allowed in `defaults`"),
    ("tls: {key: a}", "2:23: `tls.key` is not allowed in `defaults`"),
    ('tls: {key_password: "${P:-p}"}', "2:32: `tls.key_password` is not allowed in `defaults`"),
    ('headers: {X-A: "${A}"}', "2:27: `headers.X-A` of `defaults`: `${...}` is not allowed in `defaults`"),
    ('params: {a: "${A}"}', "2:24: `params.a` of `defaults`: `${...}` is not allowed in `defaults`"),
    ("retires: 3", "2:12: unknown key `retires` in `defaults`"),
]


@pytest.mark.parametrize(("lines", "message", "hint"), SERVICE)
def test_service(lines, message, hint):
    text = errors(shop, lines)
    assert text.startswith("s.yaml:")
    assert message in text
    assert hint in text


@pytest.mark.parametrize("key", NOT_YET)
def test_a_listed_key_that_is_not_built_yet_is_refused(key):
    assert f"5:5: `{key}` is not supported yet (service `shop`)" in errors(shop, f"{key}: 1")


@pytest.mark.parametrize(("lines", "message", "hint"), OPERATION)
def test_operation(lines, message, hint):
    text = errors(operation, lines)
    assert message in text
    assert hint in text


@pytest.mark.parametrize(("url", "message"), URLS)
def test_base_url(url, message):
    text = errors(parse, f'callsheet: 1\nservices:\n  a:\n    base_url: "{url}"\n')
    assert text.startswith(f"s.yaml:4:15: `base_url` of service `a`: {message}")


@pytest.mark.parametrize(("text", "message"), WHOLE)
def test_the_sheet_as_a_whole(text, message):
    assert message in errors(parse, text)


@pytest.mark.parametrize(("line", "message"), DEFAULTS)
def test_defaults(line, message):
    assert message in errors(parse, f"callsheet: 1\ndefaults: {{{line}}}\nservices: {{a: {{base_url: http://a}}}}")


def test_the_line_is_shown_with_a_caret_and_the_hint():
    assert errors(shop, "retires: 3") == (
        "s.yaml:5:5: unknown key `retires` in service `shop`\n"
        "    5 |     retires: 3\n"
        "      |     ^^^^^^^ did you mean `retry`?"
    )


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file():
    text = errors(shop, "zzz: 1\ntimeout: soon\nhttp2: maybe\noperations: {op: {get: nope, tags: 5}}")
    places = [line.split(" ")[0] for line in text.splitlines() if line.startswith("s.yaml")]
    assert places == ["s.yaml:5:5:", "s.yaml:6:14:", "s.yaml:7:12:", "s.yaml:8:28:", "s.yaml:8:40:"]


def test_an_error_of_the_service_is_not_repeated_for_each_operation():
    text = errors(shop, "timeout: {attempt: 9s, total: 1s}\noperations: {a: {get: /a}, b: {get: /b}}")
    assert text.count("s.yaml:5:24") == 1


def test_a_long_line_is_cut_around_the_place():
    text = errors(parse, HEAD + "    description: " + "x" * 5000 + "\n    retires: 3\n")
    assert max(map(len, text.splitlines())) < 400


def test_masked_values_do_not_move_the_caret():
    line, caret = errors(shop, "headers: {X-Key: a-literal-token, a b: x}").splitlines()[1:3]
    assert "literal" not in line
    assert line[caret.index("^") :].startswith("a b: ")
