"""The matching engine: pure functions over columns and packed records; no I/O, no settings."""

from pathlib import Path

from core.matching.stale_kernels import keep_fresh

keep_fresh(Path(__file__).parent)
