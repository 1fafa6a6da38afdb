"""What claims are ruled by: limits, shares, order."""

from core.database.migrations import run_file

revision, down_revision = "0004", "0003"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0004_claiming")
