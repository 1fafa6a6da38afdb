"""What looking one record up needs."""

from core.database.migrations import run_file

revision, down_revision = "0010", "0009"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0010_lookup")
