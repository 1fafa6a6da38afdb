"""What the wheel holds beside the files of its packages: compiled kernels, where it is asked for them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ASKED = "WHEEL_KERNELS"


class Kernels(BuildHookInterface[Any]):
    """Puts the kernels that lie beside the sources into the wheel, so that a first run compiles none."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files; hatchling leaves out `__pycache__` by itself."""
        if version == "editable" or os.environ.get(ASKED) != "1":
            return
        root = Path(self.root)
        sys.path.insert(0, self.root)
        from core.matching.jit import PORTABLE, config

        if config.CPU_NAME != PORTABLE:
            raise SystemExit(f"{ASKED}=1: kernels for a wheel need a processor that is at least {PORTABLE}; unset it")
        kinds = ("*.nbi", "*.nbc", "kernels.sha256", "kernels-*.ready")
        found = [path for kind in kinds for path in root.glob(f"core/**/__pycache__/{kind}")]
        build_data["force_include"].update({str(path): str(path.relative_to(root)) for path in found})
