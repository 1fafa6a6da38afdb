"""Where prefect.yaml and the templates of the work pools are: in the checkout, or in the wheel beside the packages."""

from __future__ import annotations

from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]
_SHIPPED = _CHECKOUT / "headrace_files"


def manifest() -> Path:
    """prefect.yaml."""
    found = _CHECKOUT / "prefect.yaml"
    return found if found.exists() else _SHIPPED / "prefect.yaml"


def pool_templates() -> Path:
    """The folder of the base job templates."""
    found = _CHECKOUT / "k8s" / "work-pools"
    return found if found.exists() else _SHIPPED / "work-pools"
