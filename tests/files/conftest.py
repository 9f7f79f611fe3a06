"""One of each storage: the database, a folder, and an S3 server (moto's, which checks every signature)."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from retinue.db.pool import Database
from retinue.domain.accounts import Bootstrapped, Principal, Role
from retinue.domain.files import StorageLimits
from retinue.files import places
from retinue.files.shelf import Shelf
from retinue.files.storage import Storage
from retinue.store import accounts

SETUP_CALLS = 4
"""Calls that moto takes from anyone; from then on it checks signatures."""


@dataclass(frozen=True)
class Bucket:
    """A bucket on a running server, and who may use it."""

    endpoint: str
    keys: dict[str, str]

    def setting(self, prefix: str = "a/prefix") -> str:
        return f"s3://kept/{prefix}?endpoint={self.endpoint}&region=eu-west-1"


@pytest.fixture(scope="session")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """An S3 server of this test process's own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(SETUP_CALLS), "PYTHONWARNINGS": "ignore"}
    with (tmp_path_factory.mktemp("moto") / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            env=environment, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            _wait_for(port)
            yield Bucket(endpoint, _made(endpoint))
        finally:
            server.terminate()
            server.wait(10)


def _wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < until, "moto does not start"
            time.sleep(0.05)
        else:
            return


def _made(endpoint: str) -> dict[str, str]:
    """A bucket, and a user who may do all in it and nothing else."""
    session = boto3.Session("setup", "setup", region_name="eu-west-1")
    iam: Any = session.client("iam", endpoint_url=endpoint)
    s3: Any = session.client("s3", endpoint_url=endpoint)
    policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
    iam.create_user(UserName="retinue")
    iam.put_user_policy(UserName="retinue", PolicyName="files", PolicyDocument=policy)
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    key = iam.create_access_key(UserName="retinue")["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


@pytest.fixture(params=["database", "directory", "s3"])
async def storage(request: pytest.FixtureRequest, db: Database, tmp_path: Path) -> AsyncIterator[Storage]:
    """Each storage in turn, empty."""
    match request.param:
        case "directory":
            opened = places.storage(db, f"directory:{tmp_path / 'kept here'}", {})
        case "s3":
            bucket: Bucket = request.getfixturevalue("bucket")
            opened = places.storage(db, bucket.setting(), bucket.keys)
        case _:
            opened = places.storage(db, "database", {})
    yield opened
    await opened.close()


LIMITS = StorageLimits(max_file_bytes=1_000_000, quota_bytes=3_000_000, types=("image/*", "text/*", "application/pdf"))


@pytest.fixture
def shelf(db: Database, storage: Storage) -> Shelf:
    return Shelf(db, storage, LIMITS)


@pytest.fixture
async def world(db: Database) -> Bootstrapped:
    return await accounts.bootstrap(db, name="Home", slug="home", email="owner@home.test")


@pytest.fixture
def owner(world: Bootstrapped) -> Principal:
    return Principal(account_id=world.account.id, user_id=world.owner.id, role=Role.OWNER)
