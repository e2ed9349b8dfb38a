"""A signature is made when a request leaves: previews say so, and curl makes that of AWS itself."""

import os
import subprocess

import pytest

from tests.servers import ScriptedServer
from tests.servers.moto import REGION

SHEET = """
callsheet: 1
services:
  s:
    base_url: "{url}"
    operations:
      hmac: {{get: /a, sign: {{hmac: {{key: "${{CANARY}}"}}}}}}
      chain: {{get: /a, sign: {{aws: {{service: execute-api, region: {region}}}}}}}
      list:
        get: /{bucket}
        params: {{list-type: "2"}}
        sign:
          aws: {{service: s3, region: {region}, credentials: {{access_key: "${{ACCESS}}", secret_key: "${{CANARY}}"}}}}
"""
CANARY = "canary-7f3a9c51-of-a-length"


@pytest.fixture
def told(callsheet, sheet, monkeypatch):
    monkeypatch.setenv("CANARY", CANARY)
    monkeypatch.setenv("ACCESS", "AKID")
    with ScriptedServer() as server:
        sheet(SHEET.format(url=server.url, region=REGION, bucket="b"))
        yield callsheet


def test_a_preview_says_that_the_request_will_be_signed(told):
    for way in ("--dry-run", "--curl"):
        ended = told("call", "hmac", way)
        assert ended.code == 0
        assert "the signature (sign.hmac) is made when a request leaves, and is not shown here" in ended.err
        assert CANARY not in ended.out + ended.err


def test_curl_signs_for_aws(told):
    ended = told("call", "list", "--curl")
    assert f"--aws-sigv4 aws:amz:{REGION}:s3" in ended.out
    assert '--user "${ACCESS}:${CANARY}"' in ended.out
    assert "set ACCESS, CANARY" in ended.err
    assert CANARY not in ended.out + ended.err
    assert '--user "${AWS_ACCESS_KEY_ID}:${AWS_SECRET_ACCESS_KEY}"' in told("call", "chain", "--curl").out


@pytest.mark.needs("curl")
def test_and_what_it_signs_is_accepted(callsheet, sheet, monkeypatch, moto_server):
    user = moto_server.user
    variables = {"CANARY": user.secret_key, "ACCESS": user.access_key}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    sheet(SHEET.format(url=moto_server.url, region=REGION, bucket=moto_server.bucket))
    lines = callsheet("call", "list", "--curl").out.splitlines()
    # curl signs its User-Agent, which AWS takes, and botocore, by which moto checks, never does.
    command = "\n".join(line for line in lines if "User-Agent" not in line)
    assert callsheet("call", "list").code == 0
    for given, code in ((variables, "200"), ({**variables, "CANARY": "wrong"}, "403")):
        run = f"{command} --silent --output /dev/null --write-out '%{{http_code}}'"
        done = subprocess.run(
            ["sh", "-c", run], env={**os.environ, **given}, capture_output=True, text=True, check=True
        )
        assert done.stdout == code
