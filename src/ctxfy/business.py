"""
Counts of what matters to a team, for whoever writes prompts in Python.
"""

from collections.abc import Callable, Mapping


type Sink = Callable[[str, float, Mapping[str, str]], None]

_sinks: list[Sink] = []


def count(event: str, amount: float = 1, /, **labels: str) -> None:
    """
    Count something; it shows as `ctxfy_business_events_total` under `/metrics`. Never raises.

    Outside a server, as in `ctxfy check` and in tests, nothing is counted.

    Args:
        event: What happened, such as `review_started`.
        amount: How much of it; what is not above zero is not counted.
        labels: What it is counted by, each by itself. Values must be few: neither people, nor keys,
            nor what somebody typed. Of each label the first 1,000 values are kept apart.
    """
    for sink in _sinks:
        sink(event, amount, labels)


def connect(sink: Sink) -> Callable[[], None]:
    """
    Have a server told of every count, until the function that is returned is called.
    """
    _sinks.append(sink)
    return lambda: _sinks.remove(sink)
