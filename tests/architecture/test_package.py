"""The wheel holds what the code reads at run time, not only the code."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.architecture.tree import ROOT, files

PACKAGED = ("headrace", "core", "flows", "blocks", "sql")


def test_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("headrace-*.whl")
    with zipfile.ZipFile(wheel) as content:
        packed = set(content.namelist())
    missing = sorted({str(path) for path in files() if path.parts[0] in PACKAGED} - packed)
    assert not missing, f"[tool.hatch.build.targets.wheel] leaves out {missing}"
    assert "tests/conftest.py" not in packed
    shipped = {"prefect.yaml", "work-pools/headrace-local.json", "work-pools/headrace-k8s.json"}
    assert {f"headrace_files/{name}" for name in shipped} <= packed
