"""A job's answers in tables of their own: loaded without indexes, dropped as a whole."""

from core.database.migrations import run_file

revision, down_revision = "0008", "0007"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0008_own_tables")
