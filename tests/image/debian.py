"""Another Debian than the machine's: its own root by debootstrap, in memory, with the checkout for a user of its own.

The root is empty but for what README asks for. Packages come from the mirror that the machine's apt uses, and from the
index that its pip knows. Needs root, for mounts and chroot. Cost: 40 s and half a gigabyte of memory, before anything
is done in it.
"""

from __future__ import annotations

import ast
import shlex
import subprocess
import sys

from tests.architecture.tree import IGNORED, ROOT
from tests.image.builder import FOLDER, IMAGE

NEEDED = ("python3", "python3-venv", "make", "libc6-dev", "ca-certificates")
HOME = "/srv/dev"
CHECKOUT = f"{HOME}/head race"
CERTIFICATES = "/etc/ssl/machine.pem"


def script(release: str, after: str) -> str:
    """A shell script for `unshare --mount`: makes the root, then does `after`, which calls `inside` as a user would."""
    index = _index()
    # For all of pip, uv and requests, as on the machine.
    certificates = index.pop("PIP_CERT", "/etc/ssl/certs/ca-certificates.crt")
    leave_out = " ".join(f"--exclude={shlex.quote(name)}" for name in sorted(IGNORED))
    env = " ".join(f"{name}={shlex.quote(value)}" for name, value in index.items())
    return f"""
set -eu
mount -t tmpfs -o size=12g debian {FOLDER}
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | sed -n 1p)
# A debootstrap that is older than the release has no script for it; they are all the same one.
debootstrap --variant=minbase --include={",".join(NEEDED)} {release} {IMAGE} "$mirror" \\
    /usr/share/debootstrap/scripts/sid >&2
mount --rbind /proc {IMAGE}/proc
mount --rbind /sys {IMAGE}/sys
mount --rbind /dev {IMAGE}/dev
chmod 1777 {IMAGE}/tmp
cp /etc/resolv.conf /etc/hosts {IMAGE}/etc/
cp {shlex.quote(certificates)} {IMAGE}{CERTIFICATES}
chroot {IMAGE} useradd --create-home --home-dir {HOME} --uid 1000 dev
mkdir {shlex.quote(IMAGE + CHECKOUT)}
tar -C {shlex.quote(str(ROOT))} {leave_out} -cf - . | tar -C {shlex.quote(IMAGE + CHECKOUT)} --no-same-owner -xf -
chroot {IMAGE} chown -R dev:dev {HOME}
inside() {{
    chroot {IMAGE} setpriv --reuid 1000 --regid 1000 --init-groups env -i HOME={HOME} USER=dev LANG=C.UTF-8 \\
        PATH=/usr/local/bin:/usr/bin:/bin PIP_CERT={CERTIFICATES} {env} \\
        sh -c 'cd {shlex.quote(CHECKOUT).replace("'", '"')} && exec "$@"' sh "$@"
}}
# Whether a make target goes well; the end of what it says where it does not.
try() {{
    if inside make "$@" > {FOLDER}/said 2>&1; then echo "@$1 well"; return; fi
    echo "@$1 badly"
    tail -n 80 {FOLDER}/said >&2
}}
{after}
"""


def _index() -> dict[str, str]:
    """Where the machine's pip finds packages, as variables for another's; folders of the machine are not there."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    found: dict[str, str] = {}
    for name, _, value in (line.partition("=") for line in listed.splitlines()):
        key = name.rpartition(".")[2]
        told = ast.literal_eval(value)
        if key in ("index-url", "extra-index-url", "trusted-host", "proxy"):
            told = " ".join(each for each in told.split() if not each.startswith("file:"))
        elif key != "cert":
            continue
        if told:
            found["PIP_" + key.upper().replace("-", "_")] = told
    return found
