"""Bank lines by state, and allocations by bank line."""

from core.database.migrations import run_file

revision, down_revision = "0020", "0019"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0020_receipts_listed")
