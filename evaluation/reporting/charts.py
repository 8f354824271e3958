"""Small charts as inline SVG, drawn here so that a report needs no other file or library.

Colours are CSS variables of the page, so charts follow its dark and light form.
Text is escaped; values that are not finite are not drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from trefoil.evaluation.metrics.pointwise_metrics import Reliability

Number = int | float
WIDTH = 480  # of the drawing; narrow, so that letters stay legible on a phone
LABEL = 142  # room for names on the left
ROW = 26


@dataclass(frozen=True)
class Bar:
    """One measured value with its interval; ``ours`` is drawn in the accent colour."""

    name: str
    value: Number
    low: Number = math.nan
    high: Number = math.nan
    ours: bool = False


def bars(rows: Sequence[Bar], title: str, digits: int = 3) -> str:
    """Horizontal bars from zero, with 95 % intervals as whiskers and values as text."""
    drawn = [row for row in rows if math.isfinite(row.value)]
    if not drawn:
        return ""
    ends = [row.high if math.isfinite(row.high) else row.value for row in drawn]
    largest = max([*ends, 0.0]) or 1.0
    room = WIDTH - LABEL - 60
    parts = []
    for at, row in enumerate(drawn):
        y = at * ROW + 4
        width = max(row.value, 0.0) / largest * room
        kind = "bar ours" if row.ours else "bar"
        parts.append(
            f'<text class="name" x="{LABEL - 8}" y="{y + 13}" text-anchor="end">'
            f"{escape(row.name)}</text>"
            f'<rect class="{kind}" x="{LABEL}" y="{y}" width="{width:.1f}" height="18" rx="3"/>'
        )
        end = width
        if math.isfinite(row.low) and math.isfinite(row.high):
            left = LABEL + max(row.low, 0.0) / largest * room
            end = row.high / largest * room
            parts.append(
                f'<path class="whisker" d="M{left:.1f} {y + 9}H{LABEL + end:.1f}'
                f'M{left:.1f} {y + 5}v8M{LABEL + end:.1f} {y + 5}v8"/>'
            )
        parts.append(
            f'<text class="value" x="{LABEL + max(end, width) + 8:.1f}" y="{y + 13}">'
            f"{row.value:.{digits}f}</text>"
        )
    return _svg("".join(parts), len(drawn) * ROW + 4, title)


def lines(series: Mapping[str, Sequence[tuple[Number, Number]]], title: str, x_name: str) -> str:
    """Curves over a common x axis, labelled at their ends; points are marked where few."""
    kept = {
        name: [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
        for name, points in series.items()
    }
    kept = {name: points for name, points in kept.items() if points}
    if not kept:
        return ""
    xs = [x for points in kept.values() for x, _ in points]
    ys = [y for points in kept.values() for _, y in points]
    height, left, right, top, bottom = 230, 50, 104, 12, 36
    low, high = _padded(min(ys), max(ys))
    first, last = min(xs), max(max(xs), min(xs) + 1e-9)

    def place(x: Number, y: Number) -> tuple[Number, Number]:
        across = left + (x - first) / (last - first) * (WIDTH - left - right)
        return across, top + (high - y) / (high - low) * (height - top - bottom)

    parts = []
    for tick in ticks(low, high):
        _, y = place(first, tick)
        parts.append(
            f'<path class="grid" d="M{left} {y:.1f}H{WIDTH - right}"/>'
            f'<text class="tick" x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:.4g}</text>'
        )
    for x, anchor in ((first, "start"), (last, "end")):
        parts.append(
            f'<text class="tick" x="{place(x, low)[0]:.1f}" y="{height - 18}" '
            f'text-anchor="{anchor}">{x:g}</text>'
        )
    middle = (left + WIDTH - right) / 2
    parts.append(
        f'<text class="tick" x="{middle}" y="{height - 4}" text-anchor="middle">'
        f"{escape(x_name)}</text>"
    )
    taken: list[Number] = []
    for number, (name, points) in enumerate(kept.items()):
        spots = [place(x, y) for x, y in sorted(points)]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)
        parts.append(f'<path class="line c{number % 6}" d="{path}"/>')
        if len(spots) <= 12:
            parts += [
                f'<circle class="dot c{number % 6}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
                for x, y in spots
            ]
        y = _free(spots[-1][1], taken)
        parts.append(
            f'<text class="end c{number % 6}" x="{spots[-1][0] + 8:.1f}" y="{y + 4:.1f}">'
            f"{escape(name)}</text>"
        )
    return _svg("".join(parts), height, title)


def calibration(found: Reliability, title: str) -> str:
    """Observed share of positives over predicted probability; area of dots by rows."""
    size, left, bottom = 300, 44, 36
    scale = size - bottom - 10

    def place(x: Number, y: Number) -> tuple[Number, Number]:
        return left + x * scale, 10 + (1 - y) * scale

    most = max(int(found.count.max()), 1) if len(found.count) else 1
    (x0, y0), (x1, y1) = place(0, 0), place(1, 1)
    parts = [f'<path class="grid" d="M{x0} {y0}L{x1} {y1}M{x0} {y1}V{y0}H{x1}"/>']
    for tick in (0, 0.5, 1):
        x, y = place(tick, tick)
        parts.append(
            f'<text class="tick" x="{x}" y="{y0 + 16}" text-anchor="middle">{tick:g}</text>'
            f'<text class="tick" x="{x0 - 6}" y="{y + 4}" text-anchor="end">{tick:g}</text>'
        )
    parts.append(
        f'<text class="tick" x="{(x0 + x1) / 2}" y="{size - 2}" text-anchor="middle">'
        "predicted probability</text>"
        f'<text class="tick" x="{x0 + 8}" y="{y1 + 12}">observed share</text>'
    )
    for count, x, y in zip(found.count, found.probability, found.observed, strict=True):
        if count:
            across, up = place(float(x), float(y))
            radius = 3 + 7 * math.sqrt(count / most)
            parts.append(
                f'<circle class="dot c0" cx="{across:.1f}" cy="{up:.1f}" r="{radius:.1f}">'
                f"<title>{int(count)} rows</title></circle>"
            )
    return _svg("".join(parts), size, title, width=size + left)


def ticks(low: Number, high: Number, about: int = 4) -> list[Number]:
    """Round values between two ends."""
    step = 10 ** math.floor(math.log10((high - low) / about))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= about)
    first = math.ceil(low / step)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _padded(low: Number, high: Number) -> tuple[Number, Number]:
    room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return low - room, high + room


def _free(y: Number, taken: list[Number]) -> Number:
    """A height for a label that does not cover an earlier one."""
    while any(abs(y - other) < 14 for other in taken):
        y += 14
    taken.append(y)
    return y


def _svg(inside: str, height: Number, title: str, width: Number = WIDTH) -> str:
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" style="max-width:{1.25 * width:g}px">'
        f"<title>{escape(title)}</title>{inside}</svg>"
    )
