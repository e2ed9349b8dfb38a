"""`stores`: what keeps the state that several processes share."""

from __future__ import annotations

from dataclasses import replace

from callsheet.settings import CacheStoreSettings, Stores, StoreSettings
from callsheet.sheet.forms.record import Key, Layer, Record, plain
from callsheet.sheet.forms.scalars import Choice, Text
from callsheet.sheet.words.cache_store import CACHE_STORE
from callsheet.sheet.words.store_url import STORE_URL

STORES = Record(
    (
        Key("limits", STORE_URL, "where rate limits are counted"),
        Key("cache", CACHE_STORE, "where answers are kept"),
        Key("on_failure", Choice(("local", "refuse")), "what holds while the store cannot be asked"),
        Key("prefix", Text("letters, digits, `_`, `.`, `:` and `-`", r"[A-Za-z0-9_.:-]{1,64}"), "of every key"),
    ),
    topic="stores",
    expected="a mapping such as `{limits: valkey://127.0.0.1:6379/0, on_failure: local}`",
)


def stores_from(layer: Layer) -> Stores:
    """The stores that were written."""
    values = plain(layer)
    url = values.pop("limits", None)
    cache = replace(values.pop("cache", CacheStoreSettings()), prefix=values.get("prefix", "callsheet"))
    return Stores(None if url is None else StoreSettings(url, **values), cache)
