"""CSV: records found byte by byte, checked, and staged as Parquet."""

from pathlib import Path

from core.matching.stale_kernels import keep_fresh

keep_fresh(Path(__file__).parent)
