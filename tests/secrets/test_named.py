"""A credential that is told by its name, in a text that has other names and values around it."""

import pytest

from callsheet.secret.credential_names import without_named


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("password=geheim123", "password=***"),
        ("login failed: password=geheim123", "login failed: password=***"),
        ("https://shop.test/cb#access_token=abcdef&state=1", "https://shop.test/cb#access_token=***&state=1"),
        ("url=https://shop.test/?api_key=abcdef&b=1", "url=https://shop.test/?api_key=***&b=1"),
        ("note:password:abcd1234", "note:password:***"),
        ('{"error": "bad token: abcdef"}', '{"error": "bad token: ***"}'),
        ("Authorization: Bearer abcdef", "Authorization: Bearer ***"),
        ("my-secret-name = abcd; other = efgh", "my-secret-name = ***; other = efgh"),
        ("next_page_token=abcd tokens: 1000 author=someone", "next_page_token=abcd tokens: 1000 author=someone"),
        ("the password is wrong", "the password is wrong"),
    ],
)
def test_its_value_is_masked_wherever_it_stands(text, masked):
    assert without_named(text) == masked


@pytest.mark.parametrize("text", ["token" * 40_000, "token-" * 40_000 + "=", "a" * 200_000 + "="])
def test_a_long_name_is_none(text):
    assert without_named(text) == text
