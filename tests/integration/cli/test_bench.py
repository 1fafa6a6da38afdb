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
