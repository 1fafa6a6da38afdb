"""`python -m tests.integration.storage.store_worker REQUEST [STAGE]`: works on a job until it is done.

With a stage it is killed there, when its first batch's files are uploaded and nothing is acknowledged.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import closing
from pathlib import Path

from core.linkage.prepare import describe, identify
from core.linkage.request import MatchRequest
from core.runtime import open_runtime
from core.storage.workspace import Workspace
from core.workloads.identity.bench import overhead_job
from core.workloads.identity.session import IdentitySession


def main(text: str, dies_in: str | None) -> None:
    keep = Workspace.keep

    def keep_and_die(workspace: Workspace, folder: Path) -> None:
        keep(workspace, folder)
        if workspace.relative(folder).startswith(f"{dies_in}/"):
            os.kill(os.getpid(), signal.SIGKILL)

    Workspace.keep = keep_and_die
    request = MatchRequest.model_validate_json(text)
    with open_runtime() as runtime, closing(runtime.workspace_of(identify(request))) as workspace:
        description = describe(request, identify(request), workspace)
        session = IdentitySession(runtime.queue, description, workspace, poll_s=0.1, threads=2)
        with closing(session):
            overhead_job._all_stages(session, 2)
            session.write_outputs(session.finish())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
