"""Serial work against drawn shots of known truth."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad

from livepdf.analysis.serial.hit_rate import HitCounter, hit_rate
from livepdf.analysis.serial.powder import ShotMean, powder_from_hits
from livepdf.analysis.serial.size_histogram import efficiency, size_histogram
from livepdf.analysis.serial.sphere_size import SphereLimits, fit_sphere, sphere_form

LIMITS = SphereLimits(smallest=100, largest=600)
PIXEL = 0.0005
"""Å⁻¹"""


def test_the_interval_of_the_hit_rate_covers_the_truth() -> None:
    hits = np.random.default_rng(11).binomial(2000, 0.05, 1000)
    covered = [found.low <= 0.05 <= found.high for found in (hit_rate(int(k), 2000) for k in hits)]

    assert 0.93 <= np.mean(covered) <= 0.97


def test_the_first_shots_are_not_diluted_by_shots_that_never_were() -> None:
    counter = HitCounter(recent=200)
    for _ in range(20):
        counter.add(True)

    assert counter.recent.rate == 1.0
    assert counter.recent.high == 1.0
    assert counter.recent.low == pytest.approx(0.839, abs=1e-3)  # tabulated, 20 of 20
    for _ in range(300):
        counter.add(False)
    assert (counter.recent.rate, counter.recent.shots) == (0.0, 200)
    assert (counter.whole.hits, counter.whole.shots) == (20, 320)


def test_no_shots_no_rate() -> None:
    assert np.isnan(HitCounter().whole.rate)


def test_the_powder_from_hits_is_that_of_the_particles_alone() -> None:
    random = np.random.default_rng(5)
    q = np.linspace(0.1, 3, 50)
    water, particle = 40 + 10 * np.cos(q), 30 * np.exp(-((q - 1) ** 2) * 20)
    reference = np.full(50, 40.0)
    hits, blanks = ShotMean(reference=reference), ShotMean(reference=reference)
    direct = []
    for _ in range(4000):
        beam = max(1 + 0.2 * random.standard_normal(), 0.1)
        hit = random.random() < 0.05
        iq = random.poisson(beam * (water + hit * particle)).astype(float)
        (hits if hit else blanks).add(iq, i0=beam)
        if hit:
            direct.append(iq / beam)

    value, sigma = powder_from_hits(hits, blanks)

    pull = (value - particle) / sigma
    assert np.abs(pull).max() < 4
    assert 0.7 < np.std(pull) < 1.3
    mean = np.mean(direct, axis=0)
    assert np.all(np.abs(hits.ratio()[0] - mean) < 3 * hits.ratio()[1])


def test_the_form_factor_of_a_sphere_is_its_fourier_integral() -> None:
    for q in (0.003, 0.02, 0.11):
        integral = quad(lambda r, q=q: 4 * np.pi * r * np.sin(q * r) / q, 0, 100, limit=200)[0]
        volume = 4 / 3 * np.pi * 100**3
        found = sphere_form(np.array([q]), 200.0)[0]
        assert found == pytest.approx((integral / volume) ** 2, rel=1e-6, abs=1e-12)


def drawn(
    random: np.random.Generator,
    diameter: float,
    *,
    photons: float,
    off_centre: float = 0.0,
    background: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """A shot on a square detector, binned about a centre that may be off by some pixels."""
    place = np.arange(-160, 161) * PIXEL
    y, x = np.meshgrid(place, place, indexing="ij")
    true = np.hypot(y, x)
    seen = true > 0.003
    mean = np.where(seen, sphere_form(true, diameter), 0.0)
    mean *= photons / mean.sum()
    mean += np.where(seen, background * photons / seen.sum(), 0.0)
    counts = random.poisson(mean)
    radius = np.hypot(y - off_centre * PIXEL, x) / (2 * PIXEL)
    ring = np.where(seen, radius.astype(int), 0)
    ring[radius > 80] = 0
    pixels = np.bincount(ring.ravel(), seen.ravel(), minlength=81)[1:81]
    total = np.bincount(ring.ravel(), counts.ravel(), minlength=81)[1:81]
    middle = np.asarray((np.arange(1, 81) + 0.5) * 2 * PIXEL, dtype=np.float64)
    return middle, total.astype(np.float64), pixels.astype(np.float64)


def sizes(count: int, diameter: float, **settings: float) -> list[tuple[float, float]]:
    random = np.random.default_rng(9)
    found = []
    for _ in range(count):
        q, counts, weight = drawn(random, diameter, photons=3000, **settings)
        limits = SphereLimits(smallest=100, largest=600, blur=settings.get("off_centre", 0) * PIXEL)
        fit = fit_sphere(q=q, counts=counts, weight=weight, limits=limits)
        found.append((fit.diameter, fit.sigma))
    return found


def test_a_particle_is_measured_from_one_shot() -> None:
    found = np.array(sizes(40, 300.0, off_centre=1.0, background=0.1))

    assert np.count_nonzero(np.isfinite(found[:, 0])) >= 38
    known = found[np.isfinite(found[:, 0])]
    assert np.median(known[:, 0]) == pytest.approx(300.0, abs=5.0)
    assert np.std(known[:, 0]) < 5.0
    assert 0.7 < np.std((known[:, 0] - 300.0) / known[:, 1]) < 1.4


def test_what_is_no_sphere_or_has_no_fringes_gets_no_size() -> None:
    random = np.random.default_rng(1)
    q = np.asarray((np.arange(80) + 0.5) * 0.001, dtype=np.float64)
    weight = np.linspace(1, 80, 80)
    rods = 1 / (1 + (q * 90) ** 1.0)
    counts = random.poisson(20_000 * rods * weight / (rods * weight).sum()).astype(float)

    for fit in (
        fit_sphere(q=q, counts=counts, weight=weight, limits=LIMITS),
        fit_sphere(q=q, counts=np.zeros(80), weight=weight, limits=LIMITS),
    ):
        assert np.isnan(fit.diameter)
        assert fit.reason


def test_two_sizes_are_told_apart_and_their_ratio_is_corrected() -> None:
    random = np.random.default_rng(3)
    fluences = random.uniform(0.3, 1.7, 2000)
    truth = {200.0: 250, 300.0: 250}
    found = []
    for diameter, particles in truth.items():
        for _ in range(particles):
            beam = random.choice(fluences)
            photons = 3000 * beam * (diameter / 300) ** 6
            if random.poisson(photons) < 250:
                continue
            q, counts, weight = drawn(random, diameter, photons=photons)
            fit = fit_sphere(q=q, counts=counts, weight=weight, limits=LIMITS)
            found.append(fit.diameter)
    edges = np.arange(140.0, 380.0, 20.0) + 10
    middle = (edges[1:] + edges[:-1]) / 2
    share = efficiency(middle, photons=3000, at=300, threshold=250, fluences=fluences)

    histogram = size_histogram(np.array(found), edges=edges, efficiency=share)

    small, large = (
        np.nansum(histogram.corrected[(middle > low) & (middle < high)])
        for low, high in ((160, 245), (255, 340))
    )
    assert share[0] < 0.05
    assert np.isnan(histogram.corrected[0])
    between = histogram.seen[np.abs(middle - 250).argmin()]
    assert between < 0.2 * histogram.seen.max()
    assert small / large == pytest.approx(1.0, abs=0.15)
