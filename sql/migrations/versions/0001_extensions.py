"""Extensions."""

from core.database.migrations import run_file

revision, down_revision = "0001", None


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0001_extensions")
