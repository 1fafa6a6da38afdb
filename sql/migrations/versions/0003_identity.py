"""Resolved records: identities, entities, members, matches, and which job is published."""

from core.database.migrations import run_file

revision, down_revision = "0003", "0002"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0003_identity")
