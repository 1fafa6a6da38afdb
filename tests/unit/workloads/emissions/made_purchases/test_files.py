"""Made lines: the same bytes for a seed, and an inventory that meets their truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigError, InputError, SchemaError
from core.workloads.emissions.inventory.evaluate import evaluate
from core.workloads.emissions.inventory.explain import explained
from core.workloads.emissions.inventory.run import Request, prepare, run, write
from core.workloads.emissions.made_purchases.files import write_purchases
from core.workloads.emissions.made_purchases.traps import TRAPS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("purchases")
    write_purchases(1_500, 5, made)
    ready = prepare(Request(made / "lines.csv"))
    write(made / "answer", ready, *run(ready))
    return made


def test_the_same_seed_makes_the_same_files(folder: Path, tmp_path: Path) -> None:
    facts = write_purchases(1_500, 5, tmp_path)
    assert all((tmp_path / name).read_bytes() == (folder / name).read_bytes() for name in ("lines.csv", "truth.csv"))
    assert set(TRAPS) < set(facts["slices"])
    with pytest.raises(ConfigError, match="--rows must be 100"):
        write_purchases(10, 1, tmp_path)


def test_every_trap_is_caught_and_the_total_is_the_truth(folder: Path) -> None:
    found = evaluate(folder / "answer", folder / "truth.csv")
    assert found["total_kg"] == found["truth_kg"]
    assert (found["fates_right_percent"], found["categories_right_percent"]) == ("100.000", "100.000")
    assert (found["entity_pairs_precision"], found["entity_pairs_recall"]) == ("1.0000", "1.0000")
    assert all(row["caught"] == row["of_traps"] for row in found["slices"])


def test_a_run_is_the_same_again(folder: Path, tmp_path: Path) -> None:
    ready = prepare(Request(folder / "lines.csv"))
    write(tmp_path, ready, *run(ready))
    assert (tmp_path / "summary.json").read_bytes() == (folder / "answer" / "summary.json").read_bytes()
    assert (tmp_path / "lines.parquet").read_bytes() == (folder / "answer" / "lines.parquet").read_bytes()


def test_a_line_is_explained_with_its_factor_and_where_that_stands(folder: Path) -> None:
    found = explained(folder / "answer", "L000001400")
    assert (found["fate"], found["method"]) == ("counted", "spend")
    assert found["factors"][0]["locator"].startswith("row ")
    assert found["candidates"][0]["lost_on"] == "chosen"
    with pytest.raises(InputError, match="has no line 'L9'"):
        explained(folder / "answer", "L9")


def test_what_changed_since_is_not_explained(folder: Path, tmp_path: Path) -> None:
    lines = tmp_path / "lines.csv"
    lines.write_bytes((folder / "lines.csv").read_bytes())
    ready = prepare(Request(lines))
    write(tmp_path / "answer", ready, *run(ready))
    lines.write_text(lines.read_text(encoding="utf-8").replace("purchaser", "producer"), encoding="utf-8")
    with pytest.raises(InputError, match="changed since the run"):
        explained(tmp_path / "answer", "L000001400")


def test_a_truth_of_another_run_is_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "truth.csv"
    other.write_text("line_id,kg,fate\nX,1,counted\n", encoding="utf-8")
    with pytest.raises(InputError, match="truth of another run"):
        evaluate(folder / "answer", other)
    other.write_text("line_id,kg\nX,1\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="no column 'fate'"):
        evaluate(folder / "answer", other)
    with pytest.raises(InputError, match="holds no lines.parquet"):
        evaluate(tmp_path, other)
