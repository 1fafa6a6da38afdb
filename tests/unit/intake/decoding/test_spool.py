"""What can be read once only becomes a private file that is named after its content."""

from __future__ import annotations

import io
import os
import stat
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.errors import ConfigError, InputError
from core.intake.decoding.spool import fetch, is_address, is_pipe, spool_pipe


def test_names_of_pipes_and_addresses(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    names = ["-", "/dev/stdin", str(tmp_path / "pipe"), str(tmp_path / "file"), "s3://bucket/a.csv"]
    assert [is_pipe(name) for name in names] == [True, True, True, False, False]
    assert [is_address(name) for name in (*names, "table:crm.people")] == [False] * 4 + [True, False]


def test_spool_pipe_keeps_what_came(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"id\n1\n",))
    writer.start()
    path = spool_pipe(str(pipe), tmp_path / "kept")
    writer.join()
    assert path.read_bytes() == b"id\n1\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_spool_pipe_says_that_nothing_came(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"")))
    with pytest.raises(InputError, match="standard input: nothing came"):
        spool_pipe("-", tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []


def test_fetch_copies_what_an_address_holds(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes(b"id\n1\n")
    path = fetch(f"file://{tmp_path}/people.csv", tmp_path / "kept")
    assert path.read_bytes() == b"id\n1\n"
    assert path.suffix == ".csv"
    assert fetch(f"file://{tmp_path}/people.csv", tmp_path / "kept") == path


@pytest.mark.parametrize(
    ("address", "error", "message"),
    [
        ("memory://nowhere/people.csv", InputError, "no such file"),
        ("s3://key:secret@bucket/people.csv", ConfigError, "must not hold a user or password"),
        ("s3://KEY:secret/people.csv", ConfigError, "must not hold a user or password"),
        ("s3://KEY:sec/secret@bucket/people.csv", ConfigError, "must not hold a user or password"),
        ("nothing://a/b", InputError, "cannot be fetched"),
        ("gs://bucket/people.csv?token=secret", ConfigError, "run `pip install 'gcsfs'`"),
    ],
)
def test_fetch_says_what_is_wrong(address: str, error: type[Exception], message: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=message) as caught:
        fetch(address, tmp_path / "kept")
    assert "secret" not in str(caught.value)
