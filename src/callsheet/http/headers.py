"""Header fields: an ordered multi-map with case-insensitive names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from callsheet.errors import ArgumentError
from callsheet.secret import MASK, Secret

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
FORBIDDEN_IN_VALUE = re.compile(r"[\r\n\0]")
CHANGED_ON_THE_WAY = re.compile(r"\A[ \t]|[ \t]\Z|[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""White space at the edges is not part of a value, and other control characters are replaced or refused (RFC 9110 5.5)."""
SET_UNASKED = frozenset({"accept", "accept-encoding", "content-type", "user-agent"})
"""Fields that a transport adds if the request does not set them."""
SET_BY_TRANSPORT = frozenset({"content-length", "transfer-encoding", "expect"})
"""Fields that callers may not set: two that contradict each other allow request smuggling (RFC 9112 11.2)."""


class Headers(Mapping[str, str]):
    """Header fields in the order in which they were given; upper and lower case of a name are the same.

    `headers["Accept"]` gives all values of a field joined by a comma (RFC 9110 5.3), `get_list` each by itself. The value of
    a Secret reads `***`, and is sent as it is.
    """

    __slots__ = ("_fields", "_index", "_names", "added_to", "wire_lines")

    def __init__(self, fields: Mapping[str, str | Secret] | Iterable[tuple[str, str | Secret]] = ()) -> None:
        # The tuple first: `isinstance(fields, Mapping)` costs as much as all the rest.
        self._fields = (
            fields if type(fields) is tuple else tuple(fields.items() if isinstance(fields, Mapping) else fields)
        )
        self._index: dict[str, list[str]] | None = None
        self._names: frozenset[str] | None = None
        self.wire_lines: list[bytes] | None = None
        """The lines that a transport made of these fields. They are kept because all calls of a plan may share one Headers."""
        self.added_to: Headers | None = None
        """The Headers that these equal except for their last field, so that its `wire_lines` can be reused."""

    @property
    def fields(self) -> tuple[tuple[str, str | Secret], ...]:
        """Name and value of each field. A secret value is the Secret itself here, and `***` everywhere else."""
        return self._fields

    @property
    def is_constant(self) -> bool:
        """Whether no value is a Secret that has to be read again for each call."""
        return all(isinstance(value, str) or value.is_constant for _, value in self._fields)

    def with_fields(self, extra: Iterable[tuple[str, str | Secret]]) -> Headers:
        """A copy with the fields of `extra`, which replace fields of the same names."""
        added = tuple(extra)
        names = {name.lower() for name, _ in added}
        return Headers((*(field for field in self._fields if field[0].lower() not in names), *added))

    def has(self, name: str) -> bool:
        """Whether there is a field of this name, given in lower case."""
        if self._names is None:
            self._names = frozenset(known.lower() for known, _ in self._fields)
        return name in self._names

    def plus(self, name: str, value: str | Secret) -> Headers:
        """A copy with one more field, which replaces fields of its name; faster than `with_fields` if there are none."""
        wanted = name.lower()
        if self.has(wanted) or wanted in SET_UNASKED:
            return self.with_fields([(name, value)])
        headers = Headers((*self._fields, (name, value)))
        headers.added_to = self
        return headers

    def without(self, names: frozenset[str]) -> Headers:
        """A copy without the fields of these names, given in lower case."""
        return Headers(field for field in self._fields if field[0].lower() not in names)

    def get_list(self, name: str) -> list[str]:
        """Every value of a field, in order; an empty list if there is no such field."""
        return list(self._by_name().get(name.lower(), ()))

    def multi_items(self) -> list[tuple[str, str]]:
        """Name and value of every field; a field that is given twice is there twice."""
        return [(name, value if isinstance(value, str) else MASK) for name, value in self._fields]

    def _by_name(self) -> dict[str, list[str]]:
        if self._index is None:
            index: dict[str, list[str]] = {}
            for name, value in self.multi_items():
                index.setdefault(name.lower(), []).append(value)
            self._index = index
        return self._index

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._by_name()[name.lower()])

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._by_name()

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name())

    def __len__(self) -> int:
        return len(self._by_name())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._by_name() == other._by_name()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Headers({self.multi_items()!r})"

    def __reduce__(self) -> tuple[type[Headers], tuple[list[tuple[str, str]]]]:
        return Headers, (self.multi_items(),)


class AnsweredHeaders(Headers):
    """The header fields of an answer, which may repeat secrets of the request: masked in `repr` and pickles, not when read."""

    __slots__ = ("_masked",)

    def __init__(self, fields: tuple[tuple[str, str | Secret], ...], masked: Callable[[str], str]) -> None:
        super().__init__(fields)
        self._masked = masked

    def _shown(self) -> list[tuple[str, str]]:
        items = self.multi_items()
        return [(name, MASK if name.lower() == "set-cookie" else self._masked(value)) for name, value in items]

    def __repr__(self) -> str:
        return f"Headers({self._shown()!r})"

    def __reduce__(self) -> tuple[type[Headers], tuple[list[tuple[str, str]]]]:
        return Headers, (self._shown(),)


def parse_field_lines(lines: Iterable[bytes]) -> Headers:
    """Headers from the lines of a header block (RFC 9112 5), as Latin-1.

    A folded line joins the one before; lines with white space before the first field are dropped (RFC 9112 2.2).
    """
    fields: list[tuple[str, str | Secret]] = []
    for line in lines:
        if line[:1] in (b" ", b"\t"):
            if fields:
                name, value = fields[-1]
                fields[-1] = (name, f"{value} {line.decode('latin-1').strip()}")
            continue
        name, colon, value = line.decode("latin-1").partition(":")
        if colon:
            fields.append((name, value.strip(" \t\r\n")))
    return Headers(fields)


def check_field(name: object, value: object) -> None:
    """Raise ArgumentError for a field that cannot be sent unchanged (RFC 9110 5.1, 5.5), without showing its value."""
    if not isinstance(name, str) or not TOKEN.match(name):
        raise ArgumentError(f"header name {name!r}: expected letters, digits and !#$%&'*+-.^_`|~")
    if name.lower() in SET_BY_TRANSPORT:
        raise ArgumentError(f"header `{name}`: it follows from the body and is set when the request is sent; remove it")
    if not isinstance(value, str):
        raise ArgumentError(f"header `{name}`: expected text, found {type(value).__name__}")
    if FORBIDDEN_IN_VALUE.search(value):
        raise ArgumentError(f"header `{name}`: its value holds a CR, LF or NUL; remove it")
    if CHANGED_ON_THE_WAY.search(value):
        raise ArgumentError(f"header `{name}`: its value begins or ends with white space, or holds a control character")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise ArgumentError(
            f"header `{name}`: its value holds a character outside Latin-1; encode it (RFC 8187) or send it in the body"
        ) from None
