from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from core.errors import ConfigError
from core.made_records.persons.generator import generate_persons
from core.workloads.identity.made_persons.samples import sampled


def test_sample_is_made_once(tmp_path: Path) -> None:
    path = sampled("demo:persons?rows=50&seed=3", tmp_path)
    assert pl.read_parquet(path).equals(generate_persons(50, 3, 0.3, "families"))
    before = Path(path).stat().st_mtime_ns
    assert sampled("demo:persons?seed=3&rows=50", tmp_path) == path
    assert Path(path).stat().st_mtime_ns == before


def test_sample_of_another_profile_is_another_file(tmp_path: Path) -> None:
    path = sampled("demo:persons?rows=50&seed=3&profile=plain", tmp_path)
    assert pl.read_parquet(path).equals(generate_persons(50, 3, 0.3))
    assert sampled("demo:persons?rows=50&seed=3", tmp_path) != path


def test_sample_leaves_paths_alone(tmp_path: Path) -> None:
    assert sampled("/data/people.csv", tmp_path) == "/data/people.csv"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("demo:invoices", "there is no sample 'invoices'"),
        ("demo:persons?row=5", "parameters are rows, seed, duplicates"),
        ("demo:persons?rows=1", "rows: Input should be greater than or equal to 2"),
        ("demo:persons?rows=many", "rows: "),
        ("demo:persons?rows=9&profile=crowd", "profile: there are plain, families"),
    ],
)
def test_sample_that_cannot_be_made(tmp_path: Path, uri: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        sampled(uri, tmp_path)
    assert said in refused.value.message
