"""Measured references as columns of the fit: blanks over temperature, precursor, free atoms."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.band_limit import Limited, limited
from livepdf.numerics.ramp import MOST_COMPONENTS, build_ramp

Floats = NDArray[np.float64]

SOLVENT_REACH = 24.0
"""Å; no order of a solvent or a glass reaches further."""
PRECURSOR_REACH = 36.0
"""Å; nor that of what is dissolved in it. Too short does more harm than too long: 12 Å breaks
what is measured at low energy, where halos are sharp."""
ENOUGH_FRAMES = 20
"""Fewer cold frames make a precursor whose noise is seen as a step when the heater goes on."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recorded:
    """One reference as it was recorded."""

    intensity: Floats
    """(n_q,) in the unit of the samples' patterns; NaN where a bin is empty."""
    sigma: Floats
    """(n_q,) NaN where unknown."""
    frames: int = 0
    """How many frames are in it, 0 where unknown."""
    temperature: float = float("nan")
    """Of blanks, in the unit of all the others."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """What may be in every pattern by an amount that is fitted."""

    name: str
    intensity: Floats
    """(n_q,) in the unit of the samples' patterns."""
    noise: Floats
    """(k, n_q) L with LᵀL the covariance that the recording left in it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class References:
    """All references of a run."""

    q: Floats
    """(n_q,) Å⁻¹"""
    columns: tuple[Column, ...]
    doubts: tuple[str, ...]
    """What makes them worse than they could be, in words."""

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each column."""
        return tuple(column.name for column in self.columns)

    def nuisances(self, *, gain: Floats) -> Floats:
        """Return the columns on the scale of F(Q), (k, n_q).

        Parameters
        ----------
        gain : (n_q,) float64
            What turns intensity into F: scale × Q/⟨f⟩².
        """
        rows = [column.intensity * gain for column in self.columns]
        return np.array(rows).reshape(len(rows), self.q.size)

    def noises(self, *, gain: Floats) -> tuple[Floats, ...]:
        """Return of each column L, (m, n_q), with LᵀL its covariance on the scale of F(Q)."""
        return tuple(column.noise * gain for column in self.columns)


def build_references(
    *,
    q: Floats,
    precursors: Sequence[Recorded] = (),
    blanks: Sequence[Recorded] = (),
    free_atoms: Floats | None = None,
    precursor_reach: float = PRECURSOR_REACH,
    solvent_reach: float = SOLVENT_REACH,
    components: int = MOST_COMPONENTS,
) -> References:
    """Make columns of what was recorded.

    Blanks at two or more temperatures become their mean and those kinds of change that stand
    above noise. Every one is freed of the oscillations that no distance in it can have made: what
    noise stays in a column is common to all windows, and whatever adds up over windows, as the
    search for an onset does, adds it up too.

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹, equidistant
    precursors : of the solution before the reaction, and of intermediates, each a column
    blanks : cell and solvent; ValueError when some have a temperature and others have none
    free_atoms : (n_q,) float64, optional
        ⟨f²⟩ + Compton of the sample: known, hence without noise.
    precursor_reach, solvent_reach : float, Å
        Longest distance in each.
    components : int
        At most so many kinds of change of the blanks.
    """
    columns: list[Column] = []
    for number, recorded in enumerate(precursors, 1):
        name = "precursor" if len(precursors) == 1 else f"precursor {number}"
        columns.append(_column(name, _filtered(q, recorded, precursor_reach)))
    columns += _solvent(q, blanks, reach=solvent_reach, components=components)
    if free_atoms is not None:
        none = np.empty((0, q.size))
        columns.append(Column(name="free atoms", intensity=free_atoms, noise=none))
    doubts = [
        f"the precursor is the mean of {recorded.frames} frames: record {ENOUGH_FRAMES} or more"
        for recorded in precursors
        if 0 < recorded.frames < ENOUGH_FRAMES
    ]
    if len(blanks) == 1:
        doubts.append("one blank alone: while the sample heats, record blanks along the ramp")
    return References(q=q, columns=tuple(columns), doubts=tuple(doubts))


def _solvent(
    q: Floats, blanks: Sequence[Recorded], *, reach: float, components: int
) -> list[Column]:
    if not blanks:
        return []
    filtered = [_filtered(q, blank, reach) for blank in blanks]
    temperatures = np.array([blank.temperature for blank in blanks])
    if len(blanks) == 1:
        return [_column("solvent", filtered[0])]
    if np.any(np.isnan(temperatures)):
        raise ValueError("several blanks need the temperature of each")
    ramp = build_ramp(
        temperatures=temperatures,
        intensities=np.array([found.intensity for found in filtered]),
        sigmas=np.array([blank.sigma for blank in blanks]),
        most=components,
        freedom=filtered[0].freedom,
    )
    # All blanks were exposed alike: the noise of one stands for that of each.
    noise = np.sqrt(np.mean([found.noise**2 for found in filtered], axis=0))
    noise = np.copysign(noise, filtered[0].noise)
    mean = Column(name="solvent", intensity=ramp.mean, noise=noise / np.sqrt(len(blanks)))
    sizes = np.sqrt(np.sum(ramp.amplitudes**2, axis=0))
    changes = [
        Column(name=f"solvent change {number}", intensity=size * change, noise=noise)
        for number, (change, size) in enumerate(zip(ramp.components, sizes, strict=True), 1)
    ]
    return [mean, *changes]


def _filtered(q: Floats, recorded: Recorded, reach: float) -> Limited:
    return limited(q=q, intensity=recorded.intensity, sigma=recorded.sigma, r_max=reach)


def _column(name: str, found: Limited) -> Column:
    return Column(name=name, intensity=found.intensity, noise=found.noise)


def merged(recordings: Sequence[Recorded]) -> Recorded:
    """Return the mean of recordings of the same, each weighted by its frames.

    ValueError for none, or where one does not tell how many it holds.
    """
    frames = np.array([recorded.frames for recorded in recordings], dtype=np.float64)
    if not len(frames) or np.any(frames <= 0):
        raise ValueError("recordings are merged by their frames: every one needs a number")
    shares = frames / frames.sum()
    values = np.array([recorded.intensity for recorded in recordings])
    variances = np.array([recorded.sigma**2 for recorded in recordings])
    return replace(
        recordings[0],
        intensity=shares @ values,
        sigma=np.sqrt(shares**2 @ variances),
        frames=int(frames.sum()),
    )
