"""A secret reaches the wire and nothing else."""

import copy
import json
import pickle
import re
from dataclasses import asdict, dataclass
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.errors import AuthError, UsageError
from callsheet.secret import MountedFile, Secret, redact

LONG = st.text(min_size=6).filter(lambda text: "*" not in text and text.strip() == text)


def test_it_is_never_shown():
    secret = Secret("Bearer ", Secret("canary"))
    assert "canary" not in f"{secret} {secret!r} {secret:>20}" + f"{secret} {secret!r}" + str([secret]) + str(
        {1: secret}
    )
    assert secret.reveal() == "Bearer canary"


def test_it_is_neither_pickled_nor_written_as_json():
    with pytest.raises(TypeError, match="a secret is not pickled"):
        pickle.dumps(Secret("canary"))
    with pytest.raises(TypeError, match="Secret is not JSON serializable"):
        json.dumps(Secret("canary"))


@pytest.mark.parametrize("through", [copy.copy, copy.deepcopy, lambda secret: asdict(Holds(secret))["token"]])
def test_a_copy_of_it_is_a_secret(through):
    secret = Secret("canary")
    assert through(secret) is secret


async def later():
    return "canary"


@pytest.mark.parametrize("given", [later, lambda name: name, 7, None])
def test_what_gives_no_text_is_refused(given):
    with pytest.raises(UsageError, match="give a plain function of no arguments that returns a text"):
        Secret(given)


@dataclass
class Holds:
    token: Secret


def test_it_is_true_and_equal_to_itself_only():
    assert Secret("")
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


@given(LONG, st.text(), st.text())
def test_it_is_masked_wherever_it_stands(secret, before, after):
    assert secret not in redact(f"{before}{secret}{after}", [Secret(secret)]).replace("***", "")


@given(LONG)
def test_it_is_masked_in_a_url_too(secret):
    coded = quote(secret, safe="", errors="replace")
    assert redact(f"https://x/?key={coded}&a=1", [Secret(secret)]).startswith("https://x/?key=***")


def test_parts_are_masked_and_the_scheme_is_not():
    secrets = [Secret("Bearer ", "canary-1")]
    assert redact("Bearer canary-1, canary-1, Bearer", secrets) == "***, ***, Bearer"


def test_a_short_one_is_not_searched_for():
    assert redact("1234 in 12345", [Secret("1234")]) == "1234 in 12345"


def test_the_longer_of_two_is_masked_first():
    assert redact("canary-and-more", [Secret("canary"), Secret("canary-and-more")]) == "***"


def test_a_mounted_file_is_read_again_when_it_changes(tmp_path):
    path = tmp_path / "token"
    path.write_text("one\n")
    file = MountedFile(path)
    secret = Secret("Bearer ", file)
    assert secret.reveal() == "Bearer one"
    path.write_text("second\n")
    file._looked -= 2.0
    assert secret.reveal() == "Bearer second"
    assert not secret.is_constant


def test_a_mounted_file_that_goes_away_keeps_its_last_text(tmp_path):
    path = tmp_path / "token"
    path.write_text("one")
    file = MountedFile(path)
    file.read()
    path.unlink()
    file._looked -= 2.0
    assert file.read() == "one"


def test_a_mounted_file_that_never_was_is_an_error(tmp_path):
    with pytest.raises(AuthError, match="token` cannot be used: No such file"):
        MountedFile(tmp_path / "token").read()


def test_masking_goes_on_without_the_file(tmp_path):
    assert redact("text", [Secret(MountedFile(tmp_path / "token"))]) == "text"


@pytest.mark.parametrize("text", ["a/b+c=d e", "caf\u00e9 & co", "p@ss:word/1", "100%-sure"])
@pytest.mark.parametrize("encode", [lambda text: quote(text, safe=""), quote, quote_plus], ids=["all", "path", "form"])
@pytest.mark.parametrize("is_lower", [False, True])
def test_it_is_masked_percent_encoded_twice(text, encode, is_lower):
    inner = f"/cb?key={encode(text)}&x=1"
    for outer in (quote(inner, safe=""), quote(inner), quote_plus(inner)):
        told = re.sub("%(25)*..", lambda found: found[0].lower(), outer) if is_lower else outer
        assert redact(f"/login?next={told}", [Secret(text)]).count("***") == 1
