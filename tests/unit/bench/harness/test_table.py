from __future__ import annotations

from pathlib import Path

import pytest

from core.bench.harness.table import markdown, read, renewed, rows
from core.errors import InputError
from tests.architecture.tree import ROOT

OURS = {
    "system": "headrace", "version": "1", "settings": {"batch_rows": 5000}, "rows": 2_000_000, "ratio": None,
    "drain_rows_per_s": 250_000.4, "commits_per_row": 0.00061, "claim_p95_ms": 3.25, "lost": 0,
    "command": "headrace bench queue", "measured_at": "2026-01-02T03:04:05+00:00", "machine": "2 cores",
    "server": {"version": "18.6", "fsync": "on", "synchronous_commit": "on", "shared_buffers": "512MB"},
}  # fmt: skip
PEER = {**OURS, "system": "pgqueuer", "version": "1.6.0", "settings": {"name": "best"}, "ratio": 15.2, "lost": 0}


def test_one_line_a_figure_one_column_a_system() -> None:
    lines = {line[""]: line for line in rows([OURS, PEER])}
    assert lines["drain, rows/s"]["headrace, 5,000 a batch"] == "250,000"
    assert lines["our drain is faster by"] == {
        "": "our drain is faster by",
        "headrace, 5,000 a batch": "",
        "pgqueuer 1.6.0, best": "15.2 x",
    }
    assert lines["commits/row"]["pgqueuer 1.6.0, best"] == "0.00061"
    assert lines["lost"]["headrace, 5,000 a batch"] == "0"
    assert "dead tuples at the end" not in lines


def test_a_figure_nobody_has_gets_no_line() -> None:
    assert "our drain is faster by" not in {line[""] for line in rows([OURS])}


def test_markdown_says_how_when_and_where() -> None:
    first, blank, head, rule, *_ = markdown([OURS, PEER]).splitlines()
    assert first.startswith("`headrace bench queue`, on 2026-01-02 03:04 UTC, PostgreSQL 18.6 (fsync on")
    assert (blank, rule) == ("", "|---|---:|---:|")
    assert head == "|  | headrace, 5,000 a batch | pgqueuer 1.6.0, best |"


def test_marks_have_lines_of_their_own() -> None:
    marks = {
        "records": 10_000, "workers": 2, "flush_every": 1, "marks_per_s": 4_377.3, "mark_p95_ms": 0.667,
        "command": "headrace bench records", "measured_at": "2026-01-02T03:04:05+00:00", "machine": "2 cores",
    }  # fmt: skip
    lines = markdown([marks, {**marks, "flush_every": 100, "marks_per_s": 30_000.0}]).splitlines()
    assert lines[0] == "`headrace bench records`, on 2026-01-02 03:04 UTC, 2 cores:"
    assert "|  | a commit each mark | flush_every=100 |" in lines
    assert "| marks/s | 4,377 | 30,000 |" in lines


def test_kernels_have_a_line_a_system() -> None:
    ours = {
        "kernel": "jaro_winkler", "order": "block", "system": "headrace", "version": "1", "pairs": 394_482,
        "pairs_per_s_core": 27_812_345.6, "pairs_per_s_wall": 9_960_000.0, "cpu_ns_per_pair": 35.96, "equal": 1.0,
        "largest_difference": 0.0, "records": "200,000 made persons", "load_before": 9.8,
        "command": "headrace bench kernels", "measured_at": "2026-01-02T03:04:05+00:00", "machine": "2 cores",
    }  # fmt: skip
    cpdist = {**ours, "system": "rapidfuzz cpdist", "version": "3.14", "equal": None, "largest_difference": None}
    wrong = {**ours, "system": "duckdb", "equal": 0.99999, "largest_difference": 0.25}
    first, _, head, _, *lines = markdown([ours, cpdist, wrong]).splitlines()
    assert first == (
        "`headrace bench kernels`, on 2026-01-02 03:04 UTC, 200,000 made persons, 2 cores, load average 9.8 before it "
        "began:"
    )
    assert head.endswith(" | M pairs/s/core | ns/pair | M pairs/s by the clock | equal answers |")
    assert lines == [
        "| jaro_winkler | block | headrace 1 | 394,482 | 27.8 | 36.0 | 10.0 | 100 % |",
        "| jaro_winkler | block | rapidfuzz 3.14 cpdist | 394,482 | 27.8 | 36.0 | 10.0 | the reference |",
        "| jaro_winkler | block | duckdb 1 | 394,482 | 27.8 | 36.0 | 10.0 | 99.99 %, off by 0.25 at most |",
    ]


@pytest.mark.parametrize("text", ["", "{}", "[]", '[{"system": "headrace"}]'])
def test_read_refuses_what_holds_no_figures(text: str, tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text(text)
    with pytest.raises(InputError, match="holds no figures"):
        read(path)


@pytest.mark.parametrize("name", ["performance.md", "matching-performance.md"])
def test_the_page_shows_the_figures_beside_it(name: str) -> None:
    page = ROOT / "docs/explain" / name
    text = page.read_text(encoding="utf-8")
    assert "<!-- figures: " in text
    assert renewed(text, page.parent) == text, f"run: headrace bench table --page docs/explain/{name}"
