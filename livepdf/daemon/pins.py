"""What windows are compared with: a window of a run, or a pattern from a file."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from livepdf.errors import FileError
from livepdf.files.columns import Columns, columns_in, read_columns
from livepdf.model.curve import Curve, Span
from livepdf.numerics.resample import interpolate
from livepdf.reduction.curves import reduce_intensity
from livepdf.reduction.difference import difference
from livepdf.reduction.plan import Plan
from livepdf.sinks.nexus_difference import Reference


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pin:
    """A reference brought onto one plan."""

    words: str
    run: str
    number: int
    """Of the window; -1 for a file."""
    gr: Curve

    def compared(self, span: Span, curves: tuple[Curve, ...]) -> tuple[Curve, ...]:
        """Return the curves with ΔG beside them, with the noise of both.

        A window less itself is nothing without any noise. The curves as they are where the
        reference is on another grid.
        """
        gr = next(curve for curve in curves if curve.kind == "gr")
        if (span.scope, span.run, span.number) == ("window", self.run, self.number):
            nothing = np.where(np.isfinite(gr.y), 0.0, np.nan)
            return (*curves, Curve(kind="dgr", x=gr.x, y=nothing, sigma=nothing))
        try:
            less = difference(gr, self.gr)
        except ValueError:
            return curves
        return (*curves, Curve(kind="dgr", x=gr.x, y=less.y, sigma=less.sigma))

    def reference(self) -> Reference:
        """Return it as it goes to the file."""
        return Reference(words=self.words, time=time.time(), gr=self.gr)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PinnedPattern:
    """I(Q) that every plan makes its own G of."""

    words: str
    run: str
    number: int
    q: np.ndarray
    """(n,) Å⁻¹"""
    intensity: np.ndarray
    sigma: np.ndarray

    def on(self, plan: Plan) -> Pin:
        """Reduce it by a plan; ValueError where that cannot be."""
        intensity, sigma = self.intensity, self.sigma
        if self.q.shape != plan.q.shape or not np.allclose(self.q, plan.q, rtol=0, atol=1e-9):
            intensity, sigma = interpolate(onto=plan.q, q=self.q, intensity=intensity, sigma=sigma)
        curves = reduce_intensity(plan, intensity=intensity, sigma=sigma)
        gr = next(curve for curve in curves if curve.kind == "gr")
        return Pin(words=self.words, run=self.run, number=self.number, gr=gr)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PinnedCurve:
    """G(r) of a file, as somebody reduced it."""

    words: str
    r: np.ndarray
    gr: np.ndarray
    sigma: np.ndarray

    def on(self, plan: Plan) -> Pin:
        """Bring it onto the plan's r; ValueError where it covers nothing of it."""
        values, sigma = interpolate(onto=plan.r, q=self.r, intensity=self.gr, sigma=self.sigma)
        if not np.isfinite(values).any():
            raise ValueError(f"{self.words} covers {self.r[0]:g} to {self.r[-1]:g} Å only")
        curve = Curve(kind="gr", x=plan.r, y=values, sigma=sigma)
        return Pin(words=self.words, run="", number=-1, gr=curve)


Pinned = PinnedPattern | PinnedCurve


def pinned_file(path: Path) -> Pinned:
    """Read a reference: .gr is G(r), anything else I(Q) in the units of the windows.

    Raises
    ------
    FileError
        When it cannot be read or is no such curve.
    """
    return _pinned(read_columns(path), path)


def pinned_text(text: str, *, name: str) -> Pinned:
    """Read what stands in a reference file that somebody sent; raises FileError likewise."""
    path = Path(name or "reference")
    return _pinned(columns_in(text, name=path.name), path)


def _pinned(columns: Columns, path: Path) -> Pinned:
    if np.any(np.diff(columns.x) <= 0):
        raise FileError(f"{path}: the first column does not rise")
    sigma = _sigma(columns)
    if path.suffix.lower() == ".gr":
        return PinnedCurve(words=path.name, r=columns.x, gr=columns.y, sigma=sigma)
    return PinnedPattern(
        words=path.name, run="", number=-1, q=columns.x, intensity=columns.y, sigma=sigma
    )


def _sigma(columns: Columns) -> np.ndarray:
    return np.full(columns.x.shape, np.nan) if columns.sigma is None else columns.sigma


def with_pin(span: Span, curves: Sequence[Curve], pin: Pin | None) -> tuple[Curve, ...]:
    """Return curves compared with another reference, or with none, than they were."""
    plain = tuple(curve for curve in curves if curve.kind != "dgr")
    return plain if pin is None else pin.compared(span, plain)
