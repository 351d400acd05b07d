"""
Labels stay bounded.
"""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter

from ctxfy.adapters.monitoring.bounded_labels import BoundedLabels


@given(st.lists(st.text() | st.none(), max_size=60), st.integers(1, 5))
def test_a_label_never_has_more_values_than_its_limit(values: list[str | None], limit: int) -> None:
    """
    However many names come, there are at most `limit` of them and `other`; none is uncounted.
    """
    registry = CollectorRegistry()
    labels = BoundedLabels(Counter("things", "", ["name"], registry=registry), ["name"], limit)
    for value in values:
        labels.of(value).inc()
    samples = [
        each
        for metric in registry.collect()
        for each in metric.samples
        if each.name == "things_total"
    ]
    assert len({each.labels["name"] for each in samples} - {"other"}) <= limit
    assert sum(each.value for each in samples) == len(values)
    assert len(vars(labels)["_metrics"]) <= limit + 1  # both ways to be absent are remembered


def test_what_is_absent_is_none() -> None:
    """
    An absent and an empty value have a label that can be seen and queried.
    """
    registry = CollectorRegistry()
    labels = BoundedLabels(Counter("things", "", ["name"], registry=registry), ["name"])
    labels.of(None).inc()
    labels.of("").inc()
    assert registry.get_sample_value("things_total", {"name": "none"}) == 2
