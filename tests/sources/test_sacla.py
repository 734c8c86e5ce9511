"""Files in the layout of DataConvert4, written here after published readers of it."""

from pathlib import Path

import h5py
import numpy as np

from livepdf.sources.batch import ReadImage, Unusable
from livepdf.sources.read_images import read_batch

TAGS = [1000, 1002, 1004, 1006]
GAINS = {1: 17.0, 2: 18.5, 10: 16.0}
RNG = np.random.default_rng(5)
COUNTS = {(module, tag): RNG.uniform(0, 90, (6, 4)) for module in GAINS for tag in TAGS}


def write_run(path: Path, *, energies: list[object], set_energy: float | None = 11000.0) -> Path:
    """Write a run of four shots on three modules; the last tag has no image on one of them."""
    with h5py.File(path, "w") as file:
        file["file_info/run_number_list"] = [42]
        run = file.create_group("run_42")
        run["event_info/tag_number_list"] = TAGS
        texts = [str(value).encode() for value in energies]
        run["event_info/bl_3/oh_2/photon_energy_in_eV"] = np.array(texts, dtype="S20")
        if set_energy is not None:
            run["run_info/sacla_config/photon_energy_in_eV"] = set_energy
        for module, gain in GAINS.items():
            run[f"detector_2d_{module}/detector_info/absolute_gain"] = gain
            for tag in TAGS:
                if (module, tag) != (10, 1006):
                    name = f"detector_2d_{module}/tag_{tag}/detector_data"
                    run[name] = COUNTS[module, tag].astype("f4")
    return path


def photons(item: ReadImage | Unusable) -> np.ndarray:
    assert isinstance(item, ReadImage), item
    return np.frombuffer(item.image.blob, item.image.dtype).reshape(item.image.shape)


def test_modules_are_put_in_order_and_turned_into_photons_of_the_shot(tmp_path: Path) -> None:
    path = write_run(tmp_path / "a.h5", energies=[10000.0, 10500.0, 11500.0, 12000.0])

    batch = read_batch(path, first=0, most_bytes=1 << 20)

    assert batch.images[1].number == 1
    stacked = np.concatenate([COUNTS[m, 1002] * GAINS[m] for m in (1, 2, 10)])
    np.testing.assert_allclose(photons(batch.images[1]), stacked * 3.65 / 10500.0, rtol=1e-6)
    assert batch.images[1].label == "run_42/tag 1002"  # type: ignore[union-attr]
    assert batch.facts.wavelength is not None
    assert abs(batch.facts.wavelength - 12.39842 / 11.0) < 1e-5


def test_a_shot_whose_module_is_missing_is_refused_and_the_others_are_used(tmp_path: Path) -> None:
    path = write_run(tmp_path / "a.h5", energies=[10000.0] * 4)

    *good, last = read_batch(path, first=0, most_bytes=1 << 20).images

    assert all(isinstance(item, ReadImage) for item in good)
    assert isinstance(last, Unusable)
    assert last.reason == "no image"
    assert "detector_2d_10" in last.detail


def test_words_in_place_of_an_energy_fall_back_to_the_settings_and_that_is_said(
    tmp_path: Path,
) -> None:
    path = write_run(tmp_path / "a.h5", energies=["not-converged", 10000.0, "saturated"])

    batch = read_batch(path, first=0, most_bytes=1 << 20)

    stacked = np.concatenate([COUNTS[m, 1000] * GAINS[m] for m in (1, 2, 10)])
    np.testing.assert_allclose(photons(batch.images[0]), stacked * 3.65 / 11000.0, rtol=1e-6)
    assert "3 shots" in str(batch.facts.metadata["photon energy"])


def test_without_any_energy_there_are_no_photons(tmp_path: Path) -> None:
    path = write_run(
        tmp_path / "a.h5", energies=["saturated", 10000.0, 10000.0, 10000.0], set_energy=None
    )

    first, second, *_ = read_batch(path, first=0, most_bytes=1 << 20).images

    assert isinstance(first, Unusable)
    assert first.reason == "no photon energy"
    assert isinstance(second, ReadImage)
