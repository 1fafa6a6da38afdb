"""Input that lies in a bucket: what is fetched, and what is said when it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from s3fs import S3FileSystem

from core.errors import ConfigError, HeadraceError, InputError, ServiceUnavailable
from core.intake.decoding.spool import fetch
from tests.command import headrace
from tests.integration.storage.conftest import BUCKET, make_bucket, s3_server

PEOPLE = f"s3://{BUCKET}/in/people.csv"
HEADER = "id,first_name,last_name,dob,zip,phone\n"
ROWS = "".join(f"A{row},Ann,Berg{row},1985-05-{row + 1:02d},6270{row},217-555-010{row}\n" for row in range(5))


def refused(address: str, folder: Path, kind: type[HeadraceError] = InputError) -> str:
    with pytest.raises(kind) as caught:
        fetch(address, folder / "kept")
    assert "secret" not in caught.value.message
    return caught.value.message


def test_a_match_reads_its_input_from_a_bucket(s3_env: dict[str, str], tmp_path: Path) -> None:
    S3FileSystem().pipe_file(f"{BUCKET}/in/people.csv", (HEADER + ROWS).encode())

    done = headrace("match", PEOPLE, "--plan", env={"HEADRACE_STATE_DIR": str(tmp_path)})

    assert done.returncode == 0, done.stderr
    (kept,) = (tmp_path / "exports").iterdir()
    assert kept.read_text() == HEADER + ROWS
    assert str(kept) in done.stdout + done.stderr


def test_what_is_no_file_is_said(s3_env: dict[str, str], tmp_path: Path) -> None:
    store = S3FileSystem()
    store.pipe_file(f"{BUCKET}/in/empty.csv", b"")
    store.pipe_file(f"{BUCKET}/in/odd [1]?.csv", b"id\n2\n")

    assert fetch(f"s3://{BUCKET}/in/odd [1]?.csv", tmp_path / "kept").read_bytes() == b"id\n2\n"
    assert refused(f"s3://{BUCKET}/in/empty.csv", tmp_path).endswith("empty.csv is empty")
    assert "is a folder; name one file" in refused(f"s3://{BUCKET}/in/", tmp_path)
    assert refused(f"s3://{BUCKET}/in/not-there.csv", tmp_path).endswith("not-there.csv: no such file")
    assert "a pattern is for files of this machine" in refused(f"s3://{BUCKET}/in/*.csv", tmp_path)
    assert "there is no 'not-there' there" in refused("s3://not-there/people.csv", tmp_path)


def test_what_bars_the_way_is_said(s3_env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with s3_server(tmp_path / "log", actions_without_rights=1) as url:
        make_bucket(url)
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        S3FileSystem.clear_instance_cache()
        assert "access refused; the credentials of this machine" in refused(PEOPLE, tmp_path, ConfigError)
    # One try is as good as five: nothing listens there any more.
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(S3FileSystem, "retries", 1)
    S3FileSystem.clear_instance_cache()
    assert "does not answer (EndpointConnectionError); try again" in refused(PEOPLE, tmp_path, ServiceUnavailable)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    S3FileSystem.clear_instance_cache()
    assert "no credentials found; set AWS_ACCESS_KEY_ID" in refused(PEOPLE, tmp_path, ConfigError)
    S3FileSystem.clear_instance_cache()
