"""No stored answer is served where a plain model of RFC 9111, written apart from the rules, says that it may not."""

import math
import re
from email.utils import formatdate

from hypothesis import given
from hypothesis import strategies as st

from callsheet.http.caching.freshness import facts_of
from callsheet.http.caching.reuse import Windows, Wishes, may_serve_error, use_of, why_not_stored, wishes_of

NOW = 1_800_000_000
SECONDS = st.sampled_from([0, 1, 5, 59, 60, 61, 600])
ANSWER_WORDS = st.lists(
    st.one_of(
        st.sampled_from(["no-cache", "no-store", "must-revalidate", "private", "public", "immutable", "extension"]),
        st.builds(
            "{}={}".format,
            st.sampled_from(["max-age", "stale-while-revalidate", "stale-if-error", "s-maxage"]),
            SECONDS,
        ),
    ),
    max_size=4,
)
REQUEST_WORDS = st.lists(
    st.one_of(
        st.sampled_from(["no-cache", "no-store", "max-stale", "only-if-cached"]),
        st.builds("{}={}".format, st.sampled_from(["max-age", "min-fresh", "max-stale"]), SECONDS),
    ),
    max_size=2,
)


class Model:
    """RFC 9111 as a reader would go through it, with no thought of speed and no code of ours."""

    def __init__(self, words, expires, modified, age_field, took, later):
        self.words = words
        self.lifetime = self.reckoned_lifetime(expires, modified)
        # 4.2.3, with `Date` at the moment when the answer came
        self.age = max(0, age_field + took) + later

    def reckoned_lifetime(self, expires, modified):
        ages = [int(word[8:]) for word in self.words if re.fullmatch(r"max-age=\d+", word)]
        if ages:
            return min(ages)
        if expires is not None:
            return max(0, expires)
        return min(modified / 10, 86400) if modified is not None else 0

    def longest(self, name):
        found = [int(word.split("=")[1]) for word in self.words if word.startswith(f"{name}=")]
        return min(found) if found else 0

    def may_serve(self, request):
        """4: it is fresh, or it is stale and both sides allow that; and no one wants it validated."""
        late = self.age - self.lifetime
        if "no-cache" in self.words or "no-cache" in request:
            return False
        ages = [int(word[8:]) for word in request if word.startswith("max-age=")]
        if ages and self.age > min(ages) and not (min(ages) == 0 and "immutable" in self.words and late < 0):
            return False
        left = [int(word[10:]) for word in request if word.startswith("min-fresh=")]
        if late < 0:
            return not left or -late >= min(left)
        if "must-revalidate" in self.words or any(left):
            return False
        stale = [int(word[10:]) for word in request if word.startswith("max-stale=")]
        allowed = math.inf if "max-stale" in request and not stale else min(stale, default=0)
        return (late <= allowed and allowed > 0) or late < self.longest("stale-while-revalidate")

    def may_serve_error(self):
        late = self.age - self.lifetime
        if {"no-cache", "must-revalidate"} & set(self.words):
            return False
        return late <= 0 or late < self.longest("stale-if-error")


@given(
    words=ANSWER_WORDS,
    expires=st.none() | st.sampled_from([-60, 0, 30, 600]),
    modified=st.none() | st.sampled_from([0, 100, 6000, 10**8]),
    age_field=SECONDS,
    took=st.sampled_from([0, 2]),
    later=SECONDS,
    request=REQUEST_WORDS,
)
def test_nothing_is_served_that_the_model_forbids(words, expires, modified, age_field, took, later, request):
    fields = [("Date", formatdate(NOW, usegmt=True)), ("Age", str(age_field))]
    if words:
        fields.append(("Cache-Control", ", ".join(words)))
    if expires is not None:
        fields.append(("Expires", formatdate(NOW + expires, usegmt=True)))
    if modified is not None:
        fields.append(("Last-Modified", formatdate(NOW - modified, usegmt=True)))
    model = Model(words, expires, modified, age_field, took, later)
    facts = facts_of(200, fields, NOW - took, NOW)
    wishes = wishes_of([("Cache-Control", ", ".join(request))] if request else [])
    assert facts.lifetime == model.lifetime
    assert facts.age + later == model.age
    serves = use_of(facts, wishes, Windows(), facts.age + later).how != "ask"
    assert not serves or model.may_serve(request)
    if not request:  # and what it allows is served
        assert serves is model.may_serve(request)
    assert may_serve_error(facts, Windows(), facts.age + later) is model.may_serve_error()
    if "no-store" in words or "no-store" in request:
        assert why_not_stored("GET", 200, facts, wishes, Windows())


@given(st.text(alphabet="abc-=,\" \\0123456789'", max_size=40))
def test_any_text_can_be_a_cache_control(text):
    facts = facts_of(200, [("Cache-Control", text)], NOW, NOW)
    assert facts.lifetime >= 0
    assert isinstance(wishes_of([("Cache-Control", text)]), Wishes)
