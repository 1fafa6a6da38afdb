"""What submissions are ruled by: unique keys, delays, limits of depth."""

from core.database.migrations import run_file

revision, down_revision = "0005", "0004"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0005_submitting")
