"""Approved pipelines, how far each has read, and what its runs did."""

from core.database.migrations import run_file

revision, down_revision = "0018", "0017"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0018_pipelines")
