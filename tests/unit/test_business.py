"""
What prompt functions count reaches whoever is connected, and nobody else.
"""

from collections.abc import Mapping

from ctxfy import business


def test_counts_reach_every_server_that_is_connected() -> None:
    """
    Before and after there is nobody to tell, and that is no error.
    """
    told: list[tuple[str, float, Mapping[str, str]]] = []
    business.count("early")
    disconnect = business.connect(lambda *count: told.append(count))
    business.count("review_started", kind="security")
    business.count("tokens_saved", 2.5)
    disconnect()
    business.count("late")
    assert told == [
        ("review_started", 1, {"kind": "security"}),
        ("tokens_saved", 2.5, {}),
    ]
