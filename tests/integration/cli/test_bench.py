from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli.app import build
from core.errors import ConfigError

KEYS = {
    "system", "settings", "rows", "enqueue_rows_per_s", "drain_rows_per_s", "wal_bytes_per_row",
    "wal_bytes_per_row_no_fpi", "claim_p50_ms", "claim_p95_ms", "complete_p95_ms", "cpu_s_per_million_rows",
    "commits_per_row", "dead_tuples", "lost", "duplicated", "held_xmin", "ratio", "command",
}  # fmt: skip


def headrace(*words: str) -> str:
    done = CliRunner().invoke(build(), list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(autouse=True)
def _database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_DATABASE__URL", database_url)


def test_bench_queue_writes_a_list_that_the_table_is_made_of(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    words = ("bench", "queue", "--rows", "1000", "--batch", "100", "--workers", "1", "--json", str(out))
    screen = headrace(*words)
    (found,) = json.loads(out.read_text())
    assert found.keys() >= KEYS
    assert (found["system"], found["lost"], found["duplicated"], found["held_xmin"]) == ("headrace", 0, 0, False)
    assert found["settings"] == {"name": "batches", "workers": 1, "batch_rows": 100}
    assert found["enqueue_2_rows_per_s"] is None
    assert "drain, rows/s" in screen
    table = headrace("bench", "table", str(out))
    assert table.startswith("`headrace bench queue --rows 1000 --batch 100 --workers 1`, on 20")
    assert f"| drain, rows/s | {found['drain_rows_per_s']:,.0f} |" in table


def test_bench_table_renews_a_page(tmp_path: Path) -> None:
    out, page = tmp_path / "deep.json", tmp_path / "page.md"
    headrace("bench", "headers", "--headers", "2000", "--claims", "5", "--json", str(out))
    page.write_text("before\n\n<!-- figures: deep.json -->\nold\n<!-- end -->\n\nafter\n")
    headrace("bench", "table", "--page", str(page))
    text = page.read_text()
    assert text.startswith(
        "before\n\n<!-- figures: deep.json -->\n\n`headrace bench headers --headers 2000 --claims 5`"
    )
    assert "| ready headers | 2,000 |" in text
    assert "old" not in text
    assert text.endswith("<!-- end -->\n\nafter\n")
    with pytest.raises(ConfigError, match="--page"):
        headrace("bench", "table")


def test_bench_lookup_measures_each_level_and_how_right_it_is(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_REDIS__URL", redis_url)
    out = tmp_path / "lookup.json"
    screen = headrace("bench", "lookup", "--rows", "2000", "--asked", "100", "--json", str(out))
    (found,) = json.loads(out.read_text())
    assert (found["rows"], found["asked"], found["threads"]) == (2000, 100, 2)
    for level in ("cold", "l1", "l2"):
        assert 0 < found[f"{level}_p50_ms"] <= found[f"{level}_p95_ms"] <= found[f"{level}_p99_ms"]
    assert found["l1_p50_ms"] < found["cold_p50_ms"]
    assert found["right"] > 0.9
    assert found["found"] > 0.8
    assert "answer made anew, p95, ms" in screen
    assert headrace("bench", "table", str(out)).startswith("`headrace bench lookup --rows 2000 --asked 100 --seed 7")
