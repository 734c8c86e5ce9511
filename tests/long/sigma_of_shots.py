"""σ of ΔG(r) and of G(r) of single shots against their scatter over 200 draws.

python -m pytest tests/long/sigma_of_shots.py -s

Hafnia of 40 Å to 8 1/Å, 1e4 photons in a bin and shot. ΔG: 1600 shots in turn with and without a
laser that does nothing, I0 jitters by 15 % and its meter errs by 1 %; σ is the jackknife over 40
blocks of time, through the transform of the reduction.
"""

import numpy as np
import pytest

from livepdf.analysis.pump_probe.difference import GROUPS, grouped, sides
from livepdf.analysis.pump_probe.table import ShotTable
from livepdf.files.structures import read_structure
from livepdf.reduction.difference import linear_gr, reference_plan
from livepdf.reduction.plan import Plan, build_plan
from livepdf.reduction.stack import reduce_many
from livepdf.simulate.debye import debye_intensity, sphere_sums
from tests.analysis.pump_probe.shots import shot

SEEDS = range(4000, 4200)
SHOTS = 1600
PHOTONS = 1e4
Q = np.linspace(0.8, 8.0, 200)


@pytest.fixture(scope="module")
def pattern() -> np.ndarray:
    """Photons in a bin of a mean shot."""
    structure = read_structure("hfo2-monoclinic")
    centres = np.random.default_rng(82).uniform(size=(2, 3))
    sums = sphere_sums(structure, diameter=40.0, q_max=8.5, centres=centres)
    intensity = np.interp(Q, sums.q, debye_intensity(structure, sums))
    return np.asarray(PHOTONS * intensity / intensity.mean())


@pytest.fixture(scope="module")
def plan() -> Plan:
    return build_plan(
        q=Q,
        composition="HfO2",
        qmin=0.8,
        qmax=8.0,
        qmaxinst=8.0,
        rpoly=0.9,
        rmin=1.5,
        rmax=20.0,
        rstep=0.05,
        taper="lorch",
    )


def test_the_jackknife_of_a_change_is_its_scatter(pattern: np.ndarray, plan: Plan) -> None:
    frozen = reference_plan(plan, intensity=pattern, sigma=np.sqrt(pattern), revision=plan.revision)
    values, told = np.empty((2, len(SEEDS), plan.r.size))
    for number, seed in enumerate(SEEDS):
        on, off = sides(grouped(drawn(pattern, seed), 0))
        assert len(on.shares) == GROUPS
        with_laser, without = (
            linear_gr(frozen, np.vstack([one.value, one.replicates])) for one in (on, off)
        )
        change = with_laser - without
        found = off.moved(change[0], change[1:])
        values[number], told[number] = found.value, found.sigma

    judged(f"ΔG of {SHOTS} shots", told, values)


def test_sigma_of_a_single_shot_is_its_scatter(pattern: np.ndarray, plan: Plan) -> None:
    random = np.random.default_rng(SEEDS[0])
    counts = random.poisson(np.broadcast_to(pattern, (len(SEEDS), len(Q)))).astype(np.float64)

    stack = reduce_many(plan, counts, np.sqrt(counts))

    judged("G of one shot", np.asarray(stack.gr_sigma), np.asarray(stack.gr))


def drawn(pattern: np.ndarray, seed: int) -> ShotTable:
    """Draw a run; both classes are the same but for their noise."""
    random = np.random.default_rng(seed)
    beam = np.clip(1 + 0.15 * random.standard_normal(SHOTS), 0.2, None)
    meter = beam * (1 + 0.01 * random.standard_normal(SHOTS))
    counts = random.poisson(np.outer(beam, pattern)).astype(np.float64)
    made = ShotTable(reference=pattern, edges=np.array([-1.0, 1.0]))
    for train in range(SHOTS):
        kind = "on" if train % 2 == 0 else "off"
        made.add(shot(train, kind, i0=meter[train], iq=counts[train]))
    return made


def judged(name: str, told: np.ndarray, values: np.ndarray) -> None:
    """Print σ over scatter, whose median and 5 to 95 % over r must be near 1."""
    ratio = np.sqrt(np.mean(told**2, axis=0)) / np.std(values, axis=0, ddof=1)
    low, middle, high = np.percentile(ratio, [5, 50, 95])
    print(  # noqa: T201  # the figures are what this is run for
        f"\n{name}, {len(values)} draws, r 1.5 to 20 Å: σ/scatter {middle:.3f} "
        f"(5 to 95 %: {low:.3f} to {high:.3f})"
    )
    assert 0.95 < middle < 1.05
    assert low > 0.85
    assert high < 1.15
