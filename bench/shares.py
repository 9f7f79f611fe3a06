"""A share of a core for each of some processes, by Linux control groups: what more cores would do, on few of them.

Needs the right to make a control group (root, or a delegated one); without it, or on another system, nothing is limited
and the caller is told.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

PERIOD_US = 50_000
"""Shorter ones cost: each time, what a process had in the caches of a core is gone."""
FIRST = Path("/sys/fs/cgroup/cpu")
SECOND = Path("/sys/fs/cgroup")


@contextlib.contextmanager
def limited(pids: Iterable[int], share: float) -> Iterator[bool]:
    """Limit each of these processes to ``share`` of one core; yields whether that could be done."""
    with contextlib.ExitStack() as groups:
        try:
            for pid in pids:
                groups.enter_context(_group(pid, share))
            done = True
        except OSError:
            groups.close()
            done = False
        yield done


@contextlib.contextmanager
def _group(pid: int, share: float) -> Iterator[None]:
    """This process in a control group of its own; afterwards at the top, without a limit. Raises OSError."""
    first = (FIRST / "cgroup.procs").exists()
    top = FIRST if first else SECOND
    if not first:
        (top / "cgroup.subtree_control").write_text("+cpu")
    group = top / f"retinue-bench-{os.getpid()}-{pid}"
    group.mkdir()
    try:
        _limit(group, round(share * PERIOD_US), first)
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        with contextlib.suppress(OSError):  # it may have ended
            (top / "cgroup.procs").write_text(str(pid))
        with contextlib.suppress(OSError):
            group.rmdir()


def _limit(group: Path, quota: int, first: bool) -> None:
    if first:
        (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (group / "cpu.cfs_quota_us").write_text(str(quota))
    else:
        (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
