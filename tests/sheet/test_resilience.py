"""What the settings of breaker, limits, budget and keys mean, and how layers of them merge."""

import pytest

from callsheet import Sheet
from callsheet.secret import Secret
from callsheet.settings import (
    Breaker,
    Budget,
    CacheStoreSettings,
    IdempotencyKey,
    Rate,
    RateLimit,
    Retry,
    Stores,
    StoreSettings,
)
from callsheet.settings.breaker import ShareBreaker
from tests.sheet.sheets import HEAD, errors, operation, parse, shop


@pytest.mark.parametrize(
    ("written", "rates"),
    [
        ("50/s", [(50, 1.0)]),
        ("1000/min", [(1000, 60.0)]),
        ("10/100ms", [(10, 0.1)]),
        ("5000 / h", [(5000, 3600.0)]),
        ("100000/day", [(100_000, 86_400.0)]),
        ("30/5 min", [(30, 300.0)]),
        ("3/1.5s", [(3, 1.5)]),
        ("[50/s, 1000/min]", [(50, 1.0), (1000, 60.0)]),
        ("{rates: 50/s}", [(50, 1.0)]),
        ("{rates: [50/s]}", [(50, 1.0)]),
    ],
)
def test_a_rate_limit_is_a_rate_a_list_or_a_mapping(written, rates):
    assert shop(f"rate_limit: {written}").settings().rate_limit == RateLimit(tuple(Rate(*rate) for rate in rates))


def test_a_rate_limit_may_say_more():
    lines = "rate_limit: {rates: 50/s, per: tenant, cost: 2, learn: false, when_full: fail}\n"
    lines += "operations: {a: {get: /a, query: {tenant: string}}}"
    assert shop(lines).settings().rate_limit == RateLimit((Rate(50, 1.0),), "tenant", 2, learn=False, when_full="fail")


def test_an_operations_limit_is_counted_by_its_own_arguments():
    assert operation("get: /a/{id}\nrate_limit: {rates: 5/s, per: id}").settings("op").rate_limit.per == "id"
    text = errors(operation, "get: /a/{id}\nrate_limit: {rates: 5/s, per: idd}")
    assert "8:39: `rate_limit.per` of operation `shop.op`: no argument is named `idd`" in text
    assert "did you mean `id`?" in text


@pytest.mark.parametrize("written", ["50%", "50 %", "0.5"])
def test_a_share_is_a_percentage_or_a_number(written):
    assert shop(f"breaker: {{ratio: {written}}}").settings().breaker.ratio == 0.5


def test_a_breaker_is_on_unless_it_is_switched_off():
    assert shop().settings().breaker == Breaker()
    assert shop("breaker: off").settings().breaker is None
    assert shop("breaker: {samples: 5}").settings().breaker == Breaker(samples=5)


def test_a_default_of_the_breaker_yields_to_what_is_written():
    assert shop("breaker: {open: 2m}").settings().breaker == Breaker(open=120.0, max_open=120.0)
    assert shop("breaker: {max_open: 1s}").settings().breaker == Breaker(open=1.0, max_open=1.0)


def test_below_all_of_them_what_is_not_written_keeps_other_values():
    found = shop("breaker: {ratio: 30%, samples: 50}").settings().breaker
    assert found == ShareBreaker(ratio=0.3, samples=50, window=30.0, open=5.0, max_open=60.0, probes=3)
    assert shop("breaker: {ratio: 99%}").settings().breaker == ShareBreaker(ratio=0.99)
    assert shop("breaker: {ratio: 100%}").settings().breaker == Breaker()
    assert shop("breaker: {ratio: 30%, max_open: 2s}").settings().breaker == ShareBreaker(0.3, open=2.0, max_open=2.0)


def test_the_ratio_of_the_merged_layers_says_what_is_not_written():
    lines = "breaker: {ratio: 30%, probes: 5}\noperations: {a: {get: /a, breaker: {ratio: 100%}}, b: {get: /b, breaker: {samples: 9}}}"
    service = shop(lines)
    assert service.settings("a").breaker == Breaker(probes=5)
    assert service.settings("b").breaker == ShareBreaker(0.3, samples=9, probes=5)


@pytest.mark.parametrize("off", ["off", "false", "'${B:-off}'"])
def test_the_budget_may_be_off(off):
    assert shop(f"retry: {{budget: {off}}}").settings().retry == Retry(budget=None)
    assert shop(f"retry: {{attempts: 5, budget: {off}}}").settings().retry == Retry(attempts=5, budget=None)


def test_a_budget_that_is_off_is_off_for_all_operations_and_may_be_switched_on_again():
    service = shop("retry: {budget: off}\noperations: {a: {get: /a, retry: {attempts: 5}}}")
    assert service.settings("a").retry == Retry(attempts=5, budget=None)
    assert service.settings(code={"retry": {"attempts": 2}}).retry == Retry(attempts=2, budget=None)
    assert service.settings(code={"retry": {"budget": {"floor": 1}}}).retry == Retry(budget=Budget(floor=1.0))
    assert service.settings(code={"retry": {"budget": None}}).retry == Retry(budget=None)
    switched = shop("retry: {budget: {ratio: 50%}}")
    assert switched.settings(code={"retry": {"budget": False}}).retry == Retry(budget=None)


def test_the_budget_belongs_to_the_service():
    assert shop("retry: {budget: {ratio: 10%, floor: 0}}").settings().retry.budget == Budget(0.1, 0.0)
    text = errors(operation, "get: /a\nretry: {budget: {ratio: 10%}}")
    assert "8:17: unknown key `budget` in `retry` of operation `shop.op`" in text
    assert "write it in the service's own `retry`: all operations share one budget" in text


