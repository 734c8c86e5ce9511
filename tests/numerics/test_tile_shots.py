"""Tiles of an XFEL detector: geometry, gaps, corrections, and the Q axis of each shot."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from livepdf.files.poni import read_poni
from livepdf.files.tile_calibration import write_calibration
from livepdf.numerics.geometry import Geometry
from livepdf.numerics.hit_pixels import lit_photons
from livepdf.numerics.regroup import bin_limits, regrouped
from livepdf.numerics.tile_correction import SATURATED, tile_correction
from livepdf.numerics.tiles import Panel, TiledDetector
from livepdf.reduction.integrator import Integrator, build_integrator
from livepdf.simulate.tiled import Sensor

SENSOR = Sensor(size="tiny", distance_m=0.0336)
"""Pixels up to 65°: both tilt and polarization are of first order there."""


def geometry_of(folder: Path, tiles: TiledDetector) -> Geometry:
    write_calibration(tiles, energy=15.0, output=folder / "tiles.poni")
    return read_poni(folder / "tiles.poni")


def integrator(geometry: Geometry, mask: NDArray[np.bool_] | None = None) -> Integrator:
    return build_integrator(
        geometry, npt=150, radial_range=(0.9, 8.0), polarization=0.99, mask=mask
    )


def divided(made: Integrator, image: NDArray[np.float32]) -> NDArray[np.float64]:
    sums = made.integrate(image)
    filled = sums.weight > 0
    found: NDArray[np.float64] = np.full(sums.signal.shape, np.nan)
    np.divide(sums.signal, sums.weight, out=found, where=filled)
    return found


def test_an_isotropic_scatterer_is_flat_whatever_part_of_the_azimuth_is_seen(
    tmp_path: Path,
) -> None:
    image = SENSOR.weight.astype(np.float32)
    assert np.degrees(SENSOR.two_theta.max()) > 64
    geometry = geometry_of(tmp_path, SENSOR.tiles)

    for tiles_seen in (range(8), (2, 5), (6, 7)):
        mask = np.ones(SENSOR.shape, dtype=np.bool_)
        for k in tiles_seen:
            mask[k * 64 : (k + 1) * 64] = False
        iq = divided(integrator(geometry, mask), image)
        known = iq[np.isfinite(iq)]
        assert len(known) > 60
        np.testing.assert_allclose(known, known.mean(), rtol=0.002)


def test_a_ring_is_where_it_is_and_half_a_pixel_is_seen(tmp_path: Path) -> None:
    ring = np.exp(-0.5 * ((SENSOR.q - 6.0) / 0.05) ** 2)
    image = (SENSOR.weight * ring).astype(np.float32)
    on_ring = np.abs(SENSOR.q - 6.0) < 0.2
    pixel = np.median(np.hypot(*np.gradient(SENSOR.q))[on_ring])
    half = [
        Panel(
            name=p.name,
            top=p.top,
            bottom=p.bottom,
            left=p.left,
            right=p.right,
            corner=p.corner - 0.5 * (p.fast + p.slow),
            fast=p.fast,
            slow=p.slow,
        )
        for p in SENSOR.tiles.panels
    ]

    def centre(tiles: TiledDetector, part: slice) -> float:
        mask = np.ones(SENSOR.shape, dtype=np.bool_)
        mask[part] = False
        made = integrator(geometry_of(tmp_path, tiles), mask)
        iq = np.nan_to_num(divided(made, image))
        near = np.abs(made.q - 6.0) < 0.25
        return float(iq[near] @ made.q[near] / iq[near].sum())

    outer = slice(7 * 64, 8 * 64)
    assert centre(SENSOR.tiles, outer) == pytest.approx(6.0, abs=0.1 * pixel)
    # a corner taken for a centre moves the ring of one tile by more than a third of a pixel
    assert abs(centre(TiledDetector(panels=tuple(half)), outer) - 6.0) > 0.3 * pixel


def test_gaps_and_dead_pixels_leave_the_pattern_as_it_is(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    pattern = 40 * (1 + 0.3 * np.sin(3 * SENSOR.q))
    image = random.poisson(pattern * SENSOR.weight).astype(np.float32)
    whole = integrator(geometry_of(tmp_path, SENSOR.tiles))
    lost = random.random(SENSOR.shape) < 0.05
    lost[60:68] = True
    lost[:, 30:58] = True
    assert 0.2 < lost.mean() < 0.3

    seen = np.where(lost, np.nan, image).astype(np.float32)
    full, part = divided(whole, image), divided(whole, seen)

    sums = whole.integrate(seen)
    sigma = np.sqrt(sums.variance) / np.where(sums.weight > 0, sums.weight, np.nan)
    pulls = ((part - full) / sigma)[np.isfinite(part)]
    assert np.all(np.abs(pulls) < 4)
    assert np.mean(np.abs(pulls) < 3) > 0.99
    assert abs(np.mean(pulls)) < 0.3


def test_a_shot_of_another_energy_comes_to_its_own_q(tmp_path: Path) -> None:
    made = integrator(geometry_of(tmp_path, SENSOR.tiles))
    factor = 1.01
    ring = np.exp(-0.5 * ((SENSOR.q * factor - 4.0) / 0.1) ** 2)
    sums = made.integrate((SENSOR.weight * ring).astype(np.float32))
    rows = np.stack([sums.signal, sums.weight])

    signal, weight = regrouped(rows, limits=bin_limits(made.q), factor=factor)

    iq = signal[weight > 0] / weight[weight > 0]
    q = made.q[weight > 0]
    near = np.abs(q - 4.0) < 0.4
    assert float(iq[near] @ q[near] / iq[near].sum()) == pytest.approx(4.0, abs=0.004)
    inside = (made.q * factor < made.q[-1]).nonzero()[0]
    assert signal.sum() == pytest.approx(sums.signal[inside].sum(), rel=0.01)
    with pytest.raises(ValueError, match="not equidistant"):
        bin_limits(np.array([1.0, 2.0, 4.0]))


def test_tiles_are_corrected_in_order_and_what_is_full_says_nothing() -> None:
    random = np.random.default_rng(4)
    shape, gain = (64, 400), 1 + 0.1 * random.standard_normal((64, 400))
    photons = random.poisson(0.1, shape).astype(float)
    photons[3, 5] = 300.0
    pedestal = 100 + random.standard_normal(shape)
    common = np.repeat([6.0, -9.0], 32)[:, None]
    read = photons * 20 * gain + pedestal + common + 2 * random.standard_normal(shape)
    gain_map = 20 * gain
    gain_map[0, 0] = 0.0
    made = tile_correction(
        pedestal=pedestal, gain=gain_map, shape=shape, rows=32, saturation=4000.0
    )

    found = made.photons(read)

    assert np.isnan(found[3, 5])
    assert np.isnan(found[0, 0])
    assert made.states(read)[3, 5] == SATURATED
    good = np.isfinite(found)
    assert np.count_nonzero(~good) == 2
    for tile in (slice(0, 32), slice(32, 64)):
        off = (found - photons)[tile][good[tile]]
        assert abs(np.median(off)) < 0.01
        assert np.std(off) == pytest.approx(0.1, rel=0.2)
    with pytest.raises(ValueError, match="do not fill"):
        tile_correction(pedestal=0.0, gain=1.0, shape=shape, rows=30)


def test_lit_pixels_hold_whole_photons_of_their_bins() -> None:
    image = np.array([[0.2, 1.1, 2.9], [np.nan, 0.8, 900.0]], dtype=np.float32)
    bins = np.array([[0, 0, 1], [1, 7, 0]], dtype=np.uint16)

    lit, photons = lit_photons(image, bins=bins, n=2, threshold=0.7, highest=500.0, photon=1.0)

    assert lit == 2
    assert photons.tolist() == [1.0, 3.0]
