from __future__ import annotations

import faulthandler
import json
import re
import threading
from pathlib import Path

from core.queue.consumers import standing


def test_of_dump_names_the_line_that_called_a_library(tmp_path: Path) -> None:
    with (tmp_path / "dump").open("w+") as file:
        json.loads("{}", object_hook=lambda _: faulthandler.dump_traceback(file, all_threads=True))
        file.seek(0)
        assert re.fullmatch(r"test_standing\.py:\d+ in <lambda>", standing.of_dump(file.read()))
    assert standing.of_dump("") == "an unknown place"


def test_of_dump_passes_over_frames_of_libraries() -> None:
    library = Path(json.__file__).parent / "decoder.py"
    text = (
        'Timeout (0:01:00)!\nThread 0x01 (most recent call first):\n  File "other.py", line 1 in run\n\n'
        f'Thread 0x02 (most recent call first):\n  File "{library}", line 9 in loads\n'
        '  File "/home/a/jobs.py", line 7 in <module>\n  File "<frozen importlib._bootstrap>", line 4 in _load\n'
    )
    assert standing.of_dump(text) == "jobs.py:7 in <module>"


def test_of_threads_names_only_those_that_are_waited_for() -> None:
    go_on, begun = threading.Event(), threading.Barrier(3)

    def stands() -> None:
        begun.wait()
        go_on.wait()

    threads = [threading.Thread(target=stands, daemon=daemon) for daemon in (True, False)]
    for one in threads:
        one.start()
    begun.wait()
    try:
        found = standing.of_threads()
    finally:
        go_on.set()
        for one in threads:
            one.join()
    assert len([place for place in found if place.startswith("threading:")]) == 1
