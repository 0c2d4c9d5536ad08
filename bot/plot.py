"""How is a family of curves drawn without a library?

Log-log panels side by side as one SVG text: enough for a coverage chart, and nothing more.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

COLOURS = ("#1b6ca8", "#2a9d5c", "#8e44ad", "#d35400", "#7f8c8d", "#c0392b")
WIDTH, HEIGHT = 330, 280
LEFT, TOP, BOTTOM, GAP = 52, 34, 64, 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One chart.

    Attributes:
        title: Above it.
        curves: Points ``(x, y)`` by name, both > 0; the same names in every panel.
        thin_below: Left of this x the sample is thin and the background grey.
    """

    title: str
    curves: Mapping[str, Sequence[tuple[float, float]]]
    thin_below: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """Shared by all panels; both logarithmic.

    Attributes:
        x: Smallest and largest.
        y: Smallest and largest; what lies beyond is drawn at the edge.
        x_ticks: Values and their labels.
        y_ticks: Values and their labels.
        x_label: Below.
        y_label: At the left.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    x_ticks: Mapping[float, str]
    y_ticks: Mapping[float, str]
    x_label: str
    y_label: str


def svg(panels: Sequence[Panel], axes: Axes) -> str:
    """Return a drawing of panels side by side with one legend below.

    Raises:
        ValueError: If a point or an end of an axis is not positive and finite.
    """
    total = len(panels) * (WIDTH + LEFT + GAP)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" '
            f'height="{TOP + HEIGHT + BOTTOM}" font-family="sans-serif" font-size="11">'
        ),
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, axes, left=number * (WIDTH + LEFT + GAP) + LEFT)
    names = list(panels[0].curves) if panels else []
    for number, name in enumerate(names):
        x, y = LEFT + number * 150, TOP + HEIGHT + BOTTOM - 12
        parts += [
            (
                f'<path d="M{x} {y - 4}h22" stroke="{COLOURS[number % len(COLOURS)]}" '
                'stroke-width="2"/>'
            ),
            f'<text x="{x + 28}" y="{y}">{escape(name)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, axes: Axes, *, left: int) -> list[str]:
    def across(x: float) -> float:
        return left + WIDTH * _share(x, axes.x)

    def down(y: float) -> float:
        return TOP + HEIGHT * (1 - _share(y, axes.y))

    floor = TOP + HEIGHT
    parts = [
        f'<text x="{left}" y="{TOP - 12}" font-weight="bold">{escape(panel.title)}</text>',
        (
            f'<rect x="{left}" y="{TOP}" width="{across(panel.thin_below) - left:.1f}" '
            f'height="{HEIGHT}" fill="#eee"/>'
        ),
    ]
    for value, label in axes.x_ticks.items():
        at = across(value)
        parts += [
            f'<path d="M{at:.1f} {TOP}V{floor}" stroke="#ddd"/>',
            f'<text x="{at:.1f}" y="{floor + 14}" text-anchor="middle">{escape(label)}</text>',
        ]
    for value, label in axes.y_ticks.items():
        at = down(value)
        colour = "#000" if value == 1 else "#ddd"
        parts += [
            f'<path d="M{left} {at:.1f}h{WIDTH}" stroke="{colour}"/>',
            f'<text x="{left - 5}" y="{at + 4:.1f}" text-anchor="end">{escape(label)}</text>',
        ]
    for number, points in enumerate(panel.curves.values()):
        path = " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in points)
        colour = COLOURS[number % len(COLOURS)]
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
        )
    middle = TOP + HEIGHT // 2
    return [
        *parts,
        (
            f'<text x="{left + WIDTH // 2}" y="{floor + 30}" text-anchor="middle">'
            f"{escape(axes.x_label)}</text>"
        ),
        (
            f'<text x="{left - 38}" y="{middle}" text-anchor="middle" '
            f'transform="rotate(-90 {left - 38} {middle})">{escape(axes.y_label)}</text>'
        ),
    ]


def _share(value: float, ends: tuple[float, float]) -> float:
    """Return where a value lies on a logarithmic axis, kept on it."""
    for one in (value, *ends):
        if not (math.isfinite(one) and one > 0):
            raise ValueError(f"logarithmic axes need numbers > 0, had {one}")
    low, high = (math.log(end) for end in ends)
    return min(1.0, max(0.0, (math.log(value) - low) / (high - low)))
