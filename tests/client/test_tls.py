"""TLS from the sheet to the wire, by clients of both colours."""

from __future__ import annotations

import asyncio
import logging
import pickle
import ssl
import traceback
from pathlib import Path
from typing import Any

import pytest
import trustme

from callsheet import AsyncClient, Client, Sheet, SheetError, TLSError
from callsheet.testing import FakeTransport
from tests.loops import colours as by_colour
from tests.loops import run
from tests.servers import Certificates, EchoServer, ScriptedServer, answer
from tests.servers.fixtures import *  # noqa: F403

SHEET = """\
callsheet: 1
services:
  shop:
    base_url: "{shop}"
    tls: {{ca: ca.pem, {tls}}}
  bank:
    base_url: "{bank}"
    tls: {{ca: ca.pem}}
"""
VERSION = ssl.TLSVersion.TLSv1_3


@pytest.fixture
def folder(certificates: Certificates, tmp_path: Path) -> Path:
    (tmp_path / "ca.pem").write_bytes(certificates.ca_file.read_bytes())
    return tmp_path


def sheet(folder: Path, tls: str, shop: str = "https://shop.example", bank: str = "https://bank.example") -> Sheet:
    text = SHEET.format(shop=shop, bank=bank, tls=tls)
    return Sheet.parse(text, name="s.yaml", folder=folder, variables={"PASSWORD": "open sesame", "WRONG": "not that"})


def refusal(folder: Path, tls: str) -> str:
    with pytest.raises(SheetError) as caught:
        sheet(folder, tls)
    return str(caught.value)


def blocking(sheet: Sheet, services: tuple[str, ...]) -> list[Any]:
    with Client(sheet, retry={"backoff": {"first": 0.001}}) as client:
        return [outcome(lambda name=name: client.service(name).get("/")) for name in services]


def in_tasks(sheet: Sheet, services: tuple[str, ...], loop: str = "asyncio") -> list[Any]:
    async def main() -> list[Any]:
        async with AsyncClient(sheet, retry={"backoff": {"first": 0.001}}) as client:
            answers = await asyncio.gather(
                *(client.service(name).get("/") for name in services), return_exceptions=True
            )
            return list(answers)

    return run(main(), loop)


def outcome(work: Any) -> Any:
    try:
        return work()
    except TLSError as error:
        return error


colours = pytest.mark.parametrize("calls", by_colour(blocking, in_tasks))


@colours
def test_a_certificate_is_presented_to_its_own_service_alone(
    calls: Any, certificates: Certificates, folder: Path
) -> None:
    files = certificates.client(folder, password="open sesame")
    tls = 'cert: client.pem, key: client.key, key_password: "${PASSWORD}"'
    with (
        ScriptedServer(tls=certificates.client_required(VERSION)) as shop,
        ScriptedServer(tls=certificates.client_required(VERSION)) as bank,
    ):
        first, second = calls(sheet(folder, tls, shop.url, bank.url), ("shop", "bank"))
        assert first.status_code == 200
        assert (type(second), second.attempts, bank.connections, bank.requests) == (TLSError, 1, 1, [])
        assert shop.ledger.clients == [files.serial]


@colours
@pytest.mark.parametrize("kind", ["self_signed", "incomplete_chain", "common_name_only"])
def test_a_tls_refusal_is_never_tried_again(calls: Any, certificates: Certificates, folder: Path, kind: str) -> None:
    with ScriptedServer(tls=getattr(certificates, kind)()) as server:
        (error,) = calls(sheet(folder, "", f"https://localhost:{server.port}"), ("shop",))
        assert (type(error), error.attempts, server.connections) == (TLSError, 1, 1)


@colours
def test_a_pin_mismatch_is_never_tried_again(calls: Any, certificates: Certificates, folder: Path) -> None:
    context, pin = certificates.pinned()
    other = certificates.pinned()[1]
    with ScriptedServer(answer(), tls=context) as server:
        assert calls(sheet(folder, f'pins: ["{pin}"]', server.url), ("shop",))[0].status_code == 200
        (error,) = calls(sheet(folder, f'pins: ["{other}"]', server.url), ("shop",))
        assert (type(error), error.attempts, server.connections) == (TLSError, 1, 2)
        assert "pinned key mismatch" in str(error)


