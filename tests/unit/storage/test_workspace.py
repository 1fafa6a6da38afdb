from __future__ import annotations

import re
import stat
from pathlib import Path

import numpy as np
import pytest

from core.errors import ConfigError
from core.storage.workspace import Workspace, load, save


def test_folder_is_private_and_named_after_the_attempt(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path / "job"))
    folder = workspace.folder("match", 3, "abc")
    assert workspace.relative(folder) == "match/00003-abc"
    assert stat.S_IMODE((tmp_path / "job").stat().st_mode) == 0o700


def test_uri_of_a_folder_is_accepted(tmp_path: Path) -> None:
    assert Workspace(f"file://{tmp_path}/a b").root == tmp_path / "a b"


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("memory://bucket/job", "memory:// cannot be shared by the workers of a job"),
        ("simplecache::s3://bucket/job", "cannot be shared"),
        ("s33://bucket/job", "s33:// is unknown"),
        ("gs://bucket/job", "a package is missing; run `pip install 'the fsspec package for gs://'`"),
    ],
)
def test_uri_that_cannot_serve_is_refused_in_words(uri: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        Workspace(uri)


@pytest.mark.parametrize("uri", ["s3://AKIA:geheim@bucket/job", "s3://bucket/job?secret=geheim", "file://u:geheim@h/x"])
def test_credentials_in_an_address_are_refused_and_not_repeated(uri: str) -> None:
    with pytest.raises(ConfigError, match="credentials belong into the environment") as refused:
        Workspace(uri)
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint32, np.int64])
def test_ranges_fill_an_array_in_any_order(tmp_path: Path, dtype: type) -> None:
    workspace = Workspace(str(tmp_path))
    folder = workspace.folder("reduce", 0, "a")
    workspace.new_array(folder, "words", (7, 3), dtype)
    rows = np.arange(21, dtype=dtype).reshape(7, 3)
    for first, last in ((4, 7), (1, 4), (1, 4)):
        workspace.write_range("reduce/00000-a", "words", first, rows[first:last])
    rows[0] = 0
    assert np.array_equal(load(folder, "words"), rows)
    assert load(folder, "words").dtype == dtype


def test_an_array_without_rows_is_whole_from_the_start(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path))
    folder = workspace.folder("reduce", 0, "a")
    workspace.new_array(folder, "ids", (0,), np.uint8)
    workspace.write_range("reduce/00000-a", "ids", 0, np.zeros(0, np.uint8))
    assert load(folder, "ids").shape == (0,)


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
