"""
The compliance report as one page of HTML: no script, nothing fetched, charts as inline SVG.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template

from ctxfy.core.use_cases.report_use_cases import DayData, KeysData, ReportData


_FOLDER = Path(__file__).parent / "pages"
_WIDTH = 720
_BAR = 22
_LABEL = 210
_MAX_BARS = 12
_MAX_IDS = 20


def report_page(report: ReportData) -> str:
    """
    Write the page; whatever stands in the report is text in it.
    """
    events, keys, trail = report["events"], report["keys"], report["trail"]
    refused = sum(events["failures_by_reason"].values())
    live = sum(keys["live_by_scope"].values())
    template = Template((_FOLDER / "report.html").read_text(encoding="utf-8"))
    return template.substitute(
        style=page_style(),
        since=_moment(report["period"]["since"]),
        until=_moment(report["period"]["until"]),
        verdict="good" if trail["valid"] else "bad",
        verdict_text=_verdict(report),
        faults=_items(
            f"Chain {fault['chain']}, event {fault['seq']}: {fault['reason']}."
            for fault in trail["faults"]
        ),
        events=f"{events['count']:,}",
        refused=f"{refused:,}",
        live=f"{live:,}",
        acts=f"{sum(report['administrative_acts_by_action'].values()):,}",
        days=_days(events["by_day"]),
        failures=_bars(events["failures_by_reason"], "bad"),
        actions=_bars(events["by_action"], "one"),
        ages=_ages(keys["live_by_age"]),
        look=_look(keys),
        actors=_table(("who", "acts"), report["administrative_acts"].items()),
        kinds=_table(("act", "times"), report["administrative_acts_by_action"].items()),
        erasures=_items(_moment(at) for at in report["erasures"]) or _nothing(),
        controls=_table(
            ("control", "what it asks", "what the report shows", "state"),
            (
                (each["control"], each["title"], each["shown_by"], each["state"])
                for each in report["controls"]
            ),
        ),
    )


def page_style() -> str:
    """
    Read the looks of the page, which are in it.
    """
    return (_FOLDER / "report.css").read_text(encoding="utf-8")


def page_policy() -> str:
    """
    Name the page's style in the form a content security policy allows it by (CSP3, section 8.4).
    """
    digest = b64encode(sha256(page_style().encode()).digest()).decode()
    return f"style-src 'sha256-{digest}'"


def _verdict(report: ReportData) -> str:
    trail = report["trail"]
    if trail["valid"]:
        return (
            f"The trail is whole: {trail['events']:,} events in {trail['chains']:,} chains are as"
            " they were written."
        )
    return f"The trail is not as it was written: {len(trail['faults'])} chains have a fault."


def _days(days: Sequence[DayData]) -> str:
    if not days:
        return _nothing()
    top = max(day["ok"] + day["refused"] for day in days)
    step = _WIDTH / len(days)
    parts = list[str]()
    for number, day in enumerate(days):
        good, bad = (round(180 * day[kind] / top, 1) for kind in ("ok", "refused"))
        tip = f"{day['day']}: {day['ok']:,} done, {day['refused']:,} refused"
        x, width = round(number * step + step * 0.1, 1), round(min(step * 0.8, 60), 1)
        parts.append(
            f"<g><title>{escape(tip)}</title>"
            f'<rect class="one" x="{x}" y="{190 - good:.1f}" width="{width}" height="{good}"/>'
            f'<rect class="bad" x="{x}" y="{190 - good - bad:.1f}" width="{width}" '
            f'height="{bad}"/></g>'
        )
    first, last = days[0]["day"], days[-1]["day"]
    parts.append(f'<text x="0" y="210">{escape(first)}</text>')
    if len(days) > 1:
        parts.append(f'<text x="{_WIDTH}" y="210" text-anchor="end">{escape(last)}</text>')
    parts.append(f'<text x="{_WIDTH}" y="12" text-anchor="end">most in a day: {top:,}</text>')
    return _svg(215, "Events by day", parts)


def _bars(counts: Mapping[str, int], kind: str) -> str:
    if not counts:
        return _nothing()
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    if len(ranked) > _MAX_BARS:
        rest = sum(count for _, count in ranked[_MAX_BARS - 1 :])
        ranked = [*ranked[: _MAX_BARS - 1], ("all others", rest)]
    top = max(count for _, count in ranked) or 1
    parts = [
        part
        for number, (name, count) in enumerate(ranked)
        for part in _bar(number, name, [(kind, count)], top, f"{count:,}")
    ]
    return _svg(len(ranked) * (_BAR + 6), "Numbers by name", parts)


def _ages(ages: Mapping[str, Mapping[str, int]]) -> str:
    totals = {name: sum(counts.values()) for name, counts in ages.items()}
    top = max(totals.values(), default=0)
    if not top:
        return _nothing()
    scopes = {"read": "one", "write": "two", "admin": "three"}
    parts = [
        part
        for number, (name, counts) in enumerate(ages.items())
        for part in _bar(
            number,
            name,
            [(kind, counts.get(scope, 0)) for scope, kind in scopes.items()],
            top,
            ", ".join(f"{count} {scope}" for scope, count in counts.items()) or "none",
        )
    ]
    return _svg(len(ages) * (_BAR + 6), "Live keys by age and scope", parts)


def _bar(
    number: int, name: str, shares: Sequence[tuple[str, int]], top: int, told: str
) -> list[str]:
    y = number * (_BAR + 6)
    middle = y + _BAR - 6
    room = _WIDTH - _LABEL - 170
    parts = [f'<text x="{_LABEL - 10}" y="{middle}" text-anchor="end">{escape(name)}</text>']
    x = float(_LABEL)
    for kind, count in shares:
        width = round(room * count / top, 1)
        if width:
            parts.append(f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{_BAR}"/>')
        x += width
    return [*parts, f'<text x="{x + 8:.1f}" y="{middle}">{escape(told)}</text>']


def _svg(height: int, name: str, parts: Iterable[str]) -> str:
    drawn = "\n".join(parts)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(name)}">\n'
        f"{drawn}\n</svg>"
    )


def _look(keys: KeysData) -> str:
    named = {
        "never used": keys["never_used"],
        "older than 90 days": keys["older_than_90_days"],
        "without an end": keys["without_expiry"],
        "under an older pepper": keys["under_old_pepper"],
    }
    return _table(
        ("live keys that are", "number", "their ids"),
        ((name, len(ids), _some(ids)) for name, ids in named.items()),
    )


def _some(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:_MAX_IDS])
    return f"{shown}, and {len(ids) - _MAX_IDS} more" if len(ids) > _MAX_IDS else shown


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [
        "<tr>" + "".join(f"<td>{escape(_cell(value))}</td>" for value in row) + "</tr>"
        for row in rows
    ]
    if not lines:
        return _nothing()
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "\n".join(lines).replace("<td>look</td>", '<td class="look">look</td>')
    table = f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    return f'<div class="table">{table}</div>'


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _items(texts: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>{items}</ul>" if items else ""


def _nothing() -> str:
    return '<p class="none">None in this period.</p>'


def _moment(moment: str) -> str:
    return f"{moment[:10]} {moment[11:16]} UTC"
