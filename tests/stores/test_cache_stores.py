"""What every store of answers does, in both colours, and that it keeps what a plain dict would."""

import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callsheet.stores.base import MOST_VARIANTS, Clear, Drop, Find, HashKey, Info, Keep, Show
from tests.loops import COLOURS
from tests.stores.caches import KINDS, Opened, entry, new_place

GERMAN, FRENCH = ((("accept-language", "0a"),), (("accept-language", "0b"),))


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(params=COLOURS)
def cache(request, kind, tmp_path, valkey):
    loop = None if request.param == "blocking" else request.param
    opened = Opened(kind, new_place(kind, tmp_path, valkey.url), loop)
    yield opened
    opened.close()


def test_an_entry_comes_back_as_it_was(cache):
    kept = entry(body=bytes(range(256)), vary=GERMAN, tags=("t1", "t2"), mode="ttl", reason="Schön", status=404)
    assert cache.ask(Find("k1")) == ()
    assert cache.ask(Keep(kept)) is None
    assert cache.ask(Find("k1")) == (kept,)
    assert cache.ask(Find("k2")) == ()


def test_it_is_found_at_once_and_later(cache):
    for number in range(50):
        cache.ask(Keep(entry(f"k{number}", b"%d" % number)))
        assert [each.body for each in cache.ask(Find(f"k{number}"))] == [b"%d" % number]
    cache.ask(Info())  # everything before it is written
    assert [cache.ask(Find(f"k{number}"))[0].body for number in range(50)] == [b"%d" % each for each in range(50)]


def test_variants_stand_side_by_side_and_replace_their_like(cache):
    now = time.time()
    first, second = entry(vary=GERMAN, now=now - 2), entry(vary=FRENCH, now=now - 1)
    cache.ask(Keep(first))
    cache.ask(Keep(second))
    assert cache.ask(Find("k1")) == (first, second)
    newer = entry(vary=GERMAN, body=b"newer", now=now)
    cache.ask(Keep(newer))
    assert cache.ask(Find("k1")) == (second, newer)
    assert cache.ask(Info()).entries == 2


def test_a_key_has_a_bounded_number_of_variants(cache):
    now = time.time()
    for number in range(MOST_VARIANTS + 5):
        cache.ask(Keep(entry(vary=(("x", str(number)),), now=now + number / 1000)))
    cache.ask(Info())
    found = cache.ask(Find("k1"))
    assert len(found) == MOST_VARIANTS
    assert found[-1].vary == (("x", str(MOST_VARIANTS + 4)),)


def test_an_entry_past_its_time_is_not_found(cache):
    cache.ask(Keep(entry(keep_until=time.time() - 1)))
    cache.ask(Keep(entry("k2", keep_until=time.time() + 60)))
    cache.ask(Info())
    assert cache.ask(Find("k1")) == ()
    assert len(cache.ask(Find("k2"))) == 1


def test_dropping_by_key_and_by_tag_says_how_many(cache):
    for key, tags in (("k1", ("t1",)), ("k2", ("t1", "t2")), ("k3", ("t2",)), ("k4", ())):
        cache.ask(Keep(entry(key, tags=tags)))
    assert cache.ask(Drop(tag="t1")) == 2
    assert cache.ask(Drop(tag="t1")) == 0
    assert cache.ask(Drop(key="k4")) == 1
    assert cache.ask(Drop(key="k9", tag="t9")) == 0
    assert [len(cache.ask(Find(key))) for key in ("k1", "k2", "k3", "k4")] == [0, 0, 1, 0]


def test_clearing_is_by_service_and_operation(cache):
    for key, service, operation in (("k1", "a", "x"), ("k2", "a", "y"), ("k3", "b", "x"), ("k4", "b", "x")):
        cache.ask(Keep(entry(key, service=service, operation=operation)))
    assert cache.ask(Clear("a", "x")) == 1
    assert cache.ask(Clear("b")) == 2
    assert cache.ask(Clear("b")) == 0
    assert cache.ask(Info()).entries == 1
    assert cache.ask(Clear()) == 1
    assert cache.ask(Info()).entries == cache.ask(Info()).size == 0


def test_what_is_kept_is_counted_and_shown_without_bodies(cache):
    now = time.time()
    kept = [entry(f"k{number}", b"x" * 1000, now=now + number) for number in range(3)]
    for each in kept:
        cache.ask(Keep(each))
    held = cache.ask(Info())
    assert held.entries == 3
    assert 3000 <= held.size <= sum(each.size for each in kept)
    shown = cache.ask(Show(2))
    assert [each.entry for each in shown] == [replace(each, body=b"") for each in kept[:0:-1]]
    assert all(each.size >= 1000 for each in shown)


