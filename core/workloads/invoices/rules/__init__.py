"""How payments meet open items: pure functions over arrays; no files, no settings, no clock."""

from pathlib import Path

from core.matching.stale_kernels import keep_fresh

keep_fresh(Path(__file__).parent)
