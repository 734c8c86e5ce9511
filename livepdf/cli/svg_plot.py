"""Curves as an SVG picture, which every browser shows: no plotting library is needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_WIDTH, _HEIGHT = 900, 520
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 20, 40, 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """One curve."""

    name: str
    x: Floats
    """(n,)"""
    y: Floats
    """(n,)"""
    colour: str


def svg_plot(lines: Sequence[Line], *, title: str, x_label: str, y_label: str) -> str:
    """Return the text of an SVG with all curves on common axes."""
    x_range = _range([line.x for line in lines], margin=0.0)
    y_range = _range([line.y for line in lines], margin=0.04)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="14">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{_LEFT}" y="24" font-size="16">{escape(title)}</text>',
        *_axes(x_range, y_range, x_label, y_label),
    ]
    for number, line in enumerate(lines):
        across = _across(line.x, x_range)
        up = _up(line.y, y_range)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, up, strict=True))
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{line.colour}" stroke-width="1.3"/>'
        )
        height = _TOP + 18 * (number + 1)
        parts.append(
            f'<text x="{_WIDTH - _RIGHT - 8}" y="{height}" text-anchor="end" '
            f'fill="{line.colour}">{escape(line.name)}</text>'
        )
    return "\n".join([*parts, "</svg>\n"])


def _range(values: Sequence[Floats], *, margin: float) -> tuple[float, float]:
    low = min(float(np.nanmin(v)) for v in values)
    high = max(float(np.nanmax(v)) for v in values)
    more = margin * (high - low) or (0.0 if high > low else 1.0)
    return low - more, high + more


def _across(x: Floats, limits: tuple[float, float]) -> Floats:
    low, high = limits
    return np.asarray(_LEFT + (x - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT))


def _up(y: Floats, limits: tuple[float, float]) -> Floats:
    low, high = limits
    return np.asarray(_HEIGHT - _BOTTOM - (y - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM))


def _axes(
    x_range: tuple[float, float], y_range: tuple[float, float], x_label: str, y_label: str
) -> list[str]:
    low, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    parts = [
        f'<path d="M{_LEFT},{_TOP} V{low} H{right}" fill="none" stroke="black"/>',
        f'<text x="{(_LEFT + right) / 2}" y="{_HEIGHT - 15}" text-anchor="middle">'
        f"{escape(x_label)}</text>",
        f'<text transform="translate(20,{(_TOP + low) / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_label)}</text>",
    ]
    for value in _ticks(*x_range):
        place = float(_across(np.array([value]), x_range)[0])
        parts.append(f'<path d="M{place:.1f},{low} v5" stroke="black"/>')
        parts.append(f'<text x="{place:.1f}" y="{low + 20}" text-anchor="middle">{value:g}</text>')
    for value in _ticks(*y_range):
        place = float(_up(np.array([value]), y_range)[0])
        parts.append(f'<path d="M{_LEFT},{place:.1f} h-5" stroke="black"/>')
        parts.append(
            f'<text x="{_LEFT - 9}" y="{place + 5:.1f}" text-anchor="end">{value:g}</text>'
        )
    return parts


def _ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 6.0
    power = 10.0 ** np.floor(np.log10(rough))
    step = float(power * next(m for m in (1.0, 2.0, 5.0, 10.0) if m * power >= rough))
    return [round(k * step, 10) for k in range(int(np.ceil(low / step)), int(high / step) + 1)]
