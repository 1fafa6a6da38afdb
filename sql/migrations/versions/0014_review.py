"""Cases for people to decide, and their verdicts."""

from core.database.migrations import run_file

revision, down_revision = "0014", "0013"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0014_review")
