"""
The key that is refused most: how often, and never which.
"""

from prometheus_client import generate_latest

from ctxfy.adapters.monitoring.metrics_collector import PrometheusMetrics, new_registry
from ctxfy.adapters.monitoring.refusal_peak import MAX_KEYS, RefusalPeak
from ctxfy.adapters.monitoring.request_record import CURRENT_RECORD, RequestRecord


class Clock:
    """
    A clock that is set.
    """

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        """
        Tell the time.
        """
        return self.seconds


def test_the_most_of_one_key_counts_and_not_the_sum() -> None:
    """
    Two keys refused three times and once are a peak of three.
    """
    peak = RefusalPeak(Clock())
    assert peak.most() == 0
    for key in ("a", "b", "a", "a"):
        peak.count(key)
    assert peak.most() == 3


def test_a_peak_is_remembered_for_the_next_minute_and_no_longer() -> None:
    """
    A scrape every minute sees it; two minutes later it is over.
    """
    clock = Clock()
    peak = RefusalPeak(clock)
    peak.count("a")
    peak.count("a")
    clock.seconds += 60
    peak.count("b")
    assert peak.most() == 2
    clock.seconds += 60
    assert peak.most() == 1
    clock.seconds += 120
    assert peak.most() == 0


def test_keys_are_remembered_up_to_a_bound() -> None:
    """
    Those after it are left out of this minute; those before it go on counting.
    """
    peak = RefusalPeak(Clock())
    for number in range(MAX_KEYS + 10):
        peak.count(str(number))
    for _ in range(4):
        peak.count(str(MAX_KEYS + 5))
    assert peak.most() == 1
    peak.count("0")
    assert peak.most() == 2


def test_only_refusals_of_known_keys_count_and_no_key_shows() -> None:
    """
    403 and 429 with a key on the record; 401, 200 and requests without a key do not.
    """
    registry = new_registry()
    metrics = PrometheusMetrics(registry, endpoints=["/mcp"], version="0")
    for status in (403, 429, 429):
        metrics.record_request("/mcp", "POST", status, 1.0)
    assert registry.get_sample_value("ctxfy_api_key_refusals_max") == 0
    token = CURRENT_RECORD.set(RequestRecord("id", {"key_id": "abcdefghijkl"}))
    for status in (200, 401, 403, 429, 429):
        metrics.record_request("/mcp", "POST", status, 1.0)
    CURRENT_RECORD.reset(token)
    assert registry.get_sample_value("ctxfy_api_key_refusals_max") == 3
    assert b"abcdefghijkl" not in generate_latest(registry)


def test_what_is_alerted_about_is_there_before_it_happens() -> None:
    """
    A counter that begins at its first event shows no increase for it.
    """
    registry = new_registry()
    PrometheusMetrics(registry, endpoints=["/mcp"], version="0")
    for outcome in ("granted", "unknown", "network", "revoked"):
        found = registry.get_sample_value("ctxfy_authentications_total", {"outcome": outcome})
        assert found == 0
    for outcome in ("refused", "failed"):
        assert registry.get_sample_value("ctxfy_catalog_reloads_total", {"outcome": outcome}) == 0
