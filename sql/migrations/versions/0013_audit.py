"""The ledger: events, their leaves and seals."""

from core.database.migrations import run_file

revision, down_revision = "0013", "0012"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0013_audit")
