"""Carries the Dockerfile out without an engine: each instruction in order, in a root that only this process sees.

The root is an overlay over the machine's own, in memory: its Debian and its Python stand in for the base image. Writes
go to the overlay, and all is gone with the mount namespace. Needs root, for mounts and chroot.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import ROOT
from tests.k8s.dockerfile import Stage, Step, copied, stages

FOLDER = "/mnt"
IMAGE = f"{FOLDER}/root"


def _prepare(python: Path) -> str:
    parents = " ".join(shlex.quote(str(parent)) for parent in list(python.parents)[:-1])
    return f"""
set -eu
mount -t tmpfs -o size=8g image {FOLDER}
mkdir {FOLDER}/upper {FOLDER}/work {IMAGE}
mount -t overlay overlay -o lowerdir=/,upperdir={FOLDER}/upper,workdir={FOLDER}/work {IMAGE}
mount --rbind /proc {IMAGE}/proc
mount --rbind /dev {IMAGE}/dev
# As in the base image: no users but the system's, and the Python of this machine under the usual name for everybody.
people=$(awk -F: '$3 >= 1000 && $3 < 60000 || $1 == "headrace" {{ print $1 }}' /etc/passwd /etc/group | sort -u)
for file in passwd shadow group gshadow; do
    for name in $people; do sed -i "/^$name:/d" {IMAGE}/etc/$file; done
done
# Not a link: a Python looks for its library from where it is called.
rm -f {IMAGE}/usr/local/bin/python
printf '#!/bin/sh\nexec {python} "$@"\n' > {IMAGE}/usr/local/bin/python
chmod 0755 {IMAGE}/usr/local/bin/python
for folder in {parents}; do chmod o+x "{IMAGE}$folder"; done
rm -rf {IMAGE}/opt/headrace {IMAGE}/var/lib/headrace
"""


def script(after: str) -> str:
    """A shell script for `unshare --mount`: makes the image, locks it, then does `after` as a container would."""
    build, final = stages()
    python = Path(sys.base_prefix) / "bin/python3"
    lines = [_prepare(python)]
    for stage in (build, final):
        for step in stage.steps:
            lines += _step(stage, step)
    return "\n".join([*lines, _lock(final), after])


def _step(stage: Stage, step: Step) -> Iterator[str]:
    yield f"echo '== {stage.name or 'final'}: {step.kind} {step.text[:60]}' >&2".replace("\n", " ")
    if step.kind == "COPY":
        mode = step.options().get("chmod")
        for source, target in copied(step):
            chosen = f" --mode={mode}" if mode else f" --mode={oct((ROOT / source).stat().st_mode & 0o777)[2:]}"
            yield f"install -D{chosen} {shlex.quote(str(ROOT / source))} {shlex.quote(IMAGE + target)}"
        return
    # An engine's builder is configured to reach a package index; so is this machine, by these.
    index = {name: value for name, value in os.environ.items() if name.startswith("PIP_")} | {"HOME": "/root"}
    env = " ".join(f"{name}={shlex.quote(value)}" for name, value in {**index, **step.env}.items())
    command = f"mkdir -p {step.workdir} && cd {step.workdir} && {step.text}"
    yield f"chroot {IMAGE} env -i {env} sh -euc {shlex.quote(command)} >&2"


def _lock(final: Stage) -> str:
    """What Kubernetes does with the container: read-only root, a writable /tmp and state folder, nothing else."""
    user, _, group = final.user.partition(":")
    env = " ".join(f"{name}={shlex.quote(value)}" for name, value in final.env.items())
    return f"""
mount -o remount,ro {IMAGE}
mount -t tmpfs -o mode=1777,size=4g tmp {IMAGE}/tmp
mount -t tmpfs -o uid=1001,gid=1001,mode=0755,size=4g state {IMAGE}/var/lib/headrace
inside() {{
    chroot {IMAGE} setpriv --reuid {user} --regid {group} --clear-groups --no-new-privs --bounding-set=-all \\
        env -i {env} sh -c 'cd {final.workdir} && exec "$@"' sh {shlex.join(final.entrypoint)} "$@"
}}
"""


def carried_out(script: str, log: Path, limit_s: float) -> list[str]:
    """What a script answered, each line that begins with @; it and its mounts are gone afterwards.

    Args:
        log: gets all else that it said; its end is shown where the script failed.
    """
    with log.open("w") as errors:
        done = subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "bash", "-euo", "pipefail", "-c", script],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            check=False,
            timeout=limit_s,
        )
    end = "\n".join(log.read_text(errors="replace").splitlines()[-60:])
    assert done.returncode == 0, done.stdout[-2000:] + end
    return [line for line in done.stdout.splitlines() if line.startswith("@")]


def answer(said: list[str], name: str) -> str:
    """What was answered to one question."""
    (line,) = (line for line in said if line.startswith(f"@{name} "))
    return line.removeprefix(f"@{name} ")
