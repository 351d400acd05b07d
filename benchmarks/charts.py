"""
Charts of lines as SVG, for pages: no script, no fonts, and colours that suit light and dark.
"""

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape


type Line = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 40, 50
COLOURS = ("#2f6fde", "#d1562f", "#2e9b5b", "#9757c9", "#b98a1a", "#777f88")
STEPS = 5
SPACE = 'xmlns="http://www.w3.org/2000/svg"'
STYLE = 'role="img" font-family="sans-serif" font-size="12" fill="#777f88"'


def line_chart(title: str, x_name: str, y_name: str, lines: Mapping[str, Line]) -> str:
    """
    Draw named lines over a logarithmic x axis; y begins at zero.
    """
    points = [point for line in lines.values() for point in line]
    left, right = (math.log10(edge([x for x, _ in points])) for edge in (min, max))
    top = _round_up(max(y for _, y in points))

    def place(x: float, y: float) -> tuple[float, float]:
        share = (math.log10(x) - left) / ((right - left) or 1)
        across = LEFT + share * (WIDTH - LEFT - RIGHT)
        return round(across, 1), round(HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM), 1)

    parts = [
        f'<svg {SPACE} viewBox="0 0 {WIDTH} {HEIGHT}" {STYLE} aria-label="{escape(title)}">',
        _text(LEFT, TOP - 18, title, "start", 'font-size="14" font-weight="600"'),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x_name),
        _text(LEFT, TOP - 3, y_name, "start"),
    ]
    for step in range(STEPS + 1):
        across, up = place(10**left, top * step / STEPS)
        parts.append(
            f'<path d="M{across} {up}H{WIDTH - RIGHT}" stroke="#777f88" stroke-opacity=".3"/>'
        )
        parts.append(_text(across - 6, up + 4, f"{top * step / STEPS:,.6g}", "end"))
    for x in sorted({x for x, _ in points}):
        across, up = place(x, 0)
        parts.append(_text(across, up + 18, f"{x:,.6g}"))
    for number, (name, line) in enumerate(lines.items()):
        parts += _drawn(name, [place(*point) for point in line], number)
    return "\n".join([*parts, "</svg>", ""])


def _drawn(name: str, places: Line, number: int) -> list[str]:
    colour = COLOURS[number % len(COLOURS)]
    path = "M" + "L".join(f"{across} {up}" for across, up in places)
    up = TOP + 10 + 20 * number
    return [
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{across}" cy="{up}" r="3" fill="{colour}"/>' for across, up in places),
        f'<path d="M{WIDTH - RIGHT + 12} {up}h18" stroke="{colour}" stroke-width="3"/>',
        _text(WIDTH - RIGHT + 36, up + 4, name, "start"),
    ]


def _text(across: float, up: float, text: str, anchor: str = "middle", more: str = "") -> str:
    return f'<text x="{across}" y="{up}" text-anchor="{anchor}" {more}>{escape(text)}</text>'


def _round_up(value: float) -> float:
    unit = 10.0 ** math.floor(math.log10(value))
    return next(unit * step for step in (1, 2, 2.5, 5, 10) if unit * step >= value)
