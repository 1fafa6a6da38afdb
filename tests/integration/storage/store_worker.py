"""`python -m tests.integration.storage.store_worker REQUEST [STAGE]`: works on a job until it is done.

With a stage it is killed there, when its first batch's files are uploaded and nothing is acknowledged.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import closing
from pathlib import Path

from core.linkage.prepare import describe, understand
from core.linkage.request import MatchRequest
from core.runtime import open_runtime
from core.storage.workspace import Workspace
from core.workloads.identity.bench import overhead_job
from core.workloads.identity.session import IdentitySession


def die_in(stage: str) -> None:
    """SIGKILL where the files of the first batch of the stage are kept."""
    keep = Workspace.keep

    def keep_and_die(workspace: Workspace, folder: Path) -> None:
        keep(workspace, folder)
        if workspace.relative(folder).startswith(f"{stage}/"):
            os.kill(os.getpid(), signal.SIGKILL)

    Workspace.keep = keep_and_die


def work(request: MatchRequest) -> None:
    """Do what is left of the job, and write its answer."""
    understood = understand(request)
    with open_runtime() as runtime, closing(runtime.workspace_of(understood.key)) as workspace:
        description = describe(understood, workspace)
        session = IdentitySession(runtime.queue, description, workspace, poll_s=0.1, threads=2)
        with closing(session):
            overhead_job._all_stages(session, 2)
            session.write_outputs(session.finish())


if __name__ == "__main__":
    if len(sys.argv) > 2:
        die_in(sys.argv[2])
    work(MatchRequest.model_validate_json(sys.argv[1]))