def test_the_hash_key_is_random_and_stays(cache, tmp_path, valkey):
    key = cache.ask(HashKey())
    assert len(key) == 32
    assert cache.ask(HashKey()) == key
    other = Opened(cache.kind, new_place(cache.kind, tmp_path, valkey.url), cache.loop)
    assert other.ask(HashKey()) != key
    other.close()


@pytest.mark.parametrize("kind", ["sqlite", "valkey"])
def test_stores_over_one_place_share_entries_and_the_hash_key(cache):
    other = cache.again()
    cache.ask(Keep(entry()))
    cache.ask(Info())
    assert len(other.ask(Find("k1"))) == 1
    assert other.ask(HashKey()) == cache.ask(HashKey())
    assert other.ask(Drop("k1")) == 1
    assert cache.ask(Find("k1")) == ()
    other.close()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_it_stays_within_its_bytes_and_keeps_what_is_used(kind, tmp_path):
    most = 512 * 1024
    cache = Opened(kind, new_place(kind, tmp_path, ""), max_bytes=most)
    used = entry("used", b"x" * 4000)
    cache.ask(Keep(used))
    for number in range(400):
        cache.ask(Keep(entry(f"k{number}", b"x" * (number * 97 % 9000))))
        assert cache.ask(Find("used")) == (used,)
        if number % 20 == 0:
            cache.ask(Info())
    held = cache.ask(Info())
    assert most / 3 < held.size <= most
    assert cache.ask(Find("k0")) == ()
    cache.ask(Keep(entry("large", b"x" * most)))
    assert cache.ask(Find("large")) == ()
    cache.close()
    if kind == "sqlite":
        assert cache.place.stat().st_size <= most + 16 * 1024


class Model:
    """What a plain dict keeps."""

    def __init__(self):
        self.kept = {}

    def ask(self, question):
        if isinstance(question, Keep):
            self.kept.pop((question.entry.key, question.entry.vary), None)
            self.kept[question.entry.key, question.entry.vary] = question.entry
            return None
        if isinstance(question, Find):
            return tuple(each for each in self.kept.values() if each.key == question.key)
        if isinstance(question, Info):
            return len(self.kept)
        meant = (
            (lambda each: each.key == question.key or question.tag in each.tags)
            if isinstance(question, Drop)
            else (lambda each: question.means(each.service, each.operation))
        )
        gone = [place for place, each in self.kept.items() if meant(each)]
        for place in gone:
            del self.kept[place]
        return len(gone)


KEYS, NOW = ("k1", "k2", "k3", "k4"), time.time()
QUESTIONS = st.one_of(
    st.builds(Find, st.sampled_from(KEYS)),
    st.builds(
        lambda key, vary, body: (key, vary, body),
        st.sampled_from(KEYS),
        st.sampled_from(((), GERMAN, FRENCH)),
        st.binary(max_size=30),
    ),
    st.builds(Drop, st.sampled_from(KEYS)),
    st.builds(Drop, st.none(), st.sampled_from(("t-k1", "t-odd", "t-none"))),
    st.builds(Clear, st.sampled_from((None, "a", "b")), st.sampled_from((None, "x", "y"))),
    st.just(Info()),
)


def _asked(written, number):
    """The question; an entry has what follows of its key, and is younger than those before it."""
    if not isinstance(written, tuple):
        return written
    key, vary, body = written
    odd = key in ("k1", "k3")
    tags = (f"t-{key}", *(["t-odd"] if odd else []))
    told = {"service": "a" if odd else "b", "operation": "x" if key in ("k1", "k2") else "y", "tags": tags}
    return Keep(entry(key, body, vary=vary, now=NOW + number / 1000, keep_until=NOW + 10_000, **told))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.lists(QUESTIONS, max_size=25))
@pytest.mark.parametrize("kind", KINDS)
def test_any_questions_have_the_answers_of_a_dict(kind, written, tmp_path, valkey):
    cache, model = Opened(kind, new_place(kind, tmp_path, valkey.url)), Model()
    try:
        for number, each in enumerate(written):
            question = _asked(each, number)
            found, expected = cache.ask(question), model.ask(question)
            assert (found.entries if isinstance(question, Info) else found) == expected
    finally:
        cache.close()
