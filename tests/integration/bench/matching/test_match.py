from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from core.bench.harness.process import run
from core.bench.matching.match import Records, prepare, score
from core.bench.matching.side_splink import LEVELS, RULES
from core.bench.matching.systems import SIX_RULES, peers
from core.cli.app import build
from core.errors import ConfigError, MatchError, SchemaError
from core.matching.specs.spec import load_spec

KEYS = {
    "system", "version", "settings", "rows", "records", "seconds", "stages", "candidate_pairs", "precision", "recall",
    "f1", "bcubed_precision", "bcubed_recall", "bcubed_f1", "peak_rss_mb", "ratio", "command", "machine",
}  # fmt: skip


def test_bench_match_measures_ours_and_splink_on_the_same_records(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    words = ["bench", "match", "--rows", "2000", "--seed", "3", "--peers", "splink", "--threads", "1"]
    done = CliRunner().invoke(build(), [*words, "--json", str(out)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found = json.loads(out.read_text())
    assert [(one["system"], one["settings"]["name"]) for one in found] == [
        ("headrace", "same rules as Splink"), ("headrace", "persons"), ("headrace", "persons, saved model"),
        ("splink", "six rules"),
    ]  # fmt: skip
    for figure in found:
        assert figure.keys() >= KEYS
        assert figure["rows"] == 2000
        assert figure["candidate_pairs"] > 0
        assert figure["peak_rss_mb"] > 50
        assert 0 < sum(figure["stages"].values()) < figure["seconds"]
        assert figure["f1"] > 0.9
    assert [one["ratio"] is None for one in found] == [True, True, True, False]
    assert "pairwise F1" in done.output
    table = CliRunner().invoke(build(), ["bench", "table", str(out)], catch_exceptions=False).stdout
    assert table.startswith("`headrace bench match --rows 2000 --seed 3 --peers splink --threads 1`, on 20")
    assert f"| pairwise F1 | {found[0]['f1']:.4f} | {found[1]['f1']:.4f} | {found[2]['f1']:.4f} | " in table
    assert found[1]["f1"] == found[2]["f1"]


def test_six_rules_are_those_of_splink() -> None:
    spec = load_spec(SIX_RULES)
    assert [each.keys for each in spec.passes] == list(RULES)
    assert {field.name: len(field.levels) - 1 for field in spec.fields} == {
        name: len(levels) for name, levels in LEVELS.items()
    }
    for field in spec.fields:
        ours = [level.threshold for level in field.levels[1:]]
        assert ours == [threshold for _, threshold in LEVELS[field.name]], field.name


def test_no_system_sees_the_truth(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    lines = [
        "no,surname,given_name,date_of_birth,soc_sec_id,phone,address,postcode,who",
        "1,O'Neil,Ann,1990-02-03,123-45-6780,2025550101,1 Elm St,12345,p1",
    ]
    path.write_text("\n".join(lines) + "\n")
    truth = prepare(Records(path, "no", "who", ""), tmp_path)
    assert truth.to_dicts() == [{"id": "1", "true": "p1"}]
    raw, clean = (pl.read_parquet(tmp_path / f"{name}.parquet") for name in ("raw", "clean"))
    assert set(raw.columns) == set(clean.columns) == {
        "id", "first_name", "last_name", "dob", "ssn", "phone", "street", "zip",
    }  # fmt: skip
    assert raw["last_name"].to_list() == ["O'Neil"]
    assert clean.select("last_name", "dob", "ssn").row(0) == ("oneil", "1990-02-03", "123456780")
    with pytest.raises(SchemaError, match="--truth"):
        prepare(Records(path, "no", "nobody", ""), tmp_path)


def test_a_record_that_was_left_out_is_an_entity_of_its_own() -> None:
    truth = pl.DataFrame({"id": ["1", "2", "3"], "true": ["a", "a", "a"]})
    found = score(pl.DataFrame({"id": ["1", "2"], "entity_id": ["x", "x"]}), truth)
    assert (found.n_pairs_shared, found.n_pairs_true, found.n_entities_found) == (1, 3, 2)


@pytest.mark.parametrize(
    ("name", "says"),
    [("recordlinkage", "pandas"), ("dedupe", "knows splink"), ("goldenmatch", "pip install goldenmatch")],
)
def test_peers_that_cannot_be_run_are_refused_in_one_sentence(name: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        peers([name], threads=1)


def test_run_counts_the_memory_of_children() -> None:
    child = "import time; held = bytearray(150_000_000); time.sleep(0.5)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]); print('{{}}')"
    ran = run([sys.executable, "-c", program], {}, {})
    assert ran.answer == {}
    assert 140 < ran.peak_rss_mb < 400
    assert ran.seconds > 0.5


def test_run_says_what_a_failed_program_said() -> None:
    program = "import json, sys; sys.exit('no ' + json.loads(sys.stdin.readline())['what'])"
    with pytest.raises(MatchError, match="exit code 1: no luck"):
        run([sys.executable, "-c", program], {"what": "luck"}, {})
