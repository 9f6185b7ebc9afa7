"""A plot of what a request costs, as SVG: bars from zero, one group for each work."""

from collections.abc import Sequence
from html import escape

from benchmarks.session import Results
from benchmarks.summary import Line, compared

SHOWN = (("1", "Ordinate"), ("1,000", "Ordinate"), ("1 by name", "Ordinate, table"))
WIDTH, LEFT, RIGHT, BAR, GAP, TITLE = 760, 170, 90, 16, 5, 42

_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-weight:600}"
    ".ours{fill:#1f6feb}.theirs{fill:#8c959f}"
)


def draw(results: Results) -> str:
    """The whole picture."""
    parts, top = list[str](), 8
    for work, ours in SHOWN:
        found = compared(results, work, ours)
        if found:
            parts += _group(f"Rows in one request: {work}", found, top)
            top += TITLE + len(found) * (BAR + GAP)
    size = f'width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}"'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    title = "<title>CPU of the service for one request, as a multiple of Ordinate's</title>"
    paper = f'<rect width="{WIDTH}" height="{top}" fill="#fff"/>'
    return "\n".join([start, title, f"<style>{_STYLE}</style>", paper, *parts, "</svg>", ""])


def _group(title: str, found: Sequence[Line], top: int) -> list[str]:
    most = max(line.microseconds for line in found)
    name = f'<text class="title" x="8" y="{top + 22}">{escape(title)}</text>'
    first = top + TITLE - 10
    bars = [_bar(line, first + place * (BAR + GAP), most) for place, line in enumerate(found)]
    return [name, *bars]


def _bar(line: Line, y: int, most: float) -> str:
    width = line.microseconds / most * (WIDTH - LEFT - RIGHT)
    kind = "ours" if line.service.startswith("Ordinate") else "theirs"
    told = "1" if line.times is None else f"{line.times.median:.2g} times"
    base = y + BAR - 4
    return (
        f'<text x="{LEFT - 8}" y="{base}" text-anchor="end">{escape(line.service)}</text>'
        f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}"/>'
        f'<text x="{LEFT + width + 6:.1f}" y="{base}">{told}</text>'
    )
