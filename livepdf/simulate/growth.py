"""What is true at each moment of a simulated synthesis: heat, conversion, size, lattice."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_GAS = 8.314462618e-3
"""kJ/(mol K)"""
_ROOM = 298.0
"""K, temperature of the published cells."""
_LEAST = 1e-4
"""Conversion below which there is no particle to speak of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What one simulated frame was made from."""

    frame: int
    time: float
    """s since the first frame."""
    temperature: float
    """K"""
    conversion: float
    """Share of the precursor that has become crystal, 0 to 1."""
    domain_size: float
    """Diameter of the spheres in Å; NaN before there are any."""
    nearest_neighbour: float
    """Mean distance from a metal atom to its first shell in Å."""
    lattice: tuple[float, float, float, float, float, float]
    """a, b, c in Å and α, β, γ in degrees, expanded by the heat."""
    strain: float
    """Lattice over that at room temperature, minus one."""
    uiso_gain: float
    """Å², what the heat adds to every Uiso."""

    def to_json(self) -> str:
        """Return one line of JSON; NaN is written as null."""
        fields = {k: None if _is_nan(v) else v for k, v in asdict(self).items()}
        return json.dumps(fields, allow_nan=False)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How a synthesis runs: nucleation by JMAK with Arrhenius rate, coarsening as D³."""

    cold_temperature: float = 298.0
    """K, until the heater goes on."""
    hot_temperature: float = 573.0
    """K, approached exponentially."""
    heater_on: float = 0.15
    """When, as a share of the run."""
    heating_time: float = 0.06
    """Time constant of the heater, as a share of the run."""
    activation: float = 60.0
    """kJ/mol of the conversion."""
    speed: float = 8.0
    """Rate of conversion at the hot temperature times the duration of the run."""
    avrami: float = 2.0
    """Exponent of the JMAK equation."""
    first_diameter: float = 20.0
    """Å, of the nuclei."""
    last_diameter: float = 50.0
    """Å, at the end of the run."""
    expansion: float = 7e-6
    """1/K, linear, the same along all axes."""
    uiso_rise: float = 8e-6
    """Å²/K"""


def growth_curves(
    growth: Growth, *, frames: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    r"""Follow a synthesis over its frames.

    .. math::
        T = T_h - (T_h - T_c) e^{-(t - t_h)/\tau}, \quad
        X = 1 - \exp\left[-\left(\int k(T) dt\right)^n\right], \quad
        D^3 = D_0^3 + K \int k(T) X dt

    Returns
    -------
    temperature, conversion, diameter : (frames,) float64
        In K, from 0 to 1, and in Å (NaN while nothing has formed).
    """
    fine = np.linspace(0.0, 1.0, 20 * frames + 1)
    since = np.clip(fine - growth.heater_on, 0.0, None)
    span = growth.hot_temperature - growth.cold_temperature
    temperature = growth.hot_temperature - span * np.exp(-since / growth.heating_time)
    slope = growth.activation / _GAS
    rate = growth.speed * np.exp(-slope * (1 / temperature - 1 / growth.hot_temperature))
    conversion = 1.0 - np.exp(-(_running(fine, rate) ** growth.avrami))
    coarsening = _running(fine, rate * conversion)
    cubes = growth.last_diameter**3 - growth.first_diameter**3
    # At speed 0 nothing reacts: a solution that is heated, with no chemistry.
    share = coarsening / max(coarsening[-1], np.finfo(np.float64).tiny)
    diameter = np.cbrt(growth.first_diameter**3 + cubes * share)
    diameter = np.where(conversion > _LEAST, diameter, np.nan)
    middle = (np.arange(frames) + 0.5) / frames
    at = np.clip(np.rint(middle * (len(fine) - 1)).astype(int), 0, len(fine) - 1)
    return temperature[at], conversion[at], diameter[at]


def _running(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(0.5 * (y[1:] + y[:-1]) * np.diff(x))])


def growth_truths(
    growth: Growth,
    *,
    frames: int,
    rate: float,
    nearest_neighbour: float,
    lattice: tuple[float, float, float, float, float, float],
) -> tuple[Truth, ...]:
    """Say what is true in every frame of a run.

    Parameters
    ----------
    rate : float, Hz
        Of the frames.
    nearest_neighbour, lattice
        At room temperature, as in `Truth`.
    """
    temperature, conversion, diameter = growth_curves(growth, frames=frames)
    heat = temperature - _ROOM
    return tuple(
        Truth(
            frame=i,
            time=i / rate,
            temperature=float(temperature[i]),
            conversion=float(conversion[i]),
            domain_size=float(diameter[i]),
            nearest_neighbour=nearest_neighbour * (1.0 + growth.expansion * float(heat[i])),
            lattice=_expanded(lattice, growth.expansion * float(heat[i])),
            strain=growth.expansion * float(heat[i]),
            uiso_gain=growth.uiso_rise * float(heat[i]),
        )
        for i in range(frames)
    )


def _expanded(
    lattice: tuple[float, float, float, float, float, float], strain: float
) -> tuple[float, float, float, float, float, float]:
    a, b, c, alpha, beta, gamma = lattice
    k = 1.0 + strain
    return (a * k, b * k, c * k, alpha, beta, gamma)


def write_truths(path: Path, truths: tuple[Truth, ...]) -> None:
    """Write one line of JSON for each frame."""
    path.write_text("".join(truth.to_json() + "\n" for truth in truths), encoding="utf-8")


def read_truths(path: Path) -> tuple[Truth, ...]:
    """Read what `write_truths` wrote."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(_from_fields(json.loads(line)) for line in lines)


def _from_fields(fields: dict[str, object]) -> Truth:
    values = {k: float("nan") if v is None else v for k, v in fields.items()}
    values["lattice"] = tuple(fields["lattice"])  # type: ignore[arg-type]
    return Truth(**values)  # type: ignore[arg-type]
