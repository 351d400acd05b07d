"""
Metrics of keys and of callers: never which key, only how many and how often.
"""

import time
from collections.abc import Mapping
from datetime import datetime

from ctxfy.adapters.monitoring.metric_factory import MetricFactory
from ctxfy.adapters.monitoring.refusal_peak import REFUSALS, RefusalPeak
from ctxfy.adapters.monitoring.request_record import CURRENT_RECORD
from ctxfy.adapters.monitoring.worker_figures import Together
from ctxfy.core.models.auth_models import DenialReason


class KeyMetrics:
    """
    What was decided about callers, and which keys there are.

    Attributes:
        authentications: By outcome.
    """

    def __init__(self, make: MetricFactory) -> None:
        self.authentications = make.loop_counter(
            "ctxfy_authentications", "Decisions about callers", "outcome"
        )
        for outcome in ("granted", *DenialReason):
            self.authentications.of(outcome)  # from the start, so that the first is an increase
        self._keys = make.gauge(
            "ctxfy_api_keys", "Keys there are", "state", "expires", together=Together.FIRST
        )
        self._key_states = set[tuple[str, str]]()
        self._newest_admin = make.gauge(
            "ctxfy_newest_admin_key_timestamp_seconds",
            "When the newest of the keys that can administer the server was made; 0 without one",
            together=Together.FIRST,
        )
        self._admins_end = make.gauge(
            "ctxfy_admin_keys_expiry_timestamp_seconds",
            "When the last key that can administer the server ends; 0 for never",
            together=Together.FIRST,
        )
        self._refusals = RefusalPeak(time.monotonic)
        make.gauge(
            "ctxfy_api_key_refusals_max",
            "Most answers 403 and 429 to one key in this minute or the one before",
            # Each worker knows its own: of one key whose requests come to all, this is right.
            together=Together.SUM,
        ).set_function(self._refusals.most)

    def record_keys(self, counts: Mapping[tuple[str, str], int]) -> None:
        """
        Set how many keys there are; a state that no key is in any more is shown as none.
        """
        for state, remaining in self._key_states | set(counts):
            self._keys.labels(state, remaining).set(counts.get((state, remaining), 0))
        self._key_states |= set(counts)

    def record_admins(self, newest: datetime | None, end: datetime | None) -> None:
        """
        Set when the newest live admin key was made, and when the last one ends.
        """
        self._newest_admin.set(newest.timestamp() if newest else 0)
        self._admins_end.set(end.timestamp() if end else 0)

    def note_answer(self, status_code: int) -> None:
        """
        Note an answer that may be a refusal of the key whose request it is.
        """
        if status_code not in REFUSALS or (record := CURRENT_RECORD.get()) is None:
            return
        if (key_id := record.facts.get("key_id")) is not None:
            self._refusals.count(str(key_id))
