"""Write docs/reference/transport-errors.md from the transport's own table of libcurl's errors."""

from __future__ import annotations

from pathlib import Path

import pycurl

from callsheet.errors import NoAnswer, NotSent, TransportError
from callsheet.transports.curl.outcomes import ALERTS, RULES, VERIFY_RESULTS

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "transport-errors.md"
UNNAMED = {8: "E_WEIRD_SERVER_REPLY", 92: "E_HTTP2_STREAM", 97: "E_PROXY", 100: "E_TOO_LARGE"}
"""Numbers that pycurl has no name for, or an old one."""
HEAD = """\
# Transport errors

What a failed attempt means. `error.errno` is libcurl's number; the class depends on it, and on whether the transfer had
reached its send phase: until then nothing of the request was on the wire, from then on some of it may have been.
"Repeated" says whether the attempt may be made again; "if safe" is explained below the table.

This page is made from the table in `callsheet/transports/curl/outcomes.py` by `make reference`; a test compares the
two.

| number | libcurl's name | meaning | before sending | repeated | since sending | repeated | why |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""
TAIL = """
A number that is not here is `NotSent` before the send phase and `NoAnswer` from then on.

## May the attempt be made again?

| class | repeated | why |
| --- | --- | --- |
| `NotSent`, `ConnectTimeout` | always | nothing reached the service |
| `NoAnswer`, `AttemptTimeout`, `MalformedAnswer` | where sending twice does no harm: GET, HEAD, OPTIONS, TRACE, PUT, DELETE, what is declared `idempotent`, what carries an idempotency key | the service may have processed the request |
| `TLSError` | never | it would be the same again |
| `LocalFault` | never | the fault is this machine's; neither the breaker nor the retry budget counts it |
| `ResponseTooLarge` (number 63) | never | it would be as large again |

The other conditions of a repeat (attempts, time left, a body that can be sent again) are those of `retry`.

## Exceptions to the table

- **Number 35** without an error of OpenSSL, or with "unexpected eof", is a connection that was hung up or reset in the
  handshake: `NotSent`.
- **Numbers 55 and 56** with a TLS alert in the message ({first:08X} to {last:08X}), before any byte of an answer, are a
  `TLSError`: under TLS 1.3 a server refuses a missing client certificate only after the handshake. (If the server's
  reset overtakes its alert, nothing tells the refusal from a broken connection, and it is `NoAnswer`.)
- **Number 42** is ours: libcurl was about to send the request a second time, because a kept connection closed before
  the first byte of the answer. It is stopped, and the error has `on_kept_connection` set.
- **Number 7** where a descriptor or memory was lacking is a `LocalFault`, sent or not.
- **Number 42 for a stream of HTTP/2 that the service refused** (REFUSED_STREAM, or a GOAWAY whose last stream is lower: RFC 9113 8.7)
  is `NotSent`: libcurl's trace tells it from a lost connection. It has `on_kept_connection` set and is made again at once, twice beside
  `attempts`, at no charge to `retry.budget`. The same holds for **number 65** where the body is read as it is sent.
- **Number 56** for a chunk whose size is none, or that does not end where it should (RFC 9112 7.1), is `MalformedAnswer`.
- **An answer that had come before its request**, in the same read as the answer before it, is nobody's: `NoAnswer` with
  `on_kept_connection` set, since the request was sent by then. (One that comes while the connection is idle closes it, and
  the request goes on another.)
- **No number**: what libcurl takes for a success and we do not (a header block that breaks off, more header fields than
  `caps.headers` or `caps.header_count` allow, more than 16 interim answers, a Content-Length beyond 2^63 - 1, framing that
  libcurl does not read, such as `Content-Length : 5` or `Transfer-Encoding: identity`) is `MalformedAnswer`; a name
  that was not resolved is `NotSent` (`LocalFault` where this machine lacked what a lookup takes), and `ConnectTimeout` if it took longer
  than `timeout.connect`; no byte for `timeout.read` is `AttemptTimeout`.

## Certificates that are not accepted (number 60)

| OpenSSL's number | message |
| --- | --- |
"""


def names() -> dict[int, str]:
    """Libcurl's name of each number."""
    known = {
        value: name
        for name, value in vars(pycurl).items()
        if name.startswith("E_") and not name.startswith(("E_MULTI_", "E_CALL_MULTI")) and isinstance(value, int)
    }
    return known | UNNAMED


def outcome(kind: type[TransportError]) -> str:
    """The class, and whether the attempt may be made again."""
    if issubclass(kind, NotSent):
        return f"`{kind.__name__}` | always"
    return f"`{kind.__name__}` | {'if safe' if issubclass(kind, NoAnswer) else 'never'}"


def page() -> str:
    """The whole page."""
    known = names()
    rows = [
        f"| {number} | `CURL{known[number]}` | {rule.meaning} | {outcome(rule.before)} | {outcome(rule.after)} | {rule.reason} |"
        for number, rule in sorted(RULES.items())
    ]
    others = [f"| {number} | {text} |" for number, text in sorted(VERIFY_RESULTS.items())]
    tail = TAIL.format(first=ALERTS.start, last=ALERTS.stop - 1)
    return HEAD + "\n".join(rows) + "\n" + tail + "\n".join(others) + "\n| other | libcurl's own words |\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())
