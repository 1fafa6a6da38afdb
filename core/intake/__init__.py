"""A user's file or table, checked row by row, then read by ranges."""

from pathlib import Path

from core.matching.stale_kernels import keep_fresh

keep_fresh(Path(__file__).parent)
