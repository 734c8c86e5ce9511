"""Patterns that were integrated elsewhere, as files say them."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from livepdf.errors import FrameError
from livepdf.sources.batch import Batch, ReadImage
from livepdf.sources.read_images import read_batch
from tests.sources.azint_files import write_azint

Q = np.linspace(0.5, 20.0, 40)
RNG = np.random.default_rng(3)
PATTERNS = RNG.uniform(5.0, 9.0, (3, 40))
ERRORS = RNG.uniform(0.1, 0.2, (3, 40))


def read(path: Path) -> Batch:
    return read_batch(path, first=0, most_bytes=1 << 20)


def rows(batch: Batch, number: int) -> np.ndarray:
    item = batch.images[number]
    assert isinstance(item, ReadImage)
    return np.frombuffer(item.image.blob).reshape(item.image.shape)


def test_intensities_errors_and_pixels_are_handed_on_as_they_are(tmp_path: Path) -> None:
    norm = np.arange(1.0, 41.0)
    path = write_azint(tmp_path / "a.h5", intensity=PATTERNS, axis=Q, errors=ERRORS, norm=norm)

    batch = read(path)

    assert len(batch.images) == 3
    assert batch.facts.integrated is not None
    np.testing.assert_array_equal(batch.facts.integrated.q, Q)
    for number in range(3):
        np.testing.assert_allclose(
            rows(batch, number), [PATTERNS[number], ERRORS[number], norm], rtol=1e-14
        )


def test_a_file_without_errors_says_so_and_has_none(tmp_path: Path) -> None:
    batch = read(write_azint(tmp_path / "a.h5", intensity=PATTERNS, axis=Q))

    assert np.isnan(rows(batch, 0)[1]).all()
    assert "no curve has σ" in str(batch.facts.metadata["errors"])


def test_degrees_become_q_by_the_wavelength_of_the_file(tmp_path: Path) -> None:
    two_theta = np.linspace(1.0, 40.0, 40)
    path = write_azint(tmp_path / "a.h5", intensity=PATTERNS, axis=two_theta, unit="degrees")

    integrated = read(path).facts.integrated

    assert integrated is not None
    expected = 4 * np.pi / 0.2 * np.sin(np.radians(two_theta / 2))
    np.testing.assert_allclose(integrated.q, expected, rtol=1e-12)


def test_a_cake_is_added_up_over_the_azimuth_by_its_pixels(tmp_path: Path) -> None:
    cake = RNG.uniform(5.0, 9.0, (2, 4, 40))
    cake[:, 0, :5] = np.nan
    errors, norm = np.full(cake.shape, 0.3), RNG.integers(1, 9, (4, 40)).astype(float)
    path = write_azint(tmp_path / "a.h5", intensity=cake, axis=Q, errors=errors, norm=norm)

    intensity, sigma, pixels = rows(read(path), 1)

    for place in (0, 20):
        seen = [k for k in range(4) if np.isfinite(cake[1, k, place])]
        weights = norm[seen, place]
        assert pixels[place] == weights.sum()
        assert intensity[place] == pytest.approx(np.average(cake[1, seen, place], weights=weights))
        assert sigma[place] == pytest.approx(0.3 * np.sqrt((weights**2).sum()) / weights.sum())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"normalization": False}, "not normalised"),
        ({"unit": "degrees", "wavelength": None}, "no wavelength"),
        ({"unit": "furlongs"}, "unknown axis"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place_and_what_is_wanted(
    changes: dict[str, object], reason: str, tmp_path: Path
) -> None:
    path = write_azint(tmp_path / "a.h5", intensity=PATTERNS, axis=Q, **changes)  # type: ignore[arg-type]

    with pytest.raises(FrameError) as refusal:
        read(path)

    assert refusal.value.reason == reason
    assert "/entry" in refusal.value.detail


def test_a_monitor_that_is_applied_already_is_not_given_again(tmp_path: Path) -> None:
    counts = np.array([10.0, 20.0, 30.0])
    bare = write_azint(tmp_path / "a.h5", intensity=PATTERNS, axis=Q, monitor=counts)
    divided = _applied(bare, tmp_path / "b.h5")

    assert [item.monitor for item in read(bare).images] == [10.0, 20.0, 30.0]  # type: ignore[union-attr]
    assert [item.monitor for item in read(divided).images] == [1.0, 1.0, 1.0]  # type: ignore[union-attr]


def _applied(path: Path, other: Path) -> Path:
    other.write_bytes(path.read_bytes())
    with h5py.File(other, "a") as file:
        file["entry/monitor_applied"] = True
    return other


def test_a_real_file_of_danmax_is_read_as_h5py_reads_it(data_path: Callable[[str], Path]) -> None:
    path = data_path("series/danmax_batio3_temperature/scan-0100_1D_demo.h5")
    with h5py.File(path) as file:
        intensity = file["entry/data/I"][7]
        axis = file["entry/data/radial_axis"][()]
        temperature = file["entry/sample/temperature"][7]

    batch = read_batch(path, first=0, most_bytes=1 << 24)

    item = batch.images[7]
    assert isinstance(item, ReadImage)
    assert batch.facts.integrated is not None
    assert batch.facts.integrated.solid_angle
    assert batch.facts.integrated.polarization
    expected = 4 * np.pi / 0.35424056695200073 * np.sin(np.radians(axis / 2))
    np.testing.assert_allclose(batch.facts.integrated.q, expected, rtol=1e-12)
    seen = rows(batch, 7)[2] > 0
    np.testing.assert_array_equal(rows(batch, 7)[0][seen], intensity[seen])
    assert item.environment["temperature"] == temperature
    assert len(batch.images) == 100
