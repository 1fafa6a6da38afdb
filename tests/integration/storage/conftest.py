"""An S3 that speaks HTTP, as a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from s3fs import S3FileSystem

BUCKET = "headrace-jobs"


@contextmanager
def s3_server(log: Path, *, actions_without_rights: int | None = None) -> Iterator[str]:
    """URL of a server; with a number it asks for known keys after so many requests."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**os.environ, "MOTO_ALLOW_NONEXISTENT_REGION": "true"}
    if actions_without_rights is not None:
        env["INITIAL_NO_AUTH_ACTION_COUNT"] = str(actions_without_rights)
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as file:
        server = subprocess.Popen(command, env=env, stdout=file, stderr=file)
    url = f"http://127.0.0.1:{port}"
    give_up = time.monotonic() + 60
    try:
        while not _answers(url):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < give_up, "the server never answers"
            time.sleep(0.05)
        yield url
    finally:
        server.kill()
        server.wait()


def make_bucket(url: str) -> None:
    """As a person does it beforehand."""
    urllib.request.urlopen(urllib.request.Request(f"{url}/{BUCKET}", method="PUT"), timeout=30).close()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/moto-api/", timeout=5).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def s3_env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Variables that lead to a server with an empty bucket; set in this process too."""
    with s3_server(tmp_path_factory.mktemp("s3") / "log") as url, pytest.MonkeyPatch.context() as patch:
        make_bucket(url)
        env = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "very-secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        for name, value in env.items():
            patch.setenv(name, value)
        # fsspec keeps connections, those to another module's server too.
        S3FileSystem.clear_instance_cache()
        yield env
