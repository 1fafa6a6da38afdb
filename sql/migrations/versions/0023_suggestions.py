"""Suggestions for bank lines, kept for people to accept."""

from core.database.migrations import run_file

revision, down_revision = "0023", "0022"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0023_suggestions")
