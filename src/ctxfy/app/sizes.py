"""
Sizes that follow the container, where the settings name none.
"""

from ctxfy.adapters.container.control_groups import ControlGroups
from ctxfy.core.models.capacity_models import ProcessSizes
from ctxfy.core.use_cases.capacity_use_cases import size_process


def process_sizes(groups: ControlGroups | None = None, *, workers: int = 1) -> ProcessSizes:
    """
    Look at what this process is given, and decide by it.

    Args:
        groups: Where to look.
        workers: How many processes share it.
    """
    groups = groups or ControlGroups()
    return size_process(groups.memory_limit() // workers, groups.processors() / workers)
