"""Spots put into Poisson noise on rings: found, and few others."""

import numpy as np
import pytest
from numpy.typing import NDArray

from livepdf.numerics.spots import (
    NOT_USED,
    SpotSettings,
    find_spots,
    lit_pixels,
    ring_scatter,
    spot_plan,
)

SHAPE = (1024, 1024)
PANELS = np.array([[y, y + 512, x, x + 256] for y in (0, 512) for x in range(0, 1024, 256)])
_Y, _X = np.mgrid[: SHAPE[0], : SHAPE[1]]
RADIUS = np.hypot(_Y - 511.5, _X - 511.5)
RINGS = RADIUS.astype(np.uint16)
BACKGROUND = 4 + 20 * np.exp(-RADIUS / 300)


def crystal(seed: int, *, snr: float, spots: int = 60) -> tuple[NDArray[np.float32], ...]:
    """An image with spots whose highest pixel is expected ``snr`` σ above the background."""
    random = np.random.default_rng(seed)
    mean = BACKGROUND.copy()
    inside = PANELS[random.integers(len(PANELS), size=spots)]
    places = []
    for top, bottom, left, right in inside:
        y, x = random.uniform(top + 8, bottom - 8), random.uniform(left + 8, right - 8)
        row, column = round(y), round(x)
        near = np.s_[row - 5 : row + 6, column - 5 : column + 6]
        shape = np.exp(-((_Y[near] - y) ** 2 + (_X[near] - x) ** 2) / 2)
        mean[near] += snr * np.sqrt(BACKGROUND[row, column]) * shape / shape.max()
        places.append((y, x))
    return random.poisson(mean).astype(np.float32), np.array(places, dtype=np.float32)


PLAN = spot_plan(rings=RINGS, panels=PANELS)


def test_spots_of_eight_sigma_are_found_and_nearly_nothing_else() -> None:
    there, matched, false = 0, 0, 0
    for seed in range(5):
        image, places = crystal(seed, snr=8.0)
        found = find_spots(image, PLAN, SpotSettings())
        apart = np.hypot(found.row[:, None] - places[:, 0], found.column[:, None] - places[:, 1])
        there += len(places)
        matched += int(np.count_nonzero(apart.min(axis=0) < 1.5))
        false += int(np.count_nonzero(apart.min(axis=1) > 3))

    assert matched / there >= 0.95
    assert false / (5 * image.size / 1e6) <= 2


def test_centre_and_intensity_are_those_put_in() -> None:
    image = np.full(SHAPE, 10.0, dtype=np.float32)
    image += np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)
    shape = np.exp(-((_Y[190:211, 290:311] - 200.3) ** 2 + (_X[190:211, 290:311] - 299.6) ** 2) / 2)
    image[190:211, 290:311] += (1000 * shape).astype(np.float32)

    found = find_spots(image, PLAN, SpotSettings())

    assert found.found == 1
    assert found.row[0] == pytest.approx(200.3, abs=0.03)
    assert found.column[0] == pytest.approx(299.6, abs=0.03)
    assert found.total[0] == pytest.approx(1000 * shape.sum(), rel=0.02)


def test_masked_pixels_and_dead_panels_make_no_spots() -> None:
    image, places = crystal(1, snr=30.0)
    rings = RINGS.copy()
    rings[:512] = NOT_USED
    image[:512] = np.nan

    found = find_spots(image, spot_plan(rings=rings, panels=PANELS), SpotSettings())

    assert np.all(found.row >= 512)
    assert found.found == pytest.approx(np.count_nonzero(places[:, 0] >= 512), abs=2)


def test_the_scatter_of_a_ring_is_that_of_its_photons_whatever_spots_are_on_it() -> None:
    image = crystal(2, snr=200.0, spots=300)[0]

    mean, sigma = ring_scatter(image, PLAN, snr=6.0)

    rings = slice(20, 500)
    truth = (
        np.bincount(RINGS.ravel(), BACKGROUND.ravel())[rings] / np.bincount(RINGS.ravel())[rings]
    )
    assert np.median(mean[rings] / truth) == pytest.approx(1.0, abs=0.01)
    assert np.median(sigma[rings] / np.sqrt(truth)) == pytest.approx(1.0, abs=0.02)


def test_a_ring_of_light_is_no_spot() -> None:
    image = np.random.default_rng(1).poisson(5 + 500 * (RINGS == 200)).astype(np.float32)

    assert find_spots(image, PLAN, SpotSettings()).found <= 2


def test_more_spots_than_the_list_holds_are_still_counted() -> None:
    image = crystal(3, snr=60.0, spots=100)[0]

    found = find_spots(image, PLAN, SpotSettings(limit=10))

    assert len(found.row) == 10
    assert found.found > 85


def test_lit_pixels_leave_out_what_is_masked() -> None:
    image = np.zeros((4, 5), dtype=np.float32)
    image[1, 1], image[2, 2], image[3, 3] = 5, 7, np.nan
    ignore = np.zeros((4, 5), dtype=bool)
    ignore[2, 2] = True

    assert lit_pixels(image, ignore=ignore, threshold=4.0) == (1, 5.0)


def test_panels_outside_of_the_image_are_refused() -> None:
    with pytest.raises(ValueError, match="panel lies outside"):
        spot_plan(rings=RINGS, panels=np.array([[0, 2000, 0, 10]]))
