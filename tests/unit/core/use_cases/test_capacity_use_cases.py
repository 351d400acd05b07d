"""
Sizes that follow what a process is given.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.models.capacity_models import ProcessSizes
from ctxfy.core.use_cases.capacity_use_cases import (
    FEWEST_CONNECTIONS,
    LEAST_CHECK_MB,
    MEGABYTE,
    MOST_KEYS,
    size_process,
)


@pytest.mark.parametrize(
    ("megabytes", "processors", "sizes"),
    [
        (16_384, 8.0, (5, 10_000, 512)),
        (1024, 1.0, (5, 10_000, 512)),
        (256, 0.5, (3, 5_242, 128)),
        (64, 0.1, (2, 1_310, 64)),
        (16, 0.01, (2, 1_000, 64)),
    ],
)
def test_a_small_container_is_not_filled(
    megabytes: int, processors: float, sizes: tuple[int, int, int]
) -> None:
    """
    Half a gigabyte and one processor have the whole; less has less, down to what is needed.
    """
    assert size_process(megabytes * MEGABYTE, processors) == ProcessSizes(
        pool=sizes[0], cached_keys=sizes[1], check_memory_mb=sizes[2]
    )


@given(
    memory=st.integers(min_value=0, max_value=2**50),
    processors=st.floats(min_value=0, max_value=1024),
)
def test_sizes_are_always_usable(memory: int, processors: float) -> None:
    """
    Whatever the kernel says, each size is within its bounds.
    """
    sizes = size_process(memory, processors)
    assert FEWEST_CONNECTIONS <= sizes.pool <= 5
    assert 1_000 <= sizes.cached_keys <= MOST_KEYS
    assert LEAST_CHECK_MB <= sizes.check_memory_mb <= 512
