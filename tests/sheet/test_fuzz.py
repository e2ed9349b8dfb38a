"""No text makes anything but a Sheet or a SheetError, and no secret shows on the way."""

import contextlib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from callsheet.errors import SheetError
from callsheet.sheet import Sheet
from callsheet.sheet.words.key_table import OPERATION_KEYS, SERVICE_KEYS, TOP_KEYS
from tests.sheet.test_environments import BASE, FLAT
from tests.sheet.test_secrets import CANARY, everything_told
from tests.sheet.test_settings import LAYERS

PRACTICE = Path(__file__).parents[2] / "src/callsheet/practice/callsheet.yaml"
SHEETS = [BASE, FLAT % "{}", LAYERS, PRACTICE.read_text("utf-8")]
WORDS = [
    *(
        "${A}",
        "${",
        "}",
        "{",
        "[",
        "]",
        ": ",
        "- ",
        "\n",
        "\n  ",
        "\t",
        "'",
        '"',
        "*",
        "&",
        "!",
        "|",
        ">",
        "#",
        "%",
        "@",
        "?",
    ),
    *(
        "<<",
        "null",
        "off",
        "0",
        "-1",
        "1e999",
        ".nan",
        "\x00",
        "\ud800",
        "\u2028",
        "\x85",
        "ä",
        "---\n",
        "...\n",
        ",",
        "\\",
    ),
    *(key.name for key in (*TOP_KEYS, *SERVICE_KEYS, *OPERATION_KEYS)),
]


@given(st.text())
def test_any_text(text):
    reads(text)


@given(st.lists(st.sampled_from(WORDS)).map("".join))
def test_any_words_of_yaml(text):
    reads(text)


@given(st.sampled_from(SHEETS), st.data())
def test_sheets_with_a_piece_replaced(text, data):
    start = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 30))
    reads(text[:start] + data.draw(st.sampled_from(WORDS) | st.text(max_size=5)) + text[start + length :])


@given(st.sampled_from(SHEETS), st.data())
def test_sheets_with_a_line_moved(text, data):
    lines = text.splitlines(keepends=True)
    line = lines.pop(data.draw(st.integers(0, len(lines) - 1)))
    lines.insert(data.draw(st.integers(0, len(lines))), " " * data.draw(st.integers(0, 6)) + line)
    reads("".join(lines))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5) | st.integers(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(VALUES)
def test_any_python_data(data):
    for build in (
        lambda: Sheet(services=data, variables={}),
        lambda: Sheet(services={"shop": data}, defaults=data, variables={}),
        lambda: Sheet(
            services={"shop": {"base_url": "http://a", "operations": {"op": data}}}, schemas=data, variables={}
        ),
    ):
        with contextlib.suppress(SheetError):
            build()


@given(st.sampled_from([key.name for key in SERVICE_KEYS if key.form]), VALUES)
def test_any_value_of_a_setting_in_code(key, value):
    service = Sheet(services={"shop": {"base_url": "http://a"}}, variables={"A": "1"}).services["shop"]
    with contextlib.suppress(SheetError):
        service.settings(None, {key: value})


SECRET = BASE.replace("token-of-base", CANARY).replace("X-B: base", f"X-Token: {CANARY}")


@given(st.data())
def test_a_secret_stays_hidden_whatever_is_broken_elsewhere(data):
    places = [i for i in range(len(SECRET)) if CANARY not in SECRET[max(0, i - 60) : i + 60]]
    at = data.draw(st.sampled_from(places))
    text = SECRET[:at] + data.draw(st.sampled_from(WORDS)) + SECRET[at + data.draw(st.integers(0, 3)) :]
    assert CANARY not in everything_told(text, variables={"A": "1"})


def reads(text: str) -> None:
    with contextlib.suppress(SheetError):
        Sheet.parse(text, name="s.yaml", variables={"A": "1", "TOKEN": "t"})
