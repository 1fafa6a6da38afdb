"""Processes of ours: how one is started, and what a child made by fork does not share with its parent.

A fork copies sockets and locks. Two processes that talk over one socket read each other's answers, and a lock that a
thread of the parent held is never opened in the child. So all
that holds either is entered here and made anew in a child.
"""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

_inheritors: WeakKeyDictionary[Any, Callable[[Any], None]] = WeakKeyDictionary()
# What a child must neither use nor let go of: closing it would speak to the parent's peers, or wait for a lock.
_untouched: list[object] = []


def python(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module of ours, or of a library, in a process of its own.

    -P: a folder `core` or `flows` where somebody stands, and any module named as one of Python's, is not ours.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def has_name(uid: int) -> bool:
    """Whether the user database knows that user; ids that some clusters hand out it does not."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def naming() -> dict[str, str]:
    """What gives a user id its name by nss_wrapper, for an environment that holds little else."""
    names = ("LD_PRELOAD", "NSS_WRAPPER_PASSWD", "NSS_WRAPPER_GROUP") if "NSS_WRAPPER_PASSWD" in os.environ else ()
    return {name: os.environ[name] for name in names if name in os.environ}


def on_fork(thing: T, renew: Callable[[T], None]) -> None:
    """Call `renew(thing)` in each child that is forked while the thing lives, before anything else runs there.

    Args:
        renew: a plain function, which holds no reference to the thing; it talks to nobody and takes no lock.
    """
    _inheritors[thing] = renew


def leave_to_parent(thing: object) -> None:
    """Keep a thing for as long as this child lives, so that nothing is closed on the parent's behalf."""
    _untouched.append(thing)


def _renew() -> None:
    for thing, renew in list(_inheritors.items()):
        renew(thing)


os.register_at_fork(after_in_child=_renew)
