"""S3 and SQS as moto serves them, which nobody here wrote, and which refuses what AWS would refuse."""

import io
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest

from callsheet import Sheet
from callsheet.errors import Forbidden
from tests.servers.moto import REGION

KEYS = [
    "plain",
    "with space",
    "ünïcode-日本",
    "a+b",
    "100%",
    "a%20b",
    "q?x=1&y#z",
    "~tilde",
    "a'(b)*!c",
    "deep/er//key",
    "=,;:@$",
]
S3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"


@pytest.fixture
def aws(world, moto_server):
    """A client of a service of AWS, with the user's credentials or others."""

    def opened(service, secret=None, region=REGION, **settings):
        written = {"access_key": moto_server.user.access_key, "secret_key": "${SECRET}"}
        sign = {"aws": {"service": service, "region": region, "credentials": written}}
        objects = f"/{moto_server.bucket}/{{key}}"
        operations = {
            "put_object": {"put": objects, "content": "application/octet-stream"},
            "get_object": {"get": objects},
            "list_objects": {
                "get": f"/{moto_server.bucket}",
                "params": {"list-type": "2"},
                "query": {"prefix": "string"},
            },
        }
        service = {"base_url": moto_server.url, "sign": sign, "operations": operations, **settings}
        sheet = Sheet(services={"shop": service}, variables={"SECRET": secret or moto_server.user.secret_key})
        return world(sheet)

    return opened


def keys_in(answer):
    return [found.text for found in ET.fromstring(answer.content).iter(f"{S3}Key")]


@pytest.mark.parametrize("key", KEYS)
def test_s3_takes_gives_and_lists_an_object_of_any_name(aws, moto_server, key):
    client, path = aws("s3"), f"/{moto_server.bucket}/{quote(key, safe='/~')}"
    content = f"what is under {key}".encode()
    assert client.do("put", path, content=content, headers={"x-amz-meta-about": "a  b"}).status_code == 200
    answer = client.do("get", path)
    assert answer.content == content
    listed = client.do("get", f"/{moto_server.bucket}", params={"list-type": "2", "prefix": key})
    assert key in keys_in(listed)
    assert client.do("delete", path).status_code == 204


@pytest.mark.parametrize("key", [key for key in KEYS if "/" not in key])
def test_and_by_declared_operations(aws, key):
    client = aws("s3")
    client.do("call", "put_object", key=key, content=b"content")
    assert client.do("call", "get_object", key=key).content == b"content"
    assert key in keys_in(client.do("call", "list_objects", prefix=key))


def test_files_and_compressed_bodies(aws, moto_server, tmp_path):
    client = aws("s3")
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * 8192)
    for content in (path, io.BytesIO(b"seekable"), [b"pieces", b" of it"]):
        client.do("put", f"/{moto_server.bucket}/file", content=content)
    assert client.do("get", f"/{moto_server.bucket}/file").content == b"pieces of it"
    client.do("put", f"/{moto_server.bucket}/large", content=path)
    assert client.do("get", f"/{moto_server.bucket}/large").content == path.read_bytes()
    part = client.do("get", f"/{moto_server.bucket}/large", headers={"Range": "bytes=0-9"})
    assert part.content == bytes(range(10))


def test_sub_resources_without_a_value(aws, moto_server):
    assert b"LocationConstraint" in aws("s3").do("get", f"/{moto_server.bucket}?location").content


SEND = {"X-Amz-Target": "AmazonSQS.SendMessage", "Content-Type": "application/x-amz-json-1.0"}
RECEIVE = {**SEND, "X-Amz-Target": "AmazonSQS.ReceiveMessage"}


def test_sqs_takes_a_message(aws, moto_server):
    client = aws("sqs")
    message = {"QueueUrl": moto_server.queue_url, "MessageBody": "ünï + % hello"}
    sent = client.do("post", "/", json=message, headers=SEND).json()
    assert sent["MessageId"]
    received = client.do("post", "/", json={"QueueUrl": moto_server.queue_url}, headers=RECEIVE).json()
    assert [each["Body"] for each in received["Messages"]] == ["ünï + % hello"]


REFUSED = [("s3", "get", {}), ("sqs", "post", {"headers": SEND})]


@pytest.mark.parametrize(("service", "method", "options"), REFUSED)
def test_a_wrong_secret_is_refused(aws, moto_server, service, method, options):
    path = f"/{moto_server.bucket}" if service == "s3" else "/"
    body = {} if method == "get" else {"json": {"QueueUrl": moto_server.queue_url, "MessageBody": "no"}}
    with pytest.raises(Forbidden, match="403") as caught:
        aws(service, secret="another").do(method, path, **options, **body)
    assert "SignatureDoesNotMatch" in caught.value.response.text
    assert aws(service).do(method, path, **options, **body).status_code == 200
