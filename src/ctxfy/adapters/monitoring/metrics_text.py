"""
Reads what `/metrics` writes.
"""

from collections import defaultdict

from prometheus_client.parser import text_string_to_metric_families

from ctxfy.core.models.scrape_models import Labels, Scrape


def read_metrics(text: str, at: float) -> Scrape:
    """
    Read the text format of Prometheus.

    Args:
        text: What a server answered.
        at: When, seconds of a clock that never goes back.

    Raises:
        ValueError: It is something else.
    """
    samples = defaultdict[str, dict[Labels, float]](dict)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            samples[sample.name][tuple(sorted(sample.labels.items()))] = float(sample.value)
    return Scrape(at=at, samples=samples)
