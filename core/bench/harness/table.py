"""Figures of the benchmark as a table: one line a figure, one column a system. For the screen and for the docs."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import InputError

Figures = Mapping[str, Any]
Cells = dict[str, str]


def _count(value: Any) -> str:
    return f"{value:,.0f}"


def _small(value: Any) -> str:
    return f"{value:.2g}" if value < 0.1 else f"{value:,.1f}"


def _fine(value: Any) -> str:
    return f"{value:.2f}"


# What it says in the first column, the key, and how to write it. Latencies below a tenth of a millisecond do not occur.
LINES: Sequence[tuple[str, str, Callable[[Any], str]]] = (
    ("rows", "rows", _count),
    ("enqueue, rows/s", "enqueue_rows_per_s", _count),
    ("enqueue in two sessions, rows/s", "enqueue_2_rows_per_s", _count),
    ("drain, rows/s", "drain_rows_per_s", _count),
    ("our drain is faster by", "ratio", lambda value: f"{value:,.1f} x"),
    ("claim p50, ms", "claim_p50_ms", _small),
    ("claim p95, ms", "claim_p95_ms", _small),
    ("acknowledge p50, ms", "complete_p50_ms", _small),
    ("acknowledge p95, ms", "complete_p95_ms", _small),
    ("WAL, bytes/row", "wal_bytes_per_row", _count),
    ("WAL without full-page images, bytes/row", "wal_bytes_per_row_no_fpi", _count),
    ("CPU, s/million rows", "cpu_s_per_million_rows", _small),
    ("CPU, times ours", "cpu_ratio", lambda value: f"{value:,.1f} x"),
    ("commits/row", "commits_per_row", _small),
    ("dead tuples at the end", "dead_tuples", _count),
    ("left when time was up", "left", _count),
    ("lost", "lost", _count),
    ("done twice", "duplicated", _count),
)
HEADER_LINES: Sequence[tuple[str, str, Callable[[Any], str]]] = (
    ("ready headers", "headers", _count),
    ("claim p50, ms", "claim_p50_ms", _small),
    ("claim p95, ms", "claim_p95_ms", _small),
    ("depth computed p50, ms", "depth_computed_p50_ms", _small),
    ("depth computed p95, ms", "depth_computed_p95_ms", _small),
    ("depth cached p50, ms", "depth_cached_p50_ms", _small),
    ("depth cached p95, ms", "depth_cached_p95_ms", _small),
)
RECORD_LINES: Sequence[tuple[str, str, Callable[[Any], str]]] = (
    ("records", "records", _count),
    ("marking processes", "workers", _count),
    ("marks/s", "marks_per_s", _count),
    ("mark p50, ms", "mark_p50_ms", _small),
    ("mark p95, ms", "mark_p95_ms", _small),
    ("bare durable commits/s, as many processes", "commits_per_s", _count),
    ("lost", "lost", _count),
    ("done twice", "duplicated", _count),
)
MATCH_LINES: Sequence[tuple[str, str, Callable[[Any], str]]] = (
    ("records", "rows", _count),
    ("seconds, imports and output included", "seconds", lambda value: f"{value:,.1f}"),
    ("its seconds over ours at equal rules", "ratio", lambda value: f"{value:,.1f} x"),
    ("candidate pairs", "candidate_pairs", _count),
    ("pairwise precision", "precision", lambda value: f"{value:.4f}"),
    ("pairwise recall", "recall", lambda value: f"{value:.4f}"),
    ("pairwise F1", "f1", lambda value: f"{value:.4f}"),
    ("B-cubed F1", "bcubed_f1", lambda value: f"{value:.4f}"),
    ("peak memory of all its processes, MiB", "peak_rss_mb", _count),
)
LOOKUP_LINES: Sequence[tuple[str, str, Callable[[Any], str]]] = (
    ("published records", "rows", _count),
    ("lookups", "asked", _count),
    ("answer made anew, p50, ms", "cold_p50_ms", _fine),
    ("answer made anew, p95, ms", "cold_p95_ms", _fine),
    ("answer made anew, p99, ms", "cold_p99_ms", _fine),
    ("processor time of that in the asking thread, p50, ms", "cold_cpu_p50_ms", _fine),
    ("processor time of that in the asking thread, p95, ms", "cold_cpu_p95_ms", _fine),
    ("out of the process's memory, p50, ms", "l1_p50_ms", _fine),
    ("out of the process's memory, p95, ms", "l1_p95_ms", _fine),
    ("out of Redis, p50, ms", "l2_p50_ms", _fine),
    ("out of Redis, p95, ms", "l2_p95_ms", _fine),
    ("answers made anew/s, one thread", "cold_per_s", _count),
    ("threads", "threads", _count),
    ("answers made anew/s, all threads", "cold_threads_per_s", _count),
    ("records compared a lookup", "candidates", _small),
    ("entities named that are right", "right", lambda value: f"{value:.4f}"),
    ("known persons whose entity was named", "found", lambda value: f"{value:.4f}"),
    ("tables that only lookups need, MB", "stored_mb", _count),
    ("match and publication, s", "publish_s", _count),
)
SCALE_LINES: Sequence[tuple[str, str, Callable[[Any], str]]] = (
    ("bursts", "rounds", _count),
    ("batches a burst", "batches", _count),
    ("consumers at most", "consumers", _count),
    ("burst to the first batch begun p50, s", "first_p50_s", _small),
    ("burst to the first batch begun p95, s", "first_p95_s", _small),
    ("burst to the first batch begun, the longest, s", "first_max_s", _small),
    ("burst to its last batch done p50, s", "drained_p50_s", _small),
    ("last batch done to no consumer p50, s", "zero_p50_s", _small),
    ("last batch done to no consumer, the longest, s", "zero_max_s", _small),
    ("consumers at once", "peak", _count),
    ("oscillations of a burst, the most", "oscillations_max", _count),
)
_BLOCK = re.compile(r"(<!-- figures: (?P<file>\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rows(found: Sequence[Figures]) -> list[Cells]:
    """One dictionary a line, for core.terminal.tables.emit; lines that no system has a figure for are left out."""
    if found and "kernel" in found[0]:
        return [kernel_cells(one) for one in found]
    heads = [head(one) for one in found]
    lines = _lines(found)
    table = []
    for words, key, write in lines:
        values = [one.get(key) for one in found]
        if all(value is None for value in values):
            continue
        cells = ["" if value is None else write(value) for value in values]
        table.append({"": words, **dict(zip(heads, cells, strict=True))})
    return table


def kernel_cells(one: Figures) -> Cells:
    """One line a kernel, order and system: there are too many of them for columns."""
    system, *shape = one["system"].split()
    return {
        "kernel": one["kernel"],
        "order": one["order"],
        "system": " ".join([system, one["version"], *shape]),
        "pairs": _count(one["pairs"]),
        "M pairs/s/core": f"{one['pairs_per_s_core'] / 1e6:.1f}",
        "ns/pair": f"{one['cpu_ns_per_pair']:,.1f}",
        "M pairs/s by the clock": f"{one['pairs_per_s_wall'] / 1e6:.1f}",
        "equal answers": _equal(one["equal"], one["largest_difference"]),
    }


def _equal(share: float | None, largest_difference: float | None) -> str:
    """Rounded down, so that only what is equal throughout reads 100 %."""
    if share is None:
        return "the reference"
    if share == 1.0:
        return "100 %"
    return f"{math.floor(share * 1e4) / 100:.2f} %, off by {largest_difference:.2g} at most"


def _lines(found: Sequence[Figures]) -> Sequence[tuple[str, str, Callable[[Any], str]]]:
    """Each benchmark has figures of its own."""
    if found and "headers" in found[0]:
        return HEADER_LINES
    if found and "marks_per_s" in found[0]:
        return RECORD_LINES
    if found and "cold_p50_ms" in found[0]:
        return LOOKUP_LINES
    if found and "first_p95_s" in found[0]:
        return SCALE_LINES
    return MATCH_LINES if found and "f1" in found[0] else LINES


def head(one: Figures) -> str:
    """What stands above a column."""
    if "headers" in one:
        return "held xmin" if one["held_xmin"] else "headrace"
    if "marks_per_s" in one:
        return "a commit each mark" if one["flush_every"] == 1 else f"flush_every={one['flush_every']}"
    if "cold_p50_ms" in one:
        return "lookup"
    if "first_p95_s" in one:
        return str(one.get("by", "headrace scale run"))
    settings = one["settings"]
    if "f1" in one and one["system"] == "headrace":
        return f"headrace, {settings['name']}"
    if one["system"] == "headrace":
        return f"headrace, {settings['batch_rows']:,} a batch"
    return f"{one['system']} {one['version']}, {settings['name']}"


def markdown(found: Sequence[Figures]) -> str:
    """The table with a line above that says how and when it was made."""
    table = rows(found)
    names = list(table[0])
    lines = [
        caption(found),
        "",
        "| " + " | ".join(names) + " |",
        "|---|" + "---:|" * (len(names) - 1),
        *("| " + " | ".join(line.values()) + " |" for line in table),
    ]
    return "\n".join(lines) + "\n"


def caption(found: Sequence[Figures]) -> str:
    """Command, time and server."""
    first = found[0]
    words = [f"`{first['command']}`", f"on {first['measured_at'][:16].replace('T', ' ')} UTC"]
    # Of matching: which records they are; of marks: how many.
    if isinstance(records := first.get("records"), str):
        words.append(records)
    if server := first.get("server"):
        words.append(
            f"PostgreSQL {server['version']} (fsync {server['fsync']}, synchronous_commit "
            f"{server['synchronous_commit']}, shared_buffers {server['shared_buffers']})"
        )
    words.append(f"{first['machine']}")
    if (load := first.get("load_before")) is not None:
        words.append(f"load average {load} before it began")
    return ", ".join(words) + ":"


def read(path: Path) -> list[dict[str, Any]]:
    """What `headrace bench ... --json` wrote. Raises InputError."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} holds no figures: {error}") from None
    if not (isinstance(found, list) and found and all(isinstance(one, dict) and "command" in one for one in found)):
        raise InputError(f"{path} holds no figures; `headrace bench queue --json {path}` writes them")
    return found


def renewed(page: str, folder: Path) -> str:
    """A page whose blocks `<!-- figures: NAME.json -->` to `<!-- end -->` are made again from the files in `folder`."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n{markdown(read(folder / block['file']))}\n{block[3]}", page)
