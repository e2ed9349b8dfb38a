"""moto, which serves what AWS serves, run in this process; it checks signatures once it is told to."""

from __future__ import annotations

import json
import logging
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

from tests.servers.server import Server

REGION = "eu-central-1"
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass(frozen=True)
class AccessKey:
    """What AWS gives to a user."""

    access_key: str
    secret_key: str


class MotoServer(Server):
    """Serve on a free loopback port: `bucket` and `queue_url` are there, and `user` may do everything.

    A request that is not signed as AWS wants it gets 403. What moto knows, all servers of a process know, so each has names
    of its own.
    """

    def __init__(self) -> None:
        from moto.moto_server.threaded_moto_server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(self.host, 0, verbose=False)
        self._server.start()
        self.port = self._server.get_host_and_port()[1]
        self.url = f"http://{self.host}:{self.port}"
        self._check_signatures("inf")
        self.user = self._prepared(secrets.token_hex(4))
        self._check_signatures("0")

    def _prepared(self, suffix: str) -> AccessKey:
        iam, user, self.bucket = self._client("iam"), f"ada-{suffix}", f"bucket-{suffix}"
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=json.dumps(ALL))
        key = iam.create_access_key(UserName=user)["AccessKey"]
        where = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
        self._client("s3").create_bucket(Bucket=self.bucket, **where)
        self.queue_url: str = self._client("sqs").create_queue(QueueName=f"queue-{suffix}")["QueueUrl"]
        return AccessKey(key["AccessKeyId"], key["SecretAccessKey"])

    def _client(self, service: str) -> Any:
        import botocore.session

        session = botocore.session.Session()
        given = {"aws_access_key_id": "anybody", "aws_secret_access_key": "anything"}
        return session.create_client(service, REGION, endpoint_url=self.url, **given)

    def _check_signatures(self, after: str) -> None:
        """Whether requests are checked: after so many."""
        self._post("reset-auth", after)

    def _post(self, what: str, text: str = "") -> None:
        headers = {"Content-Type": "text/plain"}  # a form, which is the default here, would be parsed
        with urlopen(Request(f"{self.url}/moto-api/{what}", text.encode(), headers, method="POST")):
            pass

    def close(self) -> None:
        """Stop serving."""
        self._check_signatures("inf")
        self._server.stop()
