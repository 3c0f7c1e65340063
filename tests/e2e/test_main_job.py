"""boto3 uploads an article, a real SMTP server receives the mails."""

import email
import email.policy
import socket

import pytest
from aiosmtpd.controller import Controller
from botocore.exceptions import ClientError
from platform_process import Platform, eventually, s3

ARTICLE = """<!doctype html><html lang="en"><head><title>The tide mill</title></head><body>
<nav><a href="/">Home</a></nav><article><h1>The tide mill</h1>
<p>The tide mill at the mouth of the river ground corn for the town for six hundred years. At high
water the miller closed the gates of the pond, and at low water the pond emptied over the wheel.</p>
<p>Because the tide comes fifty minutes later each day, the miller worked at night for half of the
month. The journal of the mill counts the sacks of every tide since 1702.</p>
<p>The wheel was replaced by a turbine in 1911 and the turbine by nothing at all in 1954. Today the
mill is a museum, and its wheel turns again on two tides a week.</p></article>
<footer>All rights reserved</footer></body></html>"""


class Inbox:
    """Keeps what the SMTP server accepted."""

    def __init__(self):
        self.messages = []

    async def handle_DATA(self, _server, _session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.messages.append((envelope.rcpt_tos, message))
        return "250 accepted"


@pytest.fixture
def smtp():
    inbox = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        inbox.port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=inbox.port)
    controller.start()
    yield inbox
    controller.stop()


def test_subscribers_get_the_mail_by_smtp(tmp_path, smtp):
    settings = [
        "--set", "notifications.smtp.host=127.0.0.1",
        "--set", f"notifications.smtp.port={smtp.port}",
        "--set", "notifications.smtp.encryption=none",
        "--set", "notifications.smtp.from=The platform <platform@example.com>",
    ]
    with Platform(tmp_path / "data", "--demo", *settings) as platform:
        platform.create_admin()
        token = platform.sign_in()
        subscribers = {
            record["email"] for record in platform.records("subscribers", token) if record["active"]
        }
        assert subscribers
        s3(platform).put_object(
            Bucket="inbox", Key="tide-mill.html", Body=ARTICLE.encode(), ContentType="text/html"
        )

        def about_the_mill():
            return [(to, mail) for to, mail in smtp.messages if "tide mill" in mail["subject"]]

        eventually("all have the mail", lambda: len(about_the_mill()) >= len(subscribers))
        recipients = [address for to, _ in about_the_mill() for address in to]
        assert sorted(recipients) == sorted(subscribers), "one mail each"
        _, mail = about_the_mill()[0]
        assert mail["from"] == "The platform <platform@example.com>"
        assert "tide" in mail.get_body(("plain",)).get_content().lower()
        assert mail["message-id"]
        (record,) = [r for r in platform.records("contents", token) if r["source_key"] == "tide-mill.html"]
        assert record["language"] == "en" and record["summary"]


def test_boto3_stores_and_finds_objects(tmp_path):
    with Platform(tmp_path / "data") as platform:
        client = s3(platform)
        client.create_bucket(Bucket="papers")
        assert [bucket["Name"] for bucket in client.list_buckets()["Buckets"]] == ["mito-records", "papers"]
        large = bytes(range(256)) * 4096 * 3
        bodies = {"a.txt": b"a", "folder/b.txt": b"b" * 20_000, "folder/c ü+.bin": large, "empty": b""}
        for key, body in bodies.items():
            client.put_object(Bucket="papers", Key=key, Body=body, Metadata={"origin": "test"})
        for key, body in bodies.items():
            stored = client.get_object(Bucket="papers", Key=key)
            assert stored["Body"].read() == body
            assert stored["Metadata"] == {"origin": "test"}
            assert client.head_object(Bucket="papers", Key=key)["ContentLength"] == len(body)
        part = client.get_object(Bucket="papers", Key="folder/c ü+.bin", Range="bytes=100-199")
        assert part["Body"].read() == large[100:200]
        listed = client.list_objects_v2(Bucket="papers", Delimiter="/")
        assert [entry["Key"] for entry in listed["Contents"]] == ["a.txt", "empty"]
        assert [entry["Prefix"] for entry in listed["CommonPrefixes"]] == ["folder/"]
        pages = client.get_paginator("list_objects_v2").paginate(Bucket="papers", PaginationConfig={"PageSize": 1})
        assert sorted(entry["Key"] for page in pages for entry in page["Contents"]) == sorted(bodies)
        with pytest.raises(ClientError) as refused:
            client.delete_bucket(Bucket="papers")
        assert refused.value.response["Error"]["Code"] == "BucketNotEmpty"
        for key in bodies:
            client.delete_object(Bucket="papers", Key=key)
        client.delete_bucket(Bucket="papers")
        with pytest.raises(ClientError) as missing:
            client.get_object(Bucket="papers", Key="a.txt")
        assert missing.value.response["Error"]["Code"] == "NoSuchBucket"
