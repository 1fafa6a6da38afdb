"""Files that hold personal data: for their owner's eyes, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def write_private(path: Path, write: Callable[[Path], object]) -> None:
    """Write through a hidden neighbour of mode 0600 that takes the name when it is done."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.touch(mode=0o600)
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
