"""What can be chosen: one frozen record per policy, each field with its default and the reason for it (`reasons.py`).

Durations are floats in seconds, sizes are in bytes. A record is always complete and consistent; which values were written,
and where, only the sheet knows.
"""

from callsheet.settings.breaker import Breaker
from callsheet.settings.cache import Cache
from callsheet.settings.caps import Caps
from callsheet.settings.concurrency import Concurrency
from callsheet.settings.envelope import BodyTest, Envelope
from callsheet.settings.error_rules import ErrorRule
from callsheet.settings.fallback import Fallback
from callsheet.settings.idempotency_key import IdempotencyKey
from callsheet.settings.pool import Pool
from callsheet.settings.rate_limit import Rate, RateLimit
from callsheet.settings.redirects import Redirects
from callsheet.settings.retry import Backoff, Budget, Retry
from callsheet.settings.settings import Settings
from callsheet.settings.stores import CacheStoreSettings, Stores, StoreSettings
from callsheet.settings.timeout import Timeout, WrittenTimeout
from callsheet.settings.tls import TLS

__all__ = [
    "TLS",
    "Backoff",
    "BodyTest",
    "Breaker",
    "Budget",
    "Cache",
    "CacheStoreSettings",
    "Caps",
    "Concurrency",
    "Envelope",
    "ErrorRule",
    "Fallback",
    "IdempotencyKey",
    "Pool",
    "Rate",
    "RateLimit",
    "Redirects",
    "Retry",
    "Settings",
    "StoreSettings",
    "Stores",
    "Timeout",
    "WrittenTimeout",
]
