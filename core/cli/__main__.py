"""`python -m core.cli`: the command line by the interpreter that runs us, wherever its script lies."""

from __future__ import annotations

from core.cli import main

if __name__ == "__main__":
    main()
