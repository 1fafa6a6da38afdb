"""Every package of the locks comes as a wheel for each Python that README promises; asked of the index."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_every_locked_package_has_a_wheel(python: str, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--no-deps", "--require-hashes",
        "--only-binary", ":all:",
        "--python-version", python, "--python-platform", "x86_64-manylinux_2_28", "--target", str(tmp_path),
        "-r", str(ROOT / "requirements-dev.lock"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