@colours
def test_an_unverified_service_is_called_and_the_others_stay_verified(
    calls: Any, certificates: Certificates, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with EchoServer(tls=certificates.untrusted()) as shop, EchoServer(tls=certificates.untrusted()) as bank:
        tls = "verify: false, insecure_reason: no certificate yet"
        first, second = calls(sheet(folder, tls, shop.url, bank.url), ("shop", "bank"))
    assert first.status_code == 200
    assert isinstance(second, TLSError)
    warned = [record.message for record in caplog.records if "tls.verify" in record.message]
    assert warned == [
        "service `shop`: tls.verify is false, so anybody can answer for it; insecure_reason: no certificate yet"
    ]


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_every_start_warns_once(kind: Any, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def use() -> None:
        client = kind(sheet(folder, "verify: false, insecure_reason: a test"))
        for _ in range(2):
            client.service("shop")
            client.service("bank", tls={"verify": False, "insecure_reason": "another"})
        await client.aclose() if kind is AsyncClient else client.close()

    for _ in range(2):
        asyncio.run(use())
    services = [record.message.split("`")[1] for record in caplog.records if record.levelno == logging.WARNING]
    assert services == ["shop", "bank"] * 2


def test_a_transport_of_ones_own_is_not_warned_of(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Client(sheet(folder, "verify: false, insecure_reason: a test"), transport=FakeTransport()) as client:
        client.service("shop")
    assert caplog.records == []


def test_check_and_explain_show_what_is_not_verified(folder: Path) -> None:
    unverified = sheet(folder, "verify: false, insecure_reason: a test")
    (warning,) = unverified.warnings
    assert "s.yaml:5:31: `tls.verify` of service `shop`: the service's certificate is not checked: a test" in str(
        warning
    )
    with Client(unverified) as client:
        text = str(client.service("shop").explain())
    shown = {
        name: value for _, name, value, *_ in (line.split(None, 3) for line in text.splitlines() if "* tls." in line)
    }
    assert shown["tls.verify"] == "false"
    assert shown["tls.insecure_reason"] == "a"


def test_what_does_not_go_together_is_told_with_its_place(certificates: Certificates, folder: Path) -> None:
    certificates.client(folder, password="open sesame")
    (folder / "plain.key").write_bytes(certificates.client_key_file.read_bytes())
    (folder / "empty.pem").write_text("")
    (folder / "der.pem").write_bytes(b"\x30\x82\x01")
    pair = "cert: client.pem, key: client.key"
    assert "5:46: `tls.key` of service `shop`: the key is encrypted" in refusal(folder, pair)
    wrong = refusal(folder, pair + ', key_password: "${WRONG}"')
    assert "5:72: `tls.key_password` of service `shop`: it does not open the key" in wrong
    assert "not that" not in wrong
    other = refusal(folder, "cert: client.pem, key: plain.key")
    assert "5:46: `tls.key` of service `shop`: the key does not fit the certificate of `tls.cert`" in other
    alone = refusal(folder, "cert: client.pem")
    assert "5:29: `tls.cert` of service `shop`: no private key in PEM form in that file" in alone
    assert "name the file of the private key as `tls.key`" in alone
    assert "`tls.key` of service `shop`: there is no `tls.cert`" in refusal(folder, "key: plain.key")
    assert "`tls.extra_ca` of service `shop`: the file is not PEM" in refusal(folder, "extra_ca: empty.pem")
    assert "`tls.extra_ca` of service `shop`: the file is not PEM" in refusal(folder, "extra_ca: der.pem")
    assert "`tls.extra_ca` of service `shop`: there is no certificate" in refusal(folder, "extra_ca: plain.key")


def test_a_password_that_is_not_known_here_is_no_matter_of_an_outline(certificates: Certificates, folder: Path) -> None:
    certificates.client(folder, password="open sesame")
    tls = 'cert: client.pem, key: client.key, key_password: "${PASSWORD}"'
    text = SHEET.format(shop="https://a.example", bank="https://b.example", tls=tls)
    assert Sheet.outline(text, folder=folder, variables={}).services


def test_a_secret_of_tls_is_among_those_of_its_service(certificates: Certificates, folder: Path) -> None:
    certificates.client(folder, password="open sesame")
    service = sheet(folder, 'cert: client.pem, key: client.key, key_password: "${PASSWORD}"').services["shop"]
    assert [secret.reveal() for secret in service.secrets()] == ["open sesame"]
    assert "sesame" not in repr(service.settings())


@colours
def test_neither_password_nor_key_is_shown_by_a_refusal(
    calls: Any, certificates: Certificates, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    files = certificates.client(folder, password="open sesame", authority=trustme.CA())
    inside = files.key.read_text().splitlines()[1]
    tls = 'cert: client.pem, key: client.key, key_password: "${PASSWORD}"'
    with ScriptedServer(answer(), tls=certificates.client_required(VERSION)) as server:
        (error,) = calls(sheet(folder, tls, server.url), ("shop",))
    assert "does not know the authority" in str(error)
    told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    seen = [told, repr(error), pickle.dumps(error).decode("latin-1"), caplog.text]
    assert "function = <function" in told  # so locals would be told
    assert not any("open sesame" in text or inside in text for text in seen)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that is there and cannot be read")
def test_a_file_that_cannot_be_read_is_told(folder: Path) -> None:
    assert "`tls.extra_ca` of service `shop`: the file cannot be read: " in refusal(folder, "extra_ca: /proc/self/mem")
