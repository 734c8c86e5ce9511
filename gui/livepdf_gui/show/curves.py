"""One curve with its ±1σ band and what it is compared with, ready to draw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.model.curve import AXIS, CurveKind
from livepdf_gui.show.ranges import Range, spread, sticky
from livepdf_gui.show.reference import Comparison, Reference, compare
from livepdf_gui.show.shown import Shown, over
from livepdf_gui.show.state import State

Array = NDArray[np.floating]

_TITLES: dict[str, str] = {
    "iq": "Scattered intensity I(Q)",
    "gr": "Pair distribution G(r)",
    "dgr": "Difference ΔG(r)",
    "sq": "Structure function S(Q)",
    "fq": "Reduced structure function F(Q)",
}
_LESSONS: dict[str, str] = {
    "iq": "Scattered intensity per unit of weight against momentum transfer Q: sharp peaks mean "
    "long-range order, broad humps mean small particles or liquid.",
    "gr": "G(r) peaks at every distance r between pairs of atoms, higher where there are more "
    "pairs than on average; the distance where its ripples die out is the size of the ordered "
    "domains.",
    "dgr": "G(r) less that of the pinned reference: up where pairs of atoms came, down where they "
    "went. The band holds the noise of both.",
    "sq": "S(Q) is the scattering per atom divided by that of independent atoms; it tends to 1 at "
    "high Q, and noise grows there.",
    "fq": "F(Q) = Q[S(Q) − 1] is what is transformed into G(r): it should swing about 0, without "
    "a slope.",
}
_UNITS: dict[str, str] = {
    "iq": " counts/weight",
    "sq": "",
    "fq": " Å⁻¹",
    "gr": " Å⁻²",
    "dgr": " Å⁻²",
}
_OF_R = ("gr", "dgr")
_PHYSICAL_R = 1.2
"""Å; no two atoms are nearer, so what G(r) does below it sets no scale."""
_MOST_MARKERS = 40
_HEADROOM = 0.25
"""Share of the height that stays free for the words of markers above the curve."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CurveView:
    """What a curve panel draws."""

    kind: CurveKind
    title: str
    lesson: str
    over: str
    """What the curve accumulates over."""
    sigma_words: str
    x: Array
    y: Array
    sigma: Array
    x_range: Range
    y_range: Range
    empty: str
    """Said instead of the curve where there is none."""
    compared: tuple[Comparison, ...] = ()
    """References on the same axes; the difference to the last one is drawn below."""
    difference_range: Range = (-1.0, 1.0)
    markers: tuple[tuple[float, str], ...] = ()
    """Bond lengths or reflections of structures, with a word each."""
    wavelength: float = float("nan")
    """Å, for 2θ under the cursor."""


def curve_view(
    state: State,
    shown: Shown,
    kind: CurveKind,
    *,
    before: CurveView | None,
    references: Sequence[Reference] = (),
) -> CurveView:
    """Resolve state and wishes into one drawable curve; ranges lean on the view before."""
    x, y, sigma = curve_arrays(state, shown, kind, references)
    empty = shown.empty or ("" if np.isfinite(y).any() else _why_none(kind))
    wanted_y = _wanted(kind, x, y, sigma) or (0.0, 1.0)
    wanted_x = spread(x[np.isfinite(y)]) or (0.0, 1.0)
    usable = before if before is not None and not before.empty and before.kind == kind else None
    found = (compare(each, kind, x=x, y=y, sigma=sigma) for each in references)
    compared = tuple(one for one in found if one is not None)
    below = _wanted(kind, x, compared[-1].difference, sigma) if compared else None
    markers = _markers(kind, references, wanted_x)
    if any(words for _, words in markers):
        wanted_y = (wanted_y[0], wanted_y[1] + _HEADROOM * (wanted_y[1] - wanted_y[0]))
    return CurveView(
        kind=kind,
        title=_TITLES[kind],
        lesson=_LESSONS[kind],
        over=over(shown.span),
        sigma_words="" if empty else _sigma_words(shown, kind, y, sigma),
        x=x,
        y=y,
        sigma=sigma,
        x_range=_edges(usable.x_range if usable else None, wanted_x),
        y_range=sticky(usable.y_range if usable else None, wanted_y),
        empty=empty,
        compared=compared,
        difference_range=sticky(
            usable.difference_range if usable and usable.compared else None, below or (-1.0, 1.0)
        ),
        markers=markers,
        wavelength=state.angles.wavelength if state.angles is not None else float("nan"),
    )


