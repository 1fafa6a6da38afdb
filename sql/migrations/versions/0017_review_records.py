"""Records that cases of identities show."""

from core.database.migrations import run_file

revision, down_revision = "0017", "0016"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0017_review_records")
