"""Whether what the fit misses lasts from window to window: noise does not."""

import math
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from livepdf.analysis.declared import ALL_WINDOWS, STRUCTURE, STRUCTURE_FOUND, Declared
from livepdf.analysis.estimator.estimate import Left

CHI2 = "reduced χ²"
LASTING_CHI2 = "lasting χ²"

LASTING = Declared(
    name="lasting misfit",
    gives=(LASTING_CHI2, "an event"),
    takes=(STRUCTURE_FOUND, ALL_WINDOWS),
    needs=(STRUCTURE,),
    cost=0.1,
)
_WINDOWS = 16
_FEWEST = 4
"""Windows whose mean is compared; it grows from these to `_WINDOWS`."""
_SEEN = 10.0
"""Norm of what the crystals describe, in σ, below which a window says nothing about them."""
_CHANCE = 5.0
"""σ, twice in a row, that noise does not reach."""
_CONSECUTIVE = 2
_SHARE = 0.02
"""Of what the crystals describe: with photons enough, every model misses something. A smooth sphere
misses 0.003 of one made of atoms (SnO2, lasting χ² 2.3 at 1e9 photons) and conversion is as good;
the demo misses 0.014 where it reaches 5 σ, with size and conversion within 1 %; sizes that are
spread by 0.25 miss 0.03 and move conversion by 0.06."""
_WELL = 0.5
"""Part of the evidence below which it is well again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasts:
    """What one more window says; NaN where there is a reason."""

    value: float = math.nan
    """Reduced χ² of the mean: 1 where nothing but noise is left."""
    sigma: float = math.nan
    """By which chance moves it."""
    missed: float = math.nan
    """What lasts, as a part of what the crystals describe (both rms)."""
    reason: str = ""
    words: str = ""
    """What is told to people, once until it has been well again."""


class Lasting:
    """Reduced χ² of the mean of what the last fits left.

    A pattern that every window misses alike adds up over N of them, noise does not: where that of
    each is 1 + e, that of their mean is 1 + N·e.
    """

    def __init__(self) -> None:
        self._kept: deque[Left] = deque(maxlen=_WINDOWS)
        self._above = 0
        self._told = False

    def add(self, left: Left) -> Lasts:
        """Take what the fit of the next good window leaves."""
        if not left.described > _SEEN:
            return Lasts(reason="too little crystalline signal")
        self._kept.append(left)
        if len(self._kept) < _FEWEST:
            return Lasts(reason=f"learning: {len(self._kept)} of {_FEWEST} windows")
        found = lasts(self._kept)
        return replace(found, words=self._words(found))

    @property
    def speaks(self) -> bool:
        """Whether it was told and has not been well again."""
        return self._told

    def _words(self, found: Lasts) -> str:
        over = found.value - 1.0
        tells = over > _CHANCE * found.sigma and found.missed > _SHARE
        self._above = self._above + 1 if tells else 0
        if over < _WELL * _CHANCE * found.sigma:
            self._told = False
        if self._told or self._above < _CONSECUTIVE:
            return ""
        self._told = True
        return (
            f"what the structure misses is the same in {len(self._kept)} windows (χ² of their mean "
            f"{found.value:.1f}): sizes and conversion may be off by more than their σ"
        )


def lasts(windows: Collection[Left]) -> Lasts:
    r"""Return the reduced χ² of the mean of what some fits left.

    .. math::
        \frac{|z|^2}{s\,(1 + c/m)}, \quad z = \sum_w a_w e_w, \quad
        s = \frac{\sum_w |e_w|^2 - |z|^2}{N - 1}, \quad c = \sum_k (\sum_w a_w c_{wk})^2

    Windows e_w count as what they describe, with Σa² = 1, as a misfit of the crystals grows with
    them. What scatters from window to window, s, is the noise: wrong σ and points that are
    correlated by split pixels move both and raise no alarm (an F test; its σ is then up to a
    fifth too small). c is the noise of the references, over m waves: it lasts, but σ know it.

    Parameters
    ----------
    windows
        Two or more, all with as many waves.
    """
    rows = np.array([left.waves for left in windows])
    described = np.array([left.described for left in windows])
    weights = described / np.linalg.norm(described)
    mean = weights @ rows
    square = float(mean @ mean)
    scatter = (float(np.sum(rows**2)) - square) / (len(rows) - 1)
    freedom = float(np.mean([left.freedom for left in windows]))
    common = weights @ np.array([left.common for left in windows])
    expected = scatter * (1.0 + float(common @ common) / rows.shape[1])
    if not (freedom >= 1.0 and expected > 0.0):
        return Lasts(reason="too few points of F(Q) have a value")
    return Lasts(
        value=square / expected,
        sigma=math.sqrt(2.0 / freedom * (1.0 + 1.0 / (len(rows) - 1))),
        missed=math.sqrt(max(square - expected, 0.0)) / float(np.linalg.norm(described)),
    )
