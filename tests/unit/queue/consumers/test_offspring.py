from __future__ import annotations

import subprocess
import time

from core.queue.consumers import offspring


def test_end_between_spares_what_was_started_before_and_after() -> None:
    tick_s = 0.02
    children = []
    moments = []
    for _ in range(3):
        moments.append(offspring.now())
        children.append(subprocess.Popen(["sleep", "60"]))
        # The kernel's clock of processes has to move on.
        time.sleep(tick_s)
    try:
        offspring.end_between(moments[1], moments[2] - tick_s / 2)
        assert children[1].wait(60) == -9
        assert [child.poll() for child in children] == [None, -9, None]
    finally:
        for child in children:
            child.kill()
            child.wait()
