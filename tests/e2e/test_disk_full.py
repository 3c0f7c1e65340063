"""A disk that is really full: a small tmpfs."""

import subprocess

import pytest
from botocore.exceptions import ClientError
from platform_process import Platform, eventually, s3

SIZE_MEBIBYTES = 48


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MEBIBYTES}m", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(client, stored, size):
    """Puts objects of one size until one is refused; gives back the refusal."""
    for number in range(2 * SIZE_MEBIBYTES * 1024 * 1024 // size):
        key, body = f"{size}-{number}.bin", bytes([number % 256]) * size
        try:
            client.put_object(Bucket="papers", Key=key, Body=body)
        except ClientError as error:
            return error.response
        stored[key] = body
    raise AssertionError("the disk does not fill")


def test_nothing_acknowledged_is_lost_on_a_full_disk(small_disk):
    with Platform(small_disk / "data", "--set", "objects.reserve_bytes=0") as platform:
        client = s3(platform)
        client.create_bucket(Bucket="papers")
        client.meta.config.retries = {"max_attempts": 0}
        stored = {}
        # Small objects go on where large ones find no room, until there is none at all.
        for size in (1024 * 1024, 64 * 1024, 4 * 1024):
            refused = fill(client, stored, size)
            assert refused["ResponseMetadata"]["HTTPStatusCode"] == 507, refused
    # A start needs room as well.
    with Platform(small_disk / "data", "--set", "objects.reserve_bytes=0") as platform:
        client = s3(platform)
        client.meta.config.retries = {"max_attempts": 0}
        for key, body in stored.items():
            assert client.get_object(Bucket="papers", Key=key)["Body"].read() == body, key
        for key in stored:
            client.delete_object(Bucket="papers", Key=key)

        def room_again():
            try:
                return client.put_object(Bucket="papers", Key="again.bin", Body=b"x" * 1024 * 1024)
            except ClientError:
                return None

        eventually("there is room again", room_again)
