"""
The limits of a container, as the kernel tells them.
"""

import os
from pathlib import Path

import pytest

from ctxfy.adapters.container.control_groups import ControlGroups
from ctxfy.app.sizes import process_sizes


MB = 1024 * 1024
MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _groups(root: Path, **files: str) -> ControlGroups:
    for name, text in files.items():
        file = root / name.replace("__", "/").replace("_DOT_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return ControlGroups(root)


@pytest.mark.parametrize(
    "files",
    [
        {"memory_DOT_max": f"{256 * MB}\n", "cpu_DOT_max": "50000 100000\n"},
        {
            "memory__memory_DOT_limit_in_bytes": f"{256 * MB}\n",
            "cpu__cpu_DOT_cfs_quota_us": "50000\n",
            "cpu__cpu_DOT_cfs_period_us": "100000\n",
        },
    ],
)
def test_limits_are_read_in_both_versions(tmp_path: Path, files: dict[str, str]) -> None:
    """
    And the sizes of the process follow them.
    """
    groups = _groups(tmp_path, **files)
    assert (groups.memory_limit(), groups.processors()) == (256 * MB, 0.5)
    assert process_sizes(groups).check_memory_mb == 128


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"memory_DOT_max": "max\n", "cpu_DOT_max": "max 100000\n"},
        {"memory_DOT_max": f"{2**63 - 4096}\n", "cpu_DOT_max": "-1 100000\n"},
        {"memory_DOT_max": "", "cpu_DOT_max": "6400000 100000\n"},
    ],
)
def test_no_limit_is_the_machine(tmp_path: Path, files: dict[str, str]) -> None:
    """
    Neither is a limit beyond what the machine has.
    """
    groups = _groups(tmp_path, **files)
    assert groups.memory_limit() == MACHINE
    assert groups.processors() == os.process_cpu_count()
