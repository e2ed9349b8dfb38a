"""Entries as bytes: what was kept comes back, and whatever else stands there is no entry, and no error."""

import json
from dataclasses import fields

from hypothesis import example, given
from hypothesis import strategies as st

from callsheet.stores.base import Entry
from callsheet.stores.packed import NAMES, packed_head, unpacked
from tests.stores.caches import entry

TEXTS = st.text(st.characters(codec=None), max_size=12)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=4).map(tuple)
TIMES = st.floats(allow_nan=False)
ENTRIES = st.builds(
    Entry, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, PAIRS, st.integers(100, 999), TEXTS, PAIRS, st.binary(max_size=20), TIMES,
    TIMES, st.sampled_from(("http", "ttl")), TIMES, TIMES, st.lists(TEXTS, max_size=3).map(tuple),
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(ENTRIES)
def test_an_entry_comes_back(kept):
    assert unpacked(packed_head(kept), kept.body) == kept


@given(st.none() | st.text() | st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()))
@example(b"[" * 200_000)
@example(b"9" * 5000)
def test_other_bytes_are_no_entry(head):
    assert unpacked(head, b"") is None


@given(st.sampled_from(NAMES), VALUES)
def test_a_value_of_another_type_is_no_entry(name, value):
    head = json.loads(packed_head(entry()))
    head[NAMES.index(name)] = value
    found = unpacked(json.dumps(head).encode(), b"")
    expected = {field.name: type(getattr(entry(), field.name)) for field in fields(Entry)}
    assert found is None or all(type(getattr(found, each)) is kind for each, kind in expected.items())
