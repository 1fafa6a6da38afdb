from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest

from core.errors import ConfigError
from core.linkage.workspace import Workspace, load, save


def test_folder_is_private_and_named_after_the_attempt(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path / "job"))
    folder = workspace.folder("match", 3, "abc")
    assert workspace.relative(folder) == "match/00003-abc"
    assert stat.S_IMODE((tmp_path / "job").stat().st_mode) == 0o700


def test_uri_of_a_folder_is_accepted(tmp_path: Path) -> None:
    assert Workspace(f"file://{tmp_path}/a b").root == tmp_path / "a b"


def test_remote_uri_is_refused_in_words() -> None:
    with pytest.raises(ConfigError, match="memory://.* is not on a mounted file system"):
        Workspace("memory://bucket/job")


def test_arrays_come_back_equal_even_when_empty(tmp_path: Path) -> None:
    save(tmp_path, {"rows": np.arange(5, dtype=np.uint32), "none": np.zeros(0, dtype=np.uint64)})
    assert load(tmp_path, "rows").tolist() == [0, 1, 2, 3, 4]
    assert load(tmp_path, "none").dtype == np.uint64


def test_json_is_whole_or_absent(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path))
    assert workspace.read_json("job.json") is None
    workspace.write_json("job.json", {"rows": 3})
    assert workspace.read_json("job.json") == {"rows": 3}
    assert [path.name for path in tmp_path.iterdir()] == ["job.json"]
