"""What `make` does before anything is installed."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.architecture.tree import ROOT

TOLD = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "UV_INSECURE_HOST", "SSL_CERT_FILE", "ALL_PROXY")


def asked(recipe: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a recipe that uses the variables of the Makefile."""
    env = {"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": os.devnull, **environment}
    rule = f"asked: ; @{recipe}"
    # From the checkout, as the Makefile names it: the path of the checkout itself may have a blank.
    python = os.path.relpath(sys.executable, ROOT)
    command = ["make", "-s", "-C", str(ROOT), "--eval", rule, "asked", f"PYTHON={python}", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)


def test_uv_is_told_what_pip_is_configured_to_do() -> None:
    given = {
        "PIP_INDEX_URL": "https://mirror.example/simple",
        "PIP_EXTRA_INDEX_URL": "https://one.example/simple https://two.example/simple",
        "PIP_TRUSTED_HOST": "mirror.example",
        "PIP_CERT": "/etc/mine.pem",
        "PIP_PROXY": "http://proxy.example:3128",
    }
    shown = "; ".join(f'echo "{name}=$${name}"' for name in TOLD)
    lines = asked(f"$(PIP_SAYS); {shown}", **given).stdout.splitlines()
    assert lines == [
        "UV_DEFAULT_INDEX=https://mirror.example/simple",
        "UV_INDEX=https://one.example/simple https://two.example/simple",
        "UV_FIND_LINKS=",
        "UV_INSECURE_HOST=mirror.example",
        "SSL_CERT_FILE=/etc/mine.pem",
        "ALL_PROXY=http://proxy.example:3128",
    ]
    said = asked("$(PIP_SAYS); echo $$UV_DEFAULT_INDEX", **given, UV_DEFAULT_INDEX="https://own.example/simple")
    assert said.stdout == "https://own.example/simple\n", "what uv is told by the user holds"


def test_pip_installs_where_uv_cannot_and_where_it_is_asked_to() -> None:
    recipe = "$(call packages,of a lock)"
    done = asked(recipe, "PIP=echo pip", "UV=false")
    assert (done.returncode, done.stderr) == (0, "setup: uv could not install; now by pip\n")
    assert done.stdout.splitlines()[-1] == "pip install of a lock"
    done = asked(recipe, "PIP=echo pip", "UV=echo uv")
    assert done.stdout.splitlines()[-1] == "uv pip install of a lock"
    done = asked(recipe, "PIP=echo pip", "UV=false", "INSTALLER=pip")
    assert (done.stdout, done.stderr) == ("pip install of a lock\n", "")
