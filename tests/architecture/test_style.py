"""Style and types, as `make lint` checks them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT

CHECKS = {
    "ruff check": ("ruff", "check", "--output-format=concise", "."),
    "ruff format (run `make format`)": ("ruff", "format", "--check", "--output-format=concise", "."),
    "mypy": ("mypy",),
}


@pytest.mark.parametrize("name", CHECKS)
def test_check_passes(name: str) -> None:
    command = [sys.executable, "-m", *CHECKS[name]]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert result.returncode == 0, f"{name}:\n{result.stdout}{result.stderr}"
