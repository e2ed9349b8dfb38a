"""The table of libcurl's errors: what it decides, and that its page tells the same."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pycurl
import pytest

from callsheet.errors import AttemptTimeout, ConnectTimeout, LocalFault, MalformedAnswer, NoAnswer, NotSent, TLSError
from callsheet.transports.curl.outcomes import RULES, class_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("transport_errors", ROOT / "tools" / "transport_errors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_made_from_the_table(writer: ModuleType) -> None:
    assert writer.PAGE.read_text() == writer.page(), "run make reference"


def test_every_number_is_named_once(writer: ModuleType) -> None:
    names = writer.names()
    assert all(number in names for number in RULES)
    assert len({rule.meaning for rule in RULES.values()}) == len(RULES)


@pytest.mark.parametrize("errno", [*range(1, 110), 9999])
def test_a_failure_is_never_sent_only_if_sending_had_not_begun(errno: int) -> None:
    before = class_of(errno, sent=False, answered=False, text="")
    after = class_of(errno, sent=True, answered=False, text="")
    assert issubclass(before, NotSent | TLSError | LocalFault)
    assert issubclass(after, NoAnswer | TLSError | LocalFault)


@pytest.mark.parametrize("errno", sorted(set(range(1, 110)) - set(RULES)))
def test_a_number_that_is_not_listed_goes_by_the_send_phase(errno: int) -> None:
    assert class_of(errno, sent=False, answered=False, text="") is NotSent
    assert class_of(errno, sent=True, answered=False, text="") is NoAnswer


EOF = "TLS connect error: error:0A000126:SSL routines::unexpected eof while reading"
REFUSED = "OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate required, errno 0"
VERSION = "TLS connect error: error:0A00042E:SSL routines::tlsv1 alert protocol version"


@pytest.mark.parametrize(
    ("errno", "text", "sent", "answered", "kind"),
    [
        (pycurl.E_SSL_CONNECT_ERROR, "Recv failure: Connection reset by peer", False, False, NotSent),
        (pycurl.E_SSL_CONNECT_ERROR, EOF, False, False, NotSent),
        (pycurl.E_SSL_CONNECT_ERROR, EOF, True, False, NoAnswer),
        (pycurl.E_SSL_CONNECT_ERROR, VERSION, False, False, TLSError),
        (pycurl.E_RECV_ERROR, REFUSED, True, False, TLSError),
        (pycurl.E_SEND_ERROR, REFUSED, True, False, TLSError),
        (pycurl.E_RECV_ERROR, REFUSED, True, True, NoAnswer),
        (pycurl.E_RECV_ERROR, "Recv failure: Connection reset by peer", True, False, NoAnswer),
        (pycurl.E_OPERATION_TIMEDOUT, "", False, False, ConnectTimeout),
        (pycurl.E_OPERATION_TIMEDOUT, "", True, False, AttemptTimeout),
        (pycurl.E_UNSUPPORTED_PROTOCOL, "Received HTTP/0.9 when not allowed", True, False, MalformedAnswer),
    ],
)
def test_the_exceptions_to_the_table(errno: int, text: str, sent: bool, answered: bool, kind: type) -> None:
    assert class_of(errno, sent=sent, answered=answered, text=text) is kind
