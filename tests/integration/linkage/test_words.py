"""Texts of kind `words`, from a file to entities and to the explanation of a pair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.errors import ConfigError
from core.linkage.prepare import understand
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.results.explanation import explain, run_of_output

SPEC = """
name: shelf
fields:
  - {name: title, kind: words}
  - {name: codes, kind: mark, mark: codes, read_from: [title]}
  - {name: maker, kind: text}
  - {name: price, kind: number}
passes:
  - {name: title, keys: [title]}
  - {name: price, keys: [price]}
  - {name: maker_price, keys: ["prefix(maker, 3)", price]}
"""
MAKERS = ("Sony", "Brandt", "Oakfield", "Lumen", "Acme")
THINGS = ("player", "camera", "printer", "scanner", "speaker", "keyboard", "monitor")
TINTS = ("black", "silver", "white", "compact", "portable")


def titles() -> pl.DataFrame:
    """Products, each second one twice: other order, a word left out, one misspelt, the code without its dash."""
    rows = []
    for at in range(160):
        maker, thing, tint = MAKERS[at % 5], THINGS[at % 7], TINTS[at * 3 % 5]
        code = f"{'ABCDE'[at % 5]}{'KLM'[at % 3]}-{at * 7919 % 9000 + 1000}"
        rows.append((f"{at}a", f"{maker} {code} Digital {tint.title()} {thing}", maker, 9.5 + at // 12))
        if at % 2 == 0:
            rows.append((f"{at}b", f"{thing.upper()}, {maker} {code.replace('-', '')} digitl", maker, 9.5 + at // 12))
    long = " ".join(f"part{at}" for at in range(40))
    rows.append(("long", f"Sony {long}", "Sony", 9.5))
    return pl.DataFrame(rows, schema=["id", "title", "maker", "price"], orient="row")


def run(folder: Path, name: str, **extra: Any) -> dict[str, Any]:
    (folder / "shelf.yaml").write_text(SPEC)
    out = str(folder / name) + ".parquet"
    source, spec = str(folder / "shelf.csv"), str(folder / "shelf.yaml")
    return resolve(MatchRequest(input=source, id_column="id", out=out, spec=spec, **extra), folder / "work")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("words")
    titles().write_csv(folder / "shelf.csv")
    return folder, run(folder, "whole")


def test_titles_meet_and_are_joined_by_their_words(base: tuple[Path, dict[str, Any]]) -> None:
    folder, summary = base
    entities = dict(pl.read_parquet(folder / "whole.parquet").select("id", "entity_id").rows())
    assert [at for at in range(0, 160, 2) if entities[f"{at}a"] != entities[f"{at}b"]] == []
    assert len(set(entities.values())) == 161
    assert "title: 1 records have more than 16 words; the rarest 16 of them are compared" in summary["notices"]


def test_ranges_of_any_size_give_the_same_answer(base: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = base
    run(folder, "ranged", range_rows=50)
    assert pl.read_parquet(folder / "ranged.parquet").equals(pl.read_parquet(folder / "whole.parquet"))
    pairs = [pl.read_parquet(folder / f"{name}.pairs.parquet") for name in ("ranged", "whole")]
    assert pairs[0].equals(pairs[1])


def test_explain_lists_the_words_under_the_score_of_the_run(base: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = base
    found = explain(run_of_output(folder / "whole.parquet"), "4a", "4b")
    pairs = pl.read_parquet(folder / "whole.pairs.parquet").filter(id_a="4a", id_b="4b")
    assert found.total_bits == pytest.approx(pairs["score"].item(), abs=1e-3)
    title, codes = found.fields[0], found.fields[1]
    assert title.words is not None
    assert [word for word, _ in title.words.equal] == ["el5676", "speaker", "acme"]
    assert [each[:2] for each in title.words.near] == [("digital", "digitl")]
    assert [word for word, _ in title.words.left_over_a] == ["white"]
    assert title.words.left_over_b == ()
    assert (codes.value_a, codes.value_b, codes.level) == ("el5676", "el5676", "exact")
    assert "words of title: near digital ~ digitl 0.86" in "\n".join(found.to_lines())


def test_the_nearest_texts_are_compared_and_what_was_left_out_is_said(tmp_path: Path) -> None:
    folder, near = tmp_path, 'passes:\n  - {name: near, top: 2, of: "grams(title)"}'
    titles().write_csv(folder / "shelf.csv")
    (folder / "near.yaml").write_text(SPEC.replace("passes:", near))
    request = MatchRequest(input=str(folder / "shelf.csv"), id_column="id", spec=str(folder / "near.yaml"))
    summary = resolve(request.model_copy(update={"out": str(folder / "near.parquet")}), folder / "work")
    assert any("pass near (top 2 of grams(title)) compared" in notice for notice in summary["notices"])
    near_pairs = pl.read_parquet(folder / "near.pairs.parquet").filter(pl.col("passes") & 1 == 1)
    assert {(f"{at}a", f"{at}b") for at in range(0, 160, 2)} <= set(near_pairs.select("id_a", "id_b").rows())
    found = explain(run_of_output(folder / "near.parquet"), "4a", "4b")
    assert "near" not in (*found.compared_by, *found.missed_by)
    assert any(line.startswith("perhaps by near (top 2 of grams(title))") for line in found.to_lines())


def test_a_lookup_by_texts_is_refused_before_any_work(base: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = base
    request = MatchRequest(
        input=str(folder / "shelf.csv"), id_column="id", spec=str(folder / "shelf.yaml"), lookup=True
    )
    with pytest.raises(ConfigError, match="kind 'words', by which no record can be looked up yet"):
        understand(request)
