"""Users, sessions and tokens of the pages."""

from core.database.migrations import run_file

revision, down_revision = "0016", "0015"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0016_accounts")
