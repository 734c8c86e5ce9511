"""One curve with its ±1σ band, ready to draw."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.model.curve import AXIS, CurveKind
from livepdf_gui.show.ranges import Range, spread, sticky
from livepdf_gui.show.shown import Shown, over
from livepdf_gui.show.state import State

Array = NDArray[np.floating]

_TITLES: dict[CurveKind, str] = {
    "iq": "Scattered intensity I(Q)",
    "gr": "Pair distribution G(r)",
    "dgr": "Difference ΔG(r)",
    "sq": "Structure function S(Q)",
    "fq": "Reduced structure function F(Q)",
}
_LESSONS: dict[CurveKind, str] = {
    "iq": "Scattered intensity per unit of weight against momentum transfer Q: sharp peaks mean "
    "long-range order, broad humps mean small particles or liquid.",
    "gr": "G(r) peaks at every distance r between pairs of atoms, higher where there are more "
    "pairs than on average; the distance where its ripples die out is the size of the ordered "
    "domains.",
    "dgr": "G(r) less that of the pinned reference: up where pairs of atoms came, down where they "
    "went. The band holds the noise of both.",
    "sq": "S(Q) is the scattering per atom divided by that of independent atoms; it tends to 1.",
    "fq": "F(Q) = Q[S(Q) − 1] is what is transformed into G(r).",
}
_OF_R = ("gr", "dgr")
_PHYSICAL_R = 1.2
"""Å; no two atoms are nearer, so what G(r) does below it sets no scale."""


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


def curve_view(
    state: State, shown: Shown, kind: CurveKind, *, before: CurveView | None
) -> CurveView:
    """Resolve state and wishes into one drawable curve; ranges lean on the view before."""
    x, y, sigma = _arrays(state, shown, kind)
    empty = shown.empty or ("" if np.isfinite(y).any() else "This window has no usable pixels.")
    wanted_y = _wanted(kind, x, y, sigma) or (0.0, 1.0)
    wanted_x = spread(x[np.isfinite(y)]) or (0.0, 1.0)
    usable = before if before is not None and not before.empty and before.kind == kind else None
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
    unit = " Å⁻²" if view.kind in _OF_R else ""
    return f"{_where(view, i)}   {AXIS[view.kind][1].split('(')[0]} = {y:.4g}{spread_words}{unit}"


def _where(view: CurveView, i: int) -> str:
    if view.kind in _OF_R:
        return f"r = {view.x[i]:.3f} Å"
    return f"Q = {view.x[i]:.3f} Å⁻¹   d = {2 * np.pi / max(view.x[i], 1e-9):.3f} Å"


def _arrays(state: State, shown: Shown, kind: CurveKind) -> tuple[Array, Array, Array]:
    if shown.result is not None:
        curve = shown.result.curve(kind)
        return curve.x, curve.y, curve.sigma
    if shown.row is not None and state.history is not None:
        history = state.history
        x = history.q if kind == "iq" else history.r
        y = (history.iq if kind == "iq" else history.gr)[shown.row]
        return x, y, np.full(y.shape, np.nan)
    nothing = np.empty(0)
    return nothing, nothing, nothing


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
    if kind in _OF_R:
        return f"band: ±1σ, median σ = {np.median(sigma[finite]):.2g} Å⁻²"
    filled = finite & (y > 0)
    if not filled.any():
        return "band: ±1σ"
    return f"band: ±1σ, median σ/I = {100 * np.median(sigma[filled] / y[filled]):.2g} %"
