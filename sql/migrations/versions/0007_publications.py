"""History of published jobs."""

from core.database.migrations import run_file

revision, down_revision = "0007", "0006"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0007_publications")
