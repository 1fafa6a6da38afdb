from __future__ import annotations

import subprocess
import sys


def test_importing_the_engine_leaves_out_what_it_does_not_need():
    code = (
        "import sys, core.linkage.resolve, core.matching.text.hashing as h\n"
        "h.hash_text('ann')\n"
        "print([name for name in ('scipy.linalg', 'scipy.optimize', 'cffi') if name in sys.modules])\n"
        "import scipy.linalg\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert run.stdout.strip() == "[]"
