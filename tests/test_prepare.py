"""What a person reads when .venv cannot be prepared."""

import pytest

from tools.prepare import complaint

RETRY = (
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(': refused')': /simple/click/\n"
)
NOTHING = "ERROR: No matching distribution found for click==8.1.0\n"


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (RETRY + NOTHING, "no package index could be reached"),
        (NOTHING, "no package index offers click==8.1.0"),
        (
            RETRY + "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n",
            "not the file that was pinned",
        ),
        ("Collecting click\nERROR: No space left on device.\n", "No space left on device"),
        ("", "pip stopped without saying why"),
    ],
    ids=["unreachable", "not offered", "altered", "anything else", "silence"],
)
def test_a_failed_installation_is_told_in_one_line(log, told):
    assert told in complaint(log)
    assert "\n" not in complaint(log)
