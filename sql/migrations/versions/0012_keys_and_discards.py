"""Keys of dead rows, and discarded letters."""

from core.database.migrations import run_file

revision, down_revision = "0012", "0011"


def upgrade() -> None:
    """Run the reviewed file."""
    run_file("0012_keys_and_discards")
