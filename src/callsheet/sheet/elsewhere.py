"""Words that people bring from other tools, and what they are called here."""

from __future__ import annotations

import re

Words = dict[str, str]

SETTINGS: Words = {
    "url": "`base_url`", "uri": "`base_url`", "baseurl": "`base_url`", "base_uri": "`base_url`",
    "api_url": "`base_url`", "host": "`base_url`", "hostname": "`base_url`", "server": "`base_url`",
    "root": "`base_url`", "servers": "`base_url`",
    "endpoint": "`operations`", "endpoints": "`operations`", "resources": "`operations`", "paths": "`operations`",
    "routes": "`operations`", "requests": "`operations`", "methods": "`operations`",
    "retries": "`retry: {attempts: 3}`", "max_retries": "`retry: {attempts: 3}`",
    "max_attempts": "`retry: {attempts: 3}`", "attempts": "`retry: {attempts: 3}`",
    "retry_attempts": "`retry: {attempts: 3}`", "retry_count": "`retry: {attempts: 3}`",
    "retry_policy": "`retry`", "retires": "`retry`", "backoff": "`retry: {backoff: {first: 500ms, max: 20s}}`",
    "backoff_factor": "`retry: {backoff: {first: 500ms, max: 20s}}`",
    "status_forcelist": "`retry: {statuses: [503]}`", "allowed_methods": "`retry: {methods: [GET]}`",
    "timeouts": "`timeout`", "timeout_seconds": "`timeout: 10s`", "timeout_ms": "`timeout: 10s`",
    "timeout_s": "`timeout: 10s`", "request_timeout": "`timeout: {total: 30s}`", "deadline": "`timeout: {total: 30s}`",
    "connect_timeout": "`timeout: {connect: 5s}`", "read_timeout": "`timeout: {read: 10s}`",
    "token": '`auth: {bearer: "${TOKEN}"}`', "bearer": '`auth: {bearer: "${TOKEN}"}`',
    "access_token": '`auth: {bearer: "${TOKEN}"}`', "bearer_token": '`auth: {bearer: "${TOKEN}"}`',
    "basic": "`auth: {basic: {username, password}}`", "basic_auth": "`auth: {basic: {username, password}}`",
    "username": "`auth: {basic: {username, password}}`", "password": "`auth: {basic: {username, password}}`",
    "user": "`auth: {basic: {username, password}}`",
    "api_key": '`auth: {api_key: {header: X-API-Key, value: "${KEY}"}}`',
    "apikey": '`auth: {api_key: {header: X-API-Key, value: "${KEY}"}}`',
    "authentication": "`auth`", "authorization": "`auth`", "credentials": "`auth`", "security": "`auth`",
    "verify": "`tls: {ca: PATH}`", "ssl": "`tls`", "verify_ssl": "`tls: {ca: PATH}`", "cafile": "`tls: {ca: PATH}`",
    "ca_bundle": "`tls: {ca: PATH}`", "ca": "`tls: {ca: PATH}`", "cert": "`tls`",
    "default_headers": "`headers`", "client_headers": "`headers`", "default_params": "`params`",
    "paginator": "`paginate`", "pagination": "`paginate`", "data_selector": "`paginate: {items: ...}`",
    "circuit_breaker": "`breaker`", "circuitbreaker": "`breaker`", "rate": "`rate_limit`", "ratelimit": "`rate_limit`",
    "throttle": "`rate_limit`", "throttling": "`rate_limit`", "rate_limits": "`rate_limit`", "quota": "`rate_limit`",
    "requests_per_second": "`rate_limit: 50/s`", "rps": "`rate_limit: 50/s`", "qps": "`rate_limit: 50/s`",
    "retry_budget": "`retry: {budget: {ratio: 20%}}`", "budget": "`retry: {budget: {ratio: 20%}}`",
    "idempotency": "`idempotency_key: true`", "idempotency_header": "`idempotency_key: Idempotency-Key`",
    "timeout_header": "`deadline_header: X-Timeout`",
    "max_connections": "`pool: {connections: 100}`", "pool_size": "`pool: {connections: 100}`",
    "limits": "`pool` or `concurrency`", "max_concurrency": "`concurrency`", "parallelism": "`concurrency`",
    "max_concurrent": "`concurrency`", "max_response_size": "`caps: {response: 10MiB}`",
    "http_version": "`http2: true`", "proxies": "`proxy`", "agent": "`user_agent`", "useragent": "`user_agent`",
    "follow_redirects": "`redirects: same-origin`", "allow_redirects": "`redirects: same-origin`",
    "redirect": "`redirects: same-origin`", "max_redirects": "`redirects: {follow: same-origin, max: 5}`",
    "http_proxy": "`proxy`", "https_proxy": "`proxy`", "socks_proxy": "`proxy`", "proxy_url": "`proxy`",
    "gzip": "`compress: gzip`", "compression": "`compress: gzip`", "cookie_jar": "`cookies: true`",
    "session": "`cookies: true`", "query": "`params`", "querystring": "`params`", "query_params": "`params`",
    "header": "`headers`", "environment_proxies": "`trust_env: true`", "title": "`description`",
}  # fmt: skip
OPERATION: Words = SETTINGS | {
    "method": "the method as a key: `get: /users`", "url": "the method as a key: `get: /users`",
    "uri": "the method as a key: `get: /users`", "endpoint": "the method as a key: `get: /users`",
    "route": "the method as a key: `get: /users`", "base_url": "`base_url` in the service",
    "body": "`json`", "payload": "`json`", "data": "`form`", "request_body": "`json`", "requestbody": "`json`",
    "form_data": "`form`", "formdata": "`multipart`", "files": "`multipart`", "file": "`multipart`", "upload": "`multipart`",
    "content_type": "`content: text/csv`", "raw": "`content: text/csv`", "binary": "`content: text/csv`",
    "streaming": "`stream: true`", "streamed": "`stream: true`",
    "request": "`json`", "response": "`returns`", "responses": "`returns`", "result": "`returns`", "model": "`returns`",
    "response_model": "`returns`", "output": "`returns`", "return": "`returns`",
    "parameters": "`path`, `query` or `header`", "args": "`path`, `query` or `header`",
    "path_params": "`path`", "query_params": "`query`", "querystring": "`query`",
    "title": "`summary`", "name": "`summary`; the key is the name", "operation_id": "the key as the name",
    "operationid": "the key as the name", "is_idempotent": "`idempotent`", "example": "`examples`", "tag": "`tags`",
}  # fmt: skip
TABLES: dict[str, Words] = {
    "settings": SETTINGS,
    "operation": OPERATION,
    "top": {
        "version": "`callsheet: 1`", "service": "`services`", "apis": "`services`", "api": "`services`",
        "clients": "`services`", "environment": "`environments`", "env": "`default_environment`",
        "envs": "`environments`", "profiles": "`environments`", "stages": "`environments`", "default": "`defaults`",
        "default_env": "`default_environment`", "global": "`defaults`", "common": "`defaults`",
        "components": "`schemas`", "definitions": "`schemas`", "models": "`schemas`", "types": "`schemas`",
        "base_url": "`services: {NAME: {base_url: ...}}`", "url": "`services: {NAME: {base_url: ...}}`",
        "operations": "`services: {NAME: {operations: ...}}`", "endpoints": "`services: {NAME: {operations: ...}}`",
    },
    "retry": {
        "max": "`attempts`", "max_attempts": "`attempts`", "retries": "`attempts`", "max_retries": "`attempts`",
        "count": "`attempts`", "tries": "`attempts`", "times": "`attempts`", "total": "`attempts`",
        "delay": "`backoff: {first: 500ms}`", "wait": "`backoff: {first: 500ms}`", "interval": "`backoff: {first: 500ms}`",
        "backoff_factor": "`backoff: {first: 500ms}`", "max_delay": "`backoff: {max: 20s}`", "on": "`statuses`",
        "status_codes": "`statuses`", "status_forcelist": "`statuses`", "codes": "`statuses`", "retry_on": "`statuses`",
        "allowed_methods": "`methods`", "verbs": "`methods`",
    },
    "retry of an operation": {"budget": "it in the service's own `retry`: all operations share one budget"},
    "budget": {
        "percent": "`ratio: 20%`", "min": "`floor`", "minimum": "`floor`", "min_per_second": "`floor`", "ttl": "`window`",
        "retry_ratio": "`ratio`", "per_second": "`floor`",
    },
    "breaker": {
        "failure_ratio": "`ratio`", "failure_rate_threshold": "`ratio`", "threshold": "`ratio`", "error_threshold": "`ratio`",
        "minimum_throughput": "`samples`", "minimum_number_of_calls": "`samples`", "fail_max": "`samples`",
        "failure_threshold": "`samples`", "sampling_duration": "`window`", "sliding_window_size": "`window`",
        "break_duration": "`open`", "reset_timeout": "`open`", "recovery_timeout": "`open`", "timeout": "`open`",
        "wait_duration_in_open_state": "`open`", "half_open_max_calls": "`probes`", "half_open": "`probes`",
        "permitted_number_of_calls_in_half_open_state": "`probes`",
    },
    "rate_limit": {
        "rate": "`rates: [50/s]`", "limit": "`rates: [50/s]`", "limits": "`rates: [50/s]`", "calls": "`rates: [50/s]`",
        "period": "`rates: [50/s]`", "window": "`rates: [50/s]`", "burst": "nothing: all of a rate may go at once",
        "key": "`per`", "scope": "`per`", "weight": "`cost`", "tokens": "`cost`", "block": "`when_full: wait`",
        "adaptive": "`learn`", "respect_headers": "`learn`",
    },
    "idempotency_key": {"name": "`header`", "key": "`header`", "source": "`from`", "quote": "`quoted`"},
    "stores": {
        "limit": "`limits`", "rate_limit": "`limits`", "rate_limits": "`limits`", "redis": "`limits: redis://HOST:6379/0`",
        "valkey": "`limits: valkey://HOST:6379/0`", "url": "`limits`", "key_prefix": "`prefix`", "namespace": "`prefix`",
        "fallback": "`on_failure`",
    },
    "backoff": {
        "initial": "`first`", "min": "`first`", "base": "`first`", "start": "`first`", "delay": "`first`",
        "factor": "`first`; each further pause may be twice as long", "multiplier": "`first`; each further pause may be twice as long",
        "cap": "`max`", "limit": "`max`", "ceiling": "`max`", "jitter": "nothing: every pause is jittered",
    },
    "timeout": {
        "seconds": "`total`", "overall": "`total`", "deadline": "`total`", "request": "`total`", "call": "`total`",
        "connection": "`connect`", "open": "`connect`", "socket": "`read`", "write": "`read`, which covers both directions",
        "pool": "`total`, which covers waiting in a queue", "idle": "`read`", "per_try": "`attempt`", "try": "`attempt`",
    },
    "auth": {
        "token": "`bearer`", "jwt_bearer": "`bearer`", "access_token": "`bearer`", "oauth": "`oauth2`", "apikey": "`api_key`",
        "key": "`api_key`", "username": "`basic: {username, password}`", "password": "`basic: {username, password}`",
        "type": "the kind as a key: `bearer: ...`", "kind": "the kind as a key: `bearer: ...`",
        "scheme": "the kind as a key: `bearer: ...`", "http_basic": "`basic`", "none": "`auth: off`",
    },
    "api_key": {
        "name": "`header`, with the name as its value", "key": "`value`", "in": "`header`, `query` or `cookie`, with the name as its value",
        "location": "`header`, `query` or `cookie`, with the name as its value", "param": "`query`", "token": "`value`",
    },
    "basic": {"user": "`username`", "login": "`username`", "pass": "`password`", "secret": "`password`"},
    "tls": {
        "verify": "`ca`, to trust another authority", "ca_bundle": "`ca`", "cafile": "`ca`", "ca_file": "`ca`", "ca_cert": "`ca`",
        "cacert": "`ca`", "version": "`min_version`", "minimum_version": "`min_version`", "min": "`min_version`",
    },
    "concurrency": {"max": "`limit`", "size": "`limit`", "waiting": "`queue`", "max_queue": "`queue`"},
    "pool": {"size": "`connections`", "max": "`connections`", "max_connections": "`connections`",
             "maxsize": "`connections`", "keepalive": "`idle`", "idle_timeout": "`idle`", "keepalive_expiry": "`idle`"},
    "caps": {"body": "`response`", "size": "`response`", "max_size": "`response`", "header_size": "`headers`",
             "max_headers": "`header_count`"},
    "redirects": {"max_redirects": "`max`", "limit": "`max`", "hops": "`max`", "count": "`max`", "to": "`follow`",
                  "mode": "`follow`", "policy": "`follow`", "allow": "`follow`"},
    "parameter": {"optional": "`required`, which is false unless written", "schema": "its terms right here: `type: integer`",
                  "const": "`value`", "values": "`enum`", "choices": "`enum`", "min": "`minimum`", "max": "`maximum`",
                  "regex": "`pattern`", "sensitive": "`secret`", "name": "nothing: the key is the name"},
}  # fmt: skip


def meant_by(word: str, topic: str) -> str:
    """The hint for a word that is known from elsewhere; empty for any other."""
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word).lower().replace("-", "_").replace(" ", "_")
    meant = TABLES.get(topic, {}).get(snake)
    return f"did you mean {meant}?" if meant and meant.startswith("`") else f"write {meant}" if meant else ""
