"""Open items, receipts, and what was applied to them."""

from core.database.migrations import run_file

revision, down_revision = "0015", "0014"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0015_receivables")
