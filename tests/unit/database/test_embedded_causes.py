"""Why initdb failed, in the one line that tells it."""

from __future__ import annotations

import pytest

from core.database.embedded import cause_of

TIDY = 'child process exited with exit code 1\ninitdb: removing contents of data directory "data.new"\n'


@pytest.mark.parametrize(
    ("stderr", "cause"),
    [
        (
            f'2026-11-24 23:03:02.890 UTC [24746] FATAL:  could not write to file "x": No space left on device\n{TIDY}',
            'could not write to file "x": No space left on device',
        ),
        (
            f'initdb: error: could not create directory "y": No space left on device\n{TIDY}',
            'could not create directory "y": No space left on device',
        ),
        ("something else\n\n", "something else"),
        ("", "it says nothing"),
    ],
)
def test_cause_of_is_the_line_that_tells_why(stderr: str, cause: str) -> None:
    assert cause_of(stderr) == cause