def test_an_operations_retry_keeps_the_services_budget():
    lines = "retry: {budget: {ratio: 10%}}\noperations: {a: {get: /a, retry: {attempts: 5}}}"
    retry = shop(lines).settings("a").retry
    assert (retry.attempts, retry.budget.ratio) == (5, 0.1)
    assert "8:17: unknown key `budget`" in errors(operation, "get: /a\nretry: {budget: off}")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("true", IdempotencyKey()),
        ("false", None),
        ("off", None),
        ("X-Request-Key", IdempotencyKey("X-Request-Key")),
        ("{quoted: true}", IdempotencyKey(quoted=True)),
        ("{header: X-Key, from: argument}", IdempotencyKey("X-Key", source="argument")),
    ],
)
def test_an_idempotency_key_is_a_switch_a_header_or_a_mapping(written, expected):
    assert shop(f"idempotency_key: {written}").settings().idempotency_key == expected


def test_an_operation_may_switch_the_services_key_off_and_keep_its_header():
    lines = "idempotency_key: {header: X-Key}\noperations:\n  a: {post: /a}\n  b: {post: /b, idempotency_key: false}\n"
    lines += "  c: {post: /c, idempotency_key: true}\n  d: {post: /d, idempotency_key: {quoted: true}}"
    service = shop(lines)
    keys = [service.settings(name).idempotency_key for name in "abcd"]
    assert keys == [IdempotencyKey("X-Key"), None, IdempotencyKey("X-Key"), IdempotencyKey("X-Key", quoted=True)]


def test_the_deadline_header_may_be_switched_off_again():
    lines = "deadline_header: X-Timeout\noperations: {a: {get: /a, deadline_header: off}}"
    assert [shop(lines).settings(name).deadline_header for name in (None, "a")] == ["X-Timeout", None]


OVERLAID = """
callsheet: 1
services:
  shop:
    base_url: http://a
    rate_limit: 50/s
    breaker: {samples: 5, window: 10s}
environments:
  prod: {}
  test: {services: {shop: {rate_limit: {cost: 2}, breaker: {samples: 9}}}}
  dev: {services: {shop: {rate_limit: [1/s, 20/min], breaker: off}}}
"""


def test_environments_merge_short_and_full_forms():
    found = {name: parse(OVERLAID, env=name).services["shop"].settings() for name in ("prod", "test", "dev")}
    assert found["prod"].rate_limit == RateLimit((Rate(50, 1.0),))
    assert found["test"].rate_limit == RateLimit((Rate(50, 1.0),), cost=2)
    assert found["dev"].rate_limit == RateLimit((Rate(1, 1.0), Rate(20, 60.0)))
    assert [found[name].breaker for name in ("test", "dev")] == [Breaker(samples=9, window=10.0), None]


def test_settings_in_code_use_the_same_words():
    settings = shop("rate_limit: 50/s").settings(code={"rate_limit": {"when_full": "fail"}, "breaker": False})
    assert settings.rate_limit == RateLimit((Rate(50, 1.0),), when_full="fail")
    assert settings.breaker is None


def stores(line, **variables):
    return parse(HEAD + line, variables=variables).stores


def test_stores_are_in_memory_unless_one_is_named():
    assert stores("") == stores("stores: {limits: memory}") == Stores()
    url = "valkey://127.0.0.1:6379/0"
    assert stores(f"stores: {{limits: '{url}'}}") == Stores(StoreSettings(url))
    found = stores(f"stores: {{limits: '{url}', on_failure: refuse, prefix: shop}}").limits
    assert found == StoreSettings(url, "refuse", "shop")


def test_where_answers_are_kept(tmp_path):
    assert stores("stores: {cache: memory}") == Stores()
    assert stores("stores: {cache: {max_bytes: 1MB}}").cache == CacheStoreSettings(max_bytes=1_000_000)
    file = tmp_path / "a" / "b.db"
    assert stores(f"stores: {{cache: 'sqlite:{file}'}}").cache == CacheStoreSettings(file)
    found = stores("stores: {cache: {url: 'sqlite:${F}', max_bytes: 1GiB}}", F=str(file)).cache
    assert found == CacheStoreSettings(file, 1024**3)
    assert stores("stores: {cache: 'redis://a', prefix: mine}").cache == CacheStoreSettings("redis://a", prefix="mine")


def test_a_file_of_answers_lies_beside_the_sheet(tmp_path):
    (tmp_path / "callsheet.yaml").write_text(HEAD + "stores: {cache: 'sqlite:.callsheet/cache.db'}")
    assert Sheet.load(tmp_path / "callsheet.yaml").stores.cache.place == tmp_path / ".callsheet" / "cache.db"
    assert not (tmp_path / ".callsheet").exists()


@pytest.mark.parametrize(
    "url", ["redis://a", "rediss://a:1/2", "valkeys://[::1]:6379", "unix:///run/valkey.sock", "unix:///run/v.sock?db=1"]
)
def test_urls_of_stores(url):
    assert stores(f'stores: {{limits: "{url}"}}').limits.url == url


@pytest.mark.parametrize("key", ["limits", "cache"])
def test_a_url_with_a_password_is_a_secret(key):
    found = stores(f'stores: {{{key}: "valkey://user:${{PW}}@a:6379"}}', PW="canary-1234")
    url = found.limits.url if key == "limits" else found.cache.place
    assert isinstance(url, Secret)
    assert url.reveal() == "valkey://user:canary-1234@a:6379"
    text = errors(lambda: stores(f'stores: {{{key}: "valkey://user:${{PW}}@a:port"}}', PW="canary-1234"))
    assert "canary-1234" not in text
