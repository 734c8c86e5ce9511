import numpy as np
import pytest
from numpy.typing import NDArray

from livepdf.analysis.peaks import PeakFit, PeakWindow, fit_peak, peak_window
from tests.analysis.particles import Particle, particle

Q = np.arange(0.8, 20.005, 0.01)
NOISE = 0.02 * Q


def shell(
    position: float, *, spread: float = 0.1, neighbours: float = 6.0, q: NDArray[np.float64] = Q
) -> NDArray[np.float64]:
    """F(Q) of neighbours around one distance."""
    return neighbours / position * np.sin(q * position) * np.exp(-0.5 * (spread * q) ** 2)


def window(
    near: float, *, reach: float = 0.35, qmax: float = 20.0, rpoly: float = 0.0
) -> PeakWindow:
    return peak_window(fit_q=Q[qmax + 1e-8 >= Q], qmax=qmax, near=near, reach=reach, rpoly=rpoly)


@pytest.mark.parametrize("qmax", [14.0, 20.0])
@pytest.mark.parametrize("off", [-0.15, 0.0, 0.12])
def test_a_lone_shell_is_found_exactly(qmax: float, off: float) -> None:
    q = Q[qmax + 1e-8 >= Q]

    fit = fit_peak(window(2.4, qmax=qmax), fq=shell(2.4 + off, q=q), sigma=0.02 * q)

    assert fit.reason == ""
    assert fit.position == pytest.approx(2.4 + off, abs=1e-4)
    assert fit.fwhm == pytest.approx(0.1 * 2.3548, abs=1e-3)
    assert fit.area == pytest.approx(6.0, rel=3e-3)


def test_errors_are_the_scatter() -> None:
    random = np.random.default_rng(4)
    looked = window(2.4)

    fits = [
        fit_peak(looked, fq=shell(2.43) + NOISE * random.standard_normal(len(Q)), sigma=NOISE)
        for _ in range(200)
    ]

    for name, truth in (("position", 2.43), ("fwhm", 0.23548), ("area", 6.0)):
        value = np.array([getattr(fit, name) for fit in fits])
        pull = (value - truth) / [getattr(fit, f"{name}_sigma") for fit in fits]
        assert abs(pull.mean()) < 0.3, name
        assert 0.8 < pull.std() < 1.3, name


@pytest.mark.parametrize(
    ("name", "pair", "near", "truth", "limit"),
    [
        ("hfo2-monoclinic", (0, 1), 2.13, 2.1445, 0.012),
        ("sno2-rutile", (0, 1), 2.05, 2.053, 0.005),
        ("tio2-anatase", (0, 1), 1.95, 1.9489, 0.005),
        ("pt", (0, 0), 2.77, 2.7741, 0.005),
    ],
)
def test_first_distance_of_explicit_particles_is_found_through_the_polynomial(
    name: str, pair: tuple[int, int], near: float, truth: float, limit: float
) -> None:
    sample = particle(name, diameter=35.0, centres=3)
    a, b = pair
    weight = sample.amplitudes[a] * sample.amplitudes[b]
    weight /= (sample.fractions @ sample.amplitudes) ** 2
    looked = peak_window(fit_q=sample.q, qmax=20.0, near=near, reach=0.35, rpoly=0.9, weight=weight)

    fit = fit_peak(looked, fq=sample.corrected(sample.fq, rpoly=0.9), sigma=sample.sigma(1e7))

    assert fit.position == pytest.approx(truth, abs=limit)


def test_the_polynomial_costs_no_area_when_the_model_loses_it_too() -> None:
    sample = _only(shell(2.0, spread=0.09))
    cut = sample.corrected(sample.fq, rpoly=1.4)

    blind = fit_peak(window(2.0), fq=cut, sigma=NOISE)
    aware = fit_peak(window(2.0, rpoly=1.4), fq=cut, sigma=NOISE)

    assert aware.area == pytest.approx(6.0, rel=0.01)
    assert abs(blind.area - 6.0) > 3 * abs(aware.area - 6.0)
    assert aware.position == pytest.approx(2.0, abs=1e-3)


