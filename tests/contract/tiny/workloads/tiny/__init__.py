"""A workload so small that all of it is seen at once: it counts the vowels of texts. It proves the port."""

from pathlib import Path

from core.matching.stale_kernels import keep_fresh

keep_fresh(Path(__file__).parent)
