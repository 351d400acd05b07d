"""
Sizes that follow the container, where the settings name none.
"""

from ctxfy.adapters.container.control_groups import ControlGroups
from ctxfy.core.models.capacity_models import ProcessSizes
from ctxfy.core.use_cases.capacity_use_cases import size_process


def process_sizes(groups: ControlGroups | None = None) -> ProcessSizes:
    """
    Look at what this process is given, and decide by it.
    """
    groups = groups or ControlGroups()
    return size_process(groups.memory_limit(), groups.processors())
