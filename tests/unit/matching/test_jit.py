from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from core.matching.jit import drop_stale_kernels


def test_compiled_kernels_go_when_any_source_changes_and_stay_otherwise(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    (tmp_path / "b.py").write_text("y = 1")
    assert drop_stale_kernels(tmp_path)
    compiled = [tmp_path / "__pycache__" / name for name in ("a.f-1.nbi", "a.f-1.1.nbc")]
    for path in compiled:
        path.write_bytes(b"code")
    assert not drop_stale_kernels(tmp_path)
    assert all(path.exists() for path in compiled)
    (tmp_path / "b.py").write_text("y = 2")
    assert drop_stale_kernels(tmp_path)
    assert not any(path.exists() for path in compiled)


def test_importing_the_engine_leaves_out_what_it_does_not_need():
    code = (
        "import sys, core.linkage.resolve, core.matching.hashing as h\n"
        "h.hash_text('ann')\n"
        "print([name for name in ('scipy.linalg', 'scipy.optimize', 'cffi') if name in sys.modules])\n"
        "import scipy.linalg\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert run.stdout.strip() == "[]"
