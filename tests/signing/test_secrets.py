"""Neither a key nor a signature shows, whatever happens to a call."""

import logging
import re
from contextlib import closing

import pytest

from callsheet.errors import APIError
from callsheet.testing import Cassette
from tests.auth.keys import pair
from tests.auth.test_secrets import everything_of
from tests.auth.worlds import Tasks, Threads
from tests.kept import kept
from tests.loops import colours
from tests.secrets.test_canary import WAYS
from tests.servers import ScriptedServer
from tests.signing.sheets import SECRET, sheet_of

TOKEN = "token-canary-9d1c"
KINDS = {
    "hmac": {"hmac": {"key": "${KEY}", "value": "t={timestamp},v1={signature}", "header": "X-Proof"}},
    "http_signature": {"http_signature": {"key": "${PEM}", "key_id": "k", "algorithm": "ed25519"}},
    "shared secret": {"http_signature": {"key": "${KEY}", "key_id": "k", "algorithm": "hmac-sha256"}},
    "aws": {
        "aws": {
            "service": "s3",
            "region": "r",
            "credentials": {"access_key": "AKID", "secret_key": "${KEY}", "session_token": "${TOKEN}"},
        }
    },
}
VARIABLES = {"PEM": pair("EdDSA")[0], "TOKEN": TOKEN}
FOUND = re.compile(r"v1=([0-9a-f]{64})|sig1=:([A-Za-z0-9+/=]+):|Signature=([0-9a-f]{64})")


def signatures(requests):
    fields = [value for request in requests for _, value in request.headers]
    return [next(filter(None, found)) for value in fields for found in FOUND.findall(value)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_neither_key_nor_signature_shows(world, kind, way, caplog):
    caplog.set_level(logging.DEBUG)
    events, shown = [], []
    with ScriptedServer(WAYS[way]) as server:
        sheet = sheet_of(KINDS[kind], server.url, variables=VARIABLES, retry="off")
        client = world(sheet, listeners=(events.append,))
        for call in (("call", "get", {"id": "1"}), ("get", "/x")):
            try:
                shown += everything_of(client.do(*call, timeout=0.3))
            except APIError as error:
                shown += everything_of(error)
        sent = signatures(server.requests)
    settings = sheet.services["shop"].settings()
    scope = client.service._maker.plans.scope
    shown += [repr(each) for each in (sheet, settings, client.client, client.service, scope, kept(scope, "sign"))]
    shown += [str(client.service.explain("get")), repr(events), caplog.text]
    shown += [repr(record.__dict__) for record in caplog.records]
    assert len(sent) == 2
    hidden = [*sent, SECRET, TOKEN, *VARIABLES["PEM"].splitlines()[1:-1]]
    assert not [text for text in shown for secret in hidden if secret in text]


@pytest.mark.parametrize("colour", colours(Threads, Tasks))
@pytest.mark.parametrize("kind", KINDS)
def test_nor_on_a_cassette_which_still_fits_when_all_is_signed_anew(colour, kind, tmp_path):
    path, given = tmp_path / "tape.json", {"variables": VARIABLES, "retry": "off"}

    def done(url, tape):
        with closing(colour(sheet_of(KINDS[kind], url, **given), transport=tape)) as client:
            return client.do("put", "/x", content=b"body").status_code

    with ScriptedServer(WAYS["success"]) as server:
        done(server.url, Cassette(path, record="once"))
        sent = signatures(server.requests)
    assert len(sent) == 1
    written = path.read_text()
    assert not [secret for secret in (*sent, SECRET, TOKEN) if secret in written]
    assert done(server.url, Cassette(path)) == 200
