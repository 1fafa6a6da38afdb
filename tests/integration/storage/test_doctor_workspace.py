"""`headrace doctor` tries the place of jobs' files."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.cli.doctor import _workspace
from core.settings import read_settings
from core.storage.object_store import ObjectStore
from tests.integration.storage.conftest import BUCKET


@pytest.fixture(autouse=True)
def _state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_STATE_DIR", str(tmp_path / "state"))


def test_store_that_can_be_written_is_left_as_it_was(
    s3_env: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    uri = f"s3://{BUCKET}/doctor"
    monkeypatch.setenv("HEADRACE_MATCHING__WORKSPACE_URI", uri)
    found = _workspace(read_settings())
    assert (found.found, found.problem) == (f"{uri} can be written", None)
    assert ObjectStore(f"s3://{BUCKET}").list("doctor") == []
    assert list((tmp_path / "state/scratch").iterdir()) == []


def test_bucket_that_is_not_there_is_named(s3_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_MATCHING__WORKSPACE_URI", "s3://nobody-made-this/jobs")
    assert "no such bucket" in str(_workspace(read_settings()).problem)


def test_folder_that_cannot_be_made_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HEADRACE_MATCHING__WORKSPACE_URI", str(tmp_path / "file/jobs"))
    assert "file/jobs cannot be written (Not a directory)" in str(_workspace(read_settings()).problem)


def test_without_a_place_it_is_this_machine() -> None:
    assert _workspace(read_settings()).problem is None