def test_ripples_of_known_distances_do_not_pull() -> None:
    sharp = shell(2.9, spread=0.05, neighbours=40.0)
    alone = fit_peak(window(2.1), fq=shell(2.1), sigma=NOISE)

    pulled = fit_peak(window(2.1), fq=shell(2.1) + sharp, sigma=NOISE)
    told = fit_peak(window(2.1), fq=shell(2.1) + sharp, sigma=NOISE, rest=sharp)

    assert told.position == pytest.approx(alone.position, abs=1e-6)
    assert pulled.reason != "" or abs(pulled.position - 2.1) > 1e-3


def test_a_wrong_model_of_the_surroundings_widens_the_error() -> None:
    other = shell(2.75, spread=0.06, neighbours=15.0)
    clean = fit_peak(window(2.1, reach=0.45), fq=shell(2.1), sigma=1e-2 * NOISE)

    spoilt = fit_peak(window(2.1, reach=0.45), fq=shell(2.1) + other, sigma=1e-2 * NOISE)

    assert spoilt.reason != "" or spoilt.position_sigma > 3 * clean.position_sigma


def test_noise_is_hardly_ever_called_a_peak() -> None:
    random = np.random.default_rng(0)
    looked = window(2.1, rpoly=0.9)

    fits = [
        fit_peak(looked, fq=NOISE * random.standard_normal(len(Q)), sigma=NOISE) for _ in range(200)
    ]

    assert sum(fit.reason == "" for fit in fits) <= 1
    assert all(np.isnan(fit.position) for fit in fits if fit.reason)


def _withheld(**settings: object) -> PeakFit:
    given: dict[str, object] = {"fq": shell(2.4), "sigma": NOISE, **settings}
    return fit_peak(window(2.4), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"isolated": False}, "unresolved at this Qmax"),
        ({"sigma": np.full(len(Q), np.nan)}, "uncertainty of the data is unknown"),
        ({"sigma": np.zeros(len(Q))}, "uncertainty of the data is unknown"),
        ({"fq": np.where(Q > 19.9, np.nan, shell(2.4))}, "gaps"),
        ({"fq": 0.0 * Q}, "no peak here"),
    ],
)
def test_a_peak_is_withheld_with_its_reason(settings: dict[str, object], reason: str) -> None:
    fit = _withheld(**settings)

    assert reason in fit.reason
    assert np.isnan([fit.position, fit.fwhm, fit.area, fit.position_sigma]).all()


def test_a_hole_is_no_peak() -> None:
    fit = _withheld(fq=-shell(2.4))

    assert fit.reason != ""


def test_a_peak_that_walks_out_of_reach_is_withheld() -> None:
    fit = fit_peak(window(2.4, reach=0.3), fq=shell(2.78), sigma=NOISE)

    assert fit.reason != ""


def test_too_few_independent_points_are_said() -> None:
    q = Q[Q <= 6.0]
    looked = peak_window(fit_q=q, qmax=6.0, near=2.4, reach=0.2, rpoly=0.0)

    fit = fit_peak(looked, fq=shell(2.4, q=q), sigma=0.02 * q)

    assert fit.reason.startswith("too few independent points")


def test_a_peak_sharper_than_the_limit_keeps_its_position_only() -> None:
    fit = fit_peak(window(2.4), fq=shell(2.41, spread=0.005), sigma=NOISE)

    assert fit.position == pytest.approx(2.41, abs=3e-3)
    assert fit.fwhm_reason.startswith("narrower")
    assert np.isnan(fit.fwhm)


def test_a_reach_beyond_the_origin_is_refused() -> None:
    with pytest.raises(ValueError, match="reach"):
        window(0.3, reach=0.4)


def _only(fq: NDArray[np.float64]) -> Particle:
    sample = particle("pt", diameter=12.0, centres=1)
    return Particle(
        structure=sample.structure,
        q=Q,
        fractions=sample.fractions,
        amplitudes=np.ones((1, len(Q))),
        fq=fq,
    )
