from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from core.errors import InputError
from core.intake.file_digest import file_digest


def test_digest_is_of_all_bytes_one_file_behind_the_other(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_bytes(b"one\n" * 100_000)
    b.write_bytes(b"two")
    assert file_digest(a) == hashlib.sha256(a.read_bytes()).hexdigest()
    # What a run that is added to is known by: keys of jobs that are half done hang on it.
    assert file_digest(a, b) == hashlib.sha256(a.read_bytes() + b.read_bytes()).hexdigest()


def test_a_file_that_cannot_be_read_is_said_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none cannot be read: No such file or directory"):
        file_digest(tmp_path / "none")
