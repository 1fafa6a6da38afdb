"""Bank lines by state, and allocations by bank line."""

from core.database.migrations import run_file

revision, down_revision = "0019", "0018"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0019_receipts_listed")
