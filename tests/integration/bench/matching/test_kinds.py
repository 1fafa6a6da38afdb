from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from core.bench.matching import side_splink_columns
from core.bench.matching.kinds import SPEC_OF, match_words, measure_kind, setups_of
from core.bench.matching.systems import MatchSetup
from core.cli.app import build
from core.errors import ConfigError
from core.made_records.kinds import KINDS, make_records
from core.matching.specs.spec import load_spec


def test_bench_match_has_the_floor_beside_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing here is about seconds, and the suite has compiled what it needs.
    monkeypatch.setattr("core.linkage.warm.warm", lambda: None)
    out = tmp_path / "out.json"
    words = ["bench", "match", "--kind", "ledgers", "--rows", "1000", "--seed", "2", "--threads", "1"]
    done = CliRunner().invoke(build(), [*words, "--out", str(out)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    ours, floor = json.loads(out.read_text())
    assert (ours["system"], floor["system"]) == ("headrace", "tfidf")
    assert ours["command"] == "headrace bench match --kind ledgers --rows 1000 --seed 2 --threads 1"
    for figure in (ours, floor):
        assert figure["rows"] == 1000
        assert 0.5 < figure["f1"] < 1
        assert figure["peak_rss_mb"] > 50
    assert "/" not in ours["settings"]["spec"]


def test_every_kind_has_a_spec_that_reads_its_columns() -> None:
    assert SPEC_OF.keys() == KINDS.keys()
    for name, kind in KINDS.items():
        (ours, *_) = setups_of(kind, [], 1)
        spec = load_spec(ours.options["spec"])
        known = {name for field in spec.fields for name in (field.name, field.part_of, *field.aliases)}
        assert known & set(kind.columns), name


def test_linked_kinds_are_one_to_one_unless_records_are_shared() -> None:
    def said(name: str) -> list[str]:
        kind = KINDS[name]
        return match_words(setups_of(kind, [], 1)[0], kind, [Path(f"{letter}.csv") for letter in kind.files], Path("o"))

    words = {name: said(name) for name in ("songs", "master", "sites")}
    assert words["songs"].count("--link") == 3
    assert "--shared" not in words["songs"]
    # Mentions of one organisation are many, the organisations of the list are not.
    assert words["master"][words["master"].index("--shared") + 1] == "0"
    assert words["master"].count("--shared") == 1
    assert "--link" not in words["sites"]


def test_what_is_refused_counts_as_nothing_found(tmp_path: Path) -> None:
    spec = tmp_path / "none.yaml"
    spec.write_text("name: none\nfields: []\npasses: []\n")
    ours, floor = setups_of(KINDS["companies"], [], 1)
    refused = MatchSetup("headrace", "none", ours.command, "raw", {"spec": str(spec), "threads": 1})
    found = measure_kind(KINDS["companies"], 60, 1, [refused, floor], lambda *_: None)
    assert (found[0].precision, found[0].recall, found[0].f1) == (1.0, 0.0, 0.0)
    assert found[1].f1 > 0.3


def test_splink_reads_any_columns(tmp_path: Path) -> None:
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for frame, path in zip(make_records("papers-clean", 300, 1), paths, strict=True):
        frame.drop("entity_id").write_parquet(path)
    kind = KINDS["papers-clean"]
    options = setups_of(kind, ["splink"], 1)[-1].options
    order = {"input": [str(path) for path in paths], "out": str(tmp_path / "o"), "pairs": str(tmp_path / "p")}
    side_splink_columns.run({**order, "settings": options})
    pairs = pl.read_parquet(tmp_path / "p")
    assert pairs.columns == ["id_a", "id_b"]
    assert pairs["id_a"].str.starts_with("A").all()
    assert len(pl.read_parquet(tmp_path / "o")) == 300


@pytest.mark.parametrize("peer", ["goldenmatch", "dedupe"])
def test_peers_that_know_persons_only_are_refused(peer: str) -> None:
    with pytest.raises(ConfigError, match="knows tfidf and splink"):
        setups_of(KINDS["songs"], [peer], 1)


def test_a_kind_makes_its_own_records() -> None:
    words = ["bench", "match", "--kind", "songs", "--profile", "families"]
    done = CliRunner().invoke(build(), words)
    assert isinstance(done.exception, ConfigError)
    assert "leave out --input and --profile" in str(done.exception)
