"""`concurrency`, `pool`, `caps`, `redirects`, `compress`: how requests travel, and how much may."""

from __future__ import annotations

from callsheet.sheet.forms.reading import Form
from callsheet.sheet.forms.record import Key, Record
from callsheet.sheet.forms.scalars import DURATION, SIZE, Choice, WholeNumber
from callsheet.sheet.forms.shorthand import DURATION_OR_OFF, GZIP_OR_OFF, OrNumber, OrWord

MOST_HOPS = 20


CONCURRENCY: Form = OrNumber(
    Record(
        (
            Key("limit", WholeNumber(1, 100_000), "attempts in flight"),
            Key("queue", WholeNumber(0, 1_000_000), "how many may wait"),
        ),
        topic="concurrency",
        expected="a whole number, or a mapping of limit and queue",
    ),
    key="limit",
)
POOL: Form = Record(
    (
        Key("connections", WholeNumber(1, 10_000), "kept per service"),
        Key("idle", DURATION, "how long one is kept unused"),
        Key("lifetime", DURATION_OR_OFF, "how old one may become"),
    ),
    topic="pool",
    expected="a mapping of connections, idle and lifetime",
)
CAPS: Form = Record(
    (
        Key("response", SIZE, "an answer's body, decoded"),
        Key("headers", SIZE, "an answer's header fields in all"),
        Key("header_count", WholeNumber(1, 100_000), "how many header fields"),
        Key("encodings", WholeNumber(1, 100), "stacked content codings"),
    ),
    topic="caps",
    expected="a mapping of response, headers, header_count and encodings",
)
REDIRECTS: Form = OrWord(
    Record(
        (
            Key("follow", Choice(("same-origin",)), "which redirects"),
            Key("max", WholeNumber(1, MOST_HOPS), "how many per call"),
        ),
        topic="redirects",
        expected="`off`, `same-origin`, or a mapping such as `{follow: same-origin, max: 5}`",
    ),
    key="follow",
    word="same-origin",
    hint="write `redirects: same-origin`; other origins are named in `allow_origins`",
)
COMPRESS: Form = GZIP_OR_OFF
