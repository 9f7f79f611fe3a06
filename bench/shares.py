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
    made: list[Path] = []
    try:
        try:
            for pid in pids:
                made.append(_group(f"retinue-bench-{os.getpid()}-{pid}", share))
                (made[-1] / "cgroup.procs").write_text(str(pid))
            done = True
        except OSError:
            done = False
            _end(made)
        yield done
    finally:
        _end(made)


def _group(name: str, share: float) -> Path:
    """A control group of either version with this share. Raises OSError."""
    quota = round(share * PERIOD_US)
    if (FIRST / "cgroup.procs").exists():
        group = FIRST / name
        group.mkdir()
        (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (group / "cpu.cfs_quota_us").write_text(str(quota))
    else:
        (SECOND / "cgroup.subtree_control").write_text("+cpu")
        group = SECOND / name
        group.mkdir()
        (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
    return group


def _end(groups: list[Path]) -> None:
    """Move what is left back to the top, which lifts the limit, and remove the groups."""
    while groups:
        group = groups.pop()
        with contextlib.suppress(OSError):
            for pid in (group / "cgroup.procs").read_text().split():
                with contextlib.suppress(OSError):
                    (group.parent / "cgroup.procs").write_text(pid)
            group.rmdir()
