"""Looking back: when the amplitude began to rise, whatever the power with which it did."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

Floats = NDArray[np.float64]

_POWERS = np.geomspace(0.5, 5.0, 28)
"""From growth that diffusion slows down from the start to what quickens as it goes."""
_TIMES = 400
_EARLY = 0.6
"""Part of the end up to which the rise is looked at."""
_FEWEST = 8
_AFTER = 3
_MISFIT = 3.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hinge:
    """When it began; NaN where there is a reason."""

    time: float
    """s, median."""
    low: float
    high: float
    """s, shortest interval with 95 % of the probability."""
    power: float
    """Mean of the exponent."""
    chi2: float
    """Reduced, of the best."""
    reason: str = ""

    @property
    def sigma(self) -> float:
        """One standard deviation of a normal distribution with that interval, s."""
        return (self.high - self.low) / 3.92


def began(*, time: Floats, amplitude: Floats, sigma: Floats, end: float = 1.0) -> Hinge:
    r"""Find t₀ of a rise 1 − exp[−A·(t − t₀)ᵖ] with A > 0, p and A integrated out.

    A hinge with a power that is held understates its error by a factor of 2 to 6. Here powers from
    ½ to 5 are as likely as one another before the data (their logarithms), and so is every t₀
    within the data. Only the early part of the rise is used, where this is hardly more than a
    power of time; what it does not describe there widens the errors.

    Parameters
    ----------
    time : (n,) float64, s, rising
    amplitude, sigma : (n,) float64
        From before the rise into it, e.g. the conversion. Its zero level must be true.
    end : float
        What the amplitude comes to in the end.
    """
    kept = _early(amplitude / end, sigma / end)
    left = 1.0 - amplitude[:kept] / end
    # Where the rise stops there is always something left: the last point is just beyond 0.6.
    left = np.maximum(left, 0.2)
    time, sigma = time[:kept], sigma[:kept] / end / left
    amplitude = -np.log(left)
    reason = _too_little(amplitude, sigma)
    if reason:
        return _nothing(reason)
    starts = np.linspace(time[0], time[-1], _TIMES)
    chi2, evidence = _grid(time, amplitude, sigma, starts, wider=1.0)
    freedom = len(time) - 3
    red = float(chi2.min()) / freedom
    if red > _MISFIT:
        return _nothing(f"no power of time describes the rise (χ² per freedom {red:.1f})")
    if red > 1.0:
        evidence = _grid(time, amplitude, sigma, starts, wider=red)[1]
    # Between grid points the density is smooth; it is made finer where it is high.
    weight = np.exp(evidence - evidence.max())
    density = weight.sum(axis=1)
    likely = starts[density > 1e-6 * density.max()]
    step = starts[1] - starts[0]
    fine = np.linspace(max(time[0], likely[0] - step), min(time[-1], likely[-1] + step), _TIMES)
    evidence = _grid(time, amplitude, sigma, fine, wider=max(1.0, red))[1]
    weight = np.exp(evidence - evidence.max())
    density = weight.sum(axis=1)
    total = np.cumsum(density) / density.sum()
    low, high = _shortest(fine, total)
    return Hinge(
        time=float(np.interp(0.5, total, fine)),
        low=low,
        high=high,
        power=float((weight.sum(axis=0) @ _POWERS) / weight.sum()),
        chi2=red,
    )


def _early(amplitude: Floats, sigma: Floats) -> int:
    beyond = np.flatnonzero(amplitude > np.maximum(_EARLY, 3.0 * sigma))
    return int(beyond[0]) + 1 if beyond.size else len(amplitude)


def _too_little(amplitude: Floats, sigma: Floats) -> str:
    if len(amplitude) < _FEWEST:
        return f"{len(amplitude)} points before it had risen, {_FEWEST} wanted"
    if int((amplitude > 3.0 * sigma).sum()) < _AFTER:
        return "too little has risen above its uncertainty"
    if int((amplitude < 3.0 * sigma).sum()) < _AFTER:
        return "it had begun before the first point"
    return ""


def _grid(
    time: Floats, amplitude: Floats, sigma: Floats, starts: Floats, *, wider: float
) -> tuple[Floats, Floats]:
    """Return χ² and the logarithm of the evidence, (starts, powers)."""
    since = np.maximum(time[None, :] - starts[:, None], 0.0)
    data = amplitude / sigma
    chi2 = np.empty((len(starts), len(_POWERS)))
    evidence = np.empty_like(chi2)
    span = float(time[-1] - time[0])
    null = float(data @ data)
    for place, power in enumerate(_POWERS):
        shape = (since / span) ** power / sigma
        square = np.einsum("tn,tn->t", shape, shape)
        along = shape @ data
        seen = square > 0.0
        safe = np.where(seen, square, 1.0)
        best = np.where(seen, np.maximum(along, 0.0) / safe, 0.0)
        chi2[:, place] = null - 2 * best * along + best**2 * square
        # The amplitude has a flat prior for its value at the end of the stretch.
        height = np.where(seen, (since[:, -1] / span) ** power, 1.0)
        z = along / np.sqrt(safe * wider)
        integral = log_ndtr(z) + 0.5 * z**2 + np.log(height / np.sqrt(safe / wider))
        evidence[:, place] = np.where(seen, integral, -np.inf)
    return chi2, evidence


def _shortest(times: Floats, total: Floats) -> tuple[float, float]:
    ends = np.searchsorted(total, total + 0.95)
    inside = ends < len(times)
    if not inside.any():
        return float(times[0]), float(times[-1])
    begins = np.flatnonzero(inside)
    lengths = times[ends[inside]] - times[begins]
    best = begins[int(np.argmin(lengths))]
    return float(times[best]), float(times[ends[best]])


def _nothing(reason: str) -> Hinge:
    nan = float("nan")
    return Hinge(time=nan, low=nan, high=nan, power=nan, chi2=nan, reason=reason)
