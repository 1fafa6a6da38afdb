"""Wake-ups, statistics and retention."""

from core.database.migrations import run_file

revision, down_revision = "0006", "0005"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0006_upkeep")