def readout(view: CurveView, x: float) -> str:
    """Tell the values under the cursor."""
    if view.empty or not view.x.size or not view.x[0] <= x <= view.x[-1]:
        return ""
    i = int(np.abs(view.x - x).argmin())
    y, sigma = view.y[i], view.sigma[i]
    if not np.isfinite(y):
        return f"{_where(view, i)}   masked: no pixel"
    spread_words = f" ± {sigma:.2g}" if np.isfinite(sigma) else ""
    words = f"{_where(view, i)}   {_symbol(view.kind)} = {y:.4g}{spread_words}{_UNITS[view.kind]}"
    for one in view.compared[-1:]:
        if np.isfinite(one.difference[i]):
            words += f"   less {one.name}: {one.difference[i]:.3g}"
    return words


def curve_arrays(
    state: State, shown: Shown, kind: CurveKind, references: Sequence[Reference] = ()
) -> tuple[Array, Array, Array]:
    """Return x, y and σ of what is shown; empty where there is no such curve."""
    if shown.result is not None:
        for curve in shown.result.curves:
            if curve.kind == kind:
                return curve.x, curve.y, curve.sigma
        if kind == "dgr":
            return _own_difference(state, shown, references)
    elif shown.row is not None and state.history is not None:
        source: CurveKind = "fq" if kind == "sq" else "gr" if kind == "dgr" else kind
        layer = state.history.layers.get(source)
        row = None if layer is None else layer.row(shown.row)
        if layer is not None and row is not None:
            y = row if kind != "sq" else 1.0 + row / np.maximum(layer.x, 1e-9)
            return layer.x, y, np.full(y.shape, np.nan)
    nothing = np.empty(0)
    return nothing, nothing, nothing


def _own_difference(
    state: State, shown: Shown, references: Sequence[Reference]
) -> tuple[Array, Array, Array]:
    """Return ΔG to the last reference here, where the daemon compares with none."""
    x, y, sigma = curve_arrays(state, shown, "gr")
    for reference in reversed(references):
        one = compare(reference, "gr", x=x, y=y, sigma=sigma)
        if one is not None:
            return x, one.difference, one.sigma
    nothing = np.empty(0)
    return nothing, nothing, nothing


def _symbol(kind: CurveKind) -> str:
    return AXIS[kind][1].split("(")[0].strip()


def _why_none(kind: CurveKind) -> str:
    if kind in ("sq", "fq"):
        return "Nothing for this window: the recipe's qmin to qmax holds no usable point."
    if kind == "dgr":
        return "Nothing to compare with: press P to pin the window that is shown."
    return "This window has no usable pixels."


def _where(view: CurveView, i: int) -> str:
    x = float(view.x[i])
    if view.kind in _OF_R:
        return f"r = {x:.3f} Å"
    words = f"Q = {x:.3f} Å⁻¹   d = {2 * np.pi / max(x, 1e-9):.3f} Å"
    sine = x * view.wavelength / (4 * np.pi)
    if 0.0 < sine < 1.0:
        words += f"   2θ = {np.degrees(2 * np.arcsin(sine)):.3f}°"
    return words


def _markers(
    kind: CurveKind, references: Sequence[Reference], within: Range
) -> tuple[tuple[float, str], ...]:
    if kind in _OF_R:
        all_of = [mark for each in references for mark in each.bonds]
    else:
        all_of = [(q, "") for each in references for q in each.lines]
    inside = [mark for mark in all_of if within[0] <= mark[0] <= within[1]]
    marks = sorted(inside[:_MOST_MARKERS])
    before = ["", *(words for _, words in marks)]
    # of neighbours with the same word the first one tells it
    return tuple((x, "" if w == old else w) for (x, w), old in zip(marks, before, strict=False))


def _wanted(kind: CurveKind, x: Array, y: Array, sigma: Array) -> Range | None:
    room = np.where(np.isfinite(sigma), sigma, 0.0)
    if kind not in _OF_R:
        return spread(np.concatenate([y - room, y + room]), below=0.2, above=99.9)
    far = slice(int(np.searchsorted(x, _PHYSICAL_R)), None)
    both = np.concatenate([(y - room)[far], (y + room)[far]])
    return spread(both, below=0.02, above=99.98) or spread(y)


def _edges(old: Range | None, wanted: Range) -> Range:
    """Keep the x axis as it is unless the grid changed; the data fill it from edge to edge."""
    slack = 0.02 * (wanted[1] - wanted[0])
    if old is not None and all(abs(o - w) <= slack for o, w in zip(old, wanted, strict=True)):
        return old
    return wanted


def _sigma_words(shown: Shown, kind: CurveKind, y: Array, sigma: Array) -> str:
    finite = np.isfinite(sigma) & np.isfinite(y)
    if not finite.any():
        return "fetching σ …" if shown.fetch is not None else "σ unknown"
    if kind != "iq":
        return f"band: ±1σ, median σ = {np.median(sigma[finite]):.2g}{_UNITS[kind]}"
    filled = finite & (y > 0)
    if not filled.any():
        return "band: ±1σ"
    return f"band: ±1σ, median σ/I = {100 * np.median(sigma[filled] / y[filled]):.2g} %"
