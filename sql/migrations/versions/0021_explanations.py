"""Explanations of bank lines, as they were found when the lines were decided."""

from core.database.migrations import run_file

revision, down_revision = "0021", "0020"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0021_explanations")
