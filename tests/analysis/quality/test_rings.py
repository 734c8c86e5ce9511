"""Spots, texture and silent modules in images of known make."""

import numpy as np
import pytest
from numpy.typing import NDArray

from livepdf.analysis.quality.rings import Look, RingMap, chosen_places, look_at, ring_map

SHAPE = (700, 640)
_Y, _X = np.indices(SHAPE)
_DY, _DX = _Y - 330.0, _X - 300.0
Q = np.hypot(_DY, _DX) * 0.03
CHI = np.arctan2(_DY, _DX)
WEIGHT = 1.0 / (1.0 + (Q / 20.0) ** 2)
UNUSED = Q < 0.4
GRID = np.linspace(Q.min(), Q.max(), 1500)


def intensity(q: NDArray[np.float64]) -> NDArray[np.float64]:
    peaks = sum(np.exp(-(((q - p) / 0.15) ** 2)) for p in (2.0, 3.3, 4.7, 6.1))
    return 20.0 * np.exp(-q / 6.0) + 40.0 * peaks


@pytest.fixture(scope="module")
def where() -> RingMap:
    made = mapped(UNUSED)
    assert made is not None
    return made


def mapped(unused: NDArray[np.bool_], weight: NDArray[np.float64] = WEIGHT) -> RingMap | None:
    places = chosen_places(unused)
    if places is None:
        return None
    q, azimuth, here = (array.ravel()[places] for array in (Q, CHI, weight))
    return ring_map(places, shape=SHAPE, grid=GRID, q=q, azimuth=azimuth, weight=here)


def look(where: RingMap, expected: NDArray[np.float64], seed: int = 1, top: int = 65534) -> Look:
    image = np.random.default_rng(seed).poisson(expected).astype(np.uint16)
    return look_at(
        image, where, intensity=intensity(GRID), factor=1.0, gain=1.0,
        low=np.uint16(0), high=np.uint16(top), textured=True,
    )  # fmt: skip


def grains(number: float) -> NDArray[np.float64]:
    """Powder whose rings are made of so many grains per pixel."""
    scatter = np.random.default_rng(7).gamma(number, 1 / number, SHAPE)
    return intensity(Q) * WEIGHT * scatter


def test_a_clean_powder_shows_nothing(where: RingMap) -> None:
    found = look(where, intensity(Q) * WEIGHT)

    assert found.spots == pytest.approx(1.0, abs=0.1)
    assert found.texture < 8.0
    assert found.dead == found.saturated == 0.0


def test_the_fewer_the_grains_the_larger_the_number(where: RingMap) -> None:
    clean, *more = [look(where, grains(k)).spots for k in (1e6, 10.0, 1.0)]

    # variance / mean = 1 + mean / k; 20 to 60 counts in the strong rings
    assert more[0] > 1.5 * clean
    assert more[1] > 5.0 * clean


@pytest.mark.parametrize(("amplitude", "raised"), [(0.0, False), (0.05, True)])
def test_texture_is_a_wave_around_the_ring(where: RingMap, amplitude: float, raised: bool) -> None:
    found = look(where, intensity(Q) * WEIGHT * (1 + amplitude * np.cos(2 * CHI + 0.7)))

    assert (found.texture > 8.0) is raised


def test_a_silent_module_is_counted_by_its_pixels(where: RingMap) -> None:
    expected = intensity(Q) * WEIGHT
    expected[0:192, 320:480] = 0.0

    assert look(where, expected).dead == pytest.approx(192 * 160 / (~UNUSED).sum(), rel=0.15)


def test_saturated_pixels_are_counted(where: RingMap) -> None:
    expected = intensity(Q) * WEIGHT
    expected[100:110, 100:200] = 60_000.0

    found = look(where, expected, top=50_000)

    assert found.saturated == pytest.approx(1000 / (~UNUSED).sum(), rel=0.3)


def test_a_detector_with_nothing_in_use_has_no_rings() -> None:
    assert mapped(np.ones(SHAPE, bool)) is None
    assert mapped(UNUSED, weight=np.zeros(SHAPE)) is None
