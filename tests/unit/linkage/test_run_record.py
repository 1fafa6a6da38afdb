from __future__ import annotations

from pathlib import Path

import orjson
import polars as pl
import pytest

from core.linkage.run_record import beside, is_csv, read_record, read_table, run_path, scan_table, stored_model


@pytest.mark.parametrize("name", ["out.csv", "out.CSV", "out.parquet"])
def test_a_table_is_read_in_the_format_of_its_name(tmp_path: Path, name: str) -> None:
    path, frame = tmp_path / name, pl.DataFrame({"id": ["1", "02"]})
    frame.write_csv(path) if is_csv(path) else frame.write_parquet(path)
    assert read_table(path).equals(frame)
    assert scan_table(path).collect().equals(frame)


def test_files_stand_beside_the_output() -> None:
    assert beside(Path("a/out.csv"), "pairs") == Path("a/out.pairs.csv")
    assert run_path(Path("a/out.csv")) == Path("a/out.run.json")


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"job": {}}', orjson.dumps({"model": {"n_rows": 1}})])
def test_what_is_no_record_is_a_value_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "out.run.json").write_bytes(content)
    with pytest.raises(ValueError):
        read_record(tmp_path / "out.csv")
    with pytest.raises(ValueError):
        stored_model(tmp_path / "out.run.json")
