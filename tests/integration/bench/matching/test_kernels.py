from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from core.bench.matching import kernels
from core.bench.matching.kernel_data import Data, name_pairs, prepare, shuffled_blocks
from core.bench.matching.kernels import Alike, fastest, left_out, measure_kernels
from core.cli.app import build
from core.made_records.persons.generator import generate_persons

KEYS = {
    "kernel", "order", "system", "version", "pairs", "pairs_per_s_core", "pairs_per_s_wall", "cpu_ns_per_pair", "cpu_s",
    "wall_s", "equal", "largest_difference", "records", "load_before", "measured_at", "command", "machine",
}  # fmt: skip
NAMES = ("headrace", "rapidfuzz cpdist")
EXPECTED = {
    *(("jaro_winkler", order, system) for order in ("block", "random") for system in (*NAMES, "duckdb")),
    *(("osa <= 1", order, system) for order in ("block", "random") for system in NAMES),
    *(
        (kernel, "dense", system)
        for kernel in ("jaro_winkler", "osa <= 1")
        for system in ("headrace", "rapidfuzz cdist")
    ),
    *(("record", order, "headrace") for order in ("block", "random")),
    ("record, as in a job", "block", "headrace"),
}


@pytest.fixture(scope="module")
def data() -> Data:
    return prepare(generate_persons(2_000, 3, 0.3))


@pytest.fixture
def short_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "LEAST_S", 0.0)


def test_bench_kernels_shows_speed_beside_equal_answers(tmp_path: Path, short_timing: None) -> None:
    out = tmp_path / "out.json"
    words = ["bench", "kernels", "--rows", "1000", "--seed", "3", "--json", str(out)]
    done = CliRunner().invoke(build(), words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found = json.loads(out.read_text())
    assert {(one["kernel"], one["order"], one["system"]) for one in found} == EXPECTED
    assert len(found) == len(EXPECTED)
    for figure in found:
        assert figure.keys() == KEYS
        assert figure["pairs"] > 1_000
        assert figure["pairs_per_s_core"] > 0 < figure["pairs_per_s_wall"]
        assert figure["equal"] == (None if figure["system"].startswith("rapidfuzz") or is_reference(figure) else 1.0)
    assert "reference" in done.output
    table = CliRunner().invoke(build(), ["bench", "table", str(out)], catch_exceptions=False).stdout
    assert table.startswith("`headrace bench kernels --rows 1000 --seed 3`, on 20")
    assert f"| jaro_winkler | block | headrace {found[0]['version']} | {found[0]['pairs']:,} | " in table


def is_reference(one: dict[str, str]) -> bool:
    return (one["kernel"], one["order"]) == ("record", "block")


def test_a_peer_that_is_not_installed_is_left_out_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, short_timing: None
) -> None:
    assert left_out() == []
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert left_out() == ["duckdb is not installed and is left out: pip install 'headrace[peers]'"]
    heard: list[tuple[str, int, int]] = []
    found = measure_kernels(generate_persons(1_000, 3, 0.3), "", 3, lambda *step: heard.append(step))
    assert {(one.kernel, one.order, one.system) for one in found} == {each for each in EXPECTED if each[2] != "duckdb"}
    assert heard[-1] == ("measuring", len(found), len(found))


def test_orders_hold_the_same_pairs(data: Data) -> None:
    strewn = shuffled_blocks(data, 5).rows.reshape(-1, 2)
    walked = np.stack([np.concatenate(side) for side in zip(*data.pairs, strict=True)], axis=1)
    assert len(walked) > 4_000
    assert sorted(map(tuple, strewn.tolist())) == sorted(map(tuple, walked.tolist()))
    assert (strewn != walked).any()


def test_names_differ_and_come_from_every_pass(data: Data) -> None:
    left, right = name_pairs(data, 1_000)
    assert (left != right).all()
    assert left.min() > 0 < right.min()
    assert len(left) <= 1_000
    more_left, _ = name_pairs(data, 1_000_000)
    assert len(more_left) > len(left) > 500


def test_answers_that_are_not_equal_are_counted() -> None:
    alike = Alike.of(np.array([0.5, 0.25, 1.0, 0.0]), np.array([0.5, 0.5, 1.0, np.nextafter(0.0, 1.0)]))
    assert alike == Alike(0.5, 0.25)


def test_edges_are_equal_in_all_columns_or_not_at_all() -> None:
    edges = pl.DataFrame({"left": [1, 1, 2], "right": [2, 3, 3], "bits": [4.0, 5.0, 6.0]})
    assert Alike.of_edges(edges, edges) == Alike(1.0, 0.0)
    other = pl.DataFrame({"left": [1, 1], "right": [2, 3], "bits": [4.0, 5.5]})
    assert Alike.of_edges(edges, other) == Alike(1 / 3, 0.5)
    assert Alike.of_edges(other, edges) == Alike(1 / 3, 0.5)


def test_fastest_warms_up_and_repeats(short_timing: None) -> None:
    calls: list[int] = []
    cpu_s, wall_s = fastest(lambda: calls.append(1))
    assert len(calls) == 4
    assert cpu_s > 0 < wall_s
