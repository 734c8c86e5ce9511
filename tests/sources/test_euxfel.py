"""Run folders written and read back by the European XFEL's own library."""

import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest

from livepdf.errors import FrameError
from livepdf.sources.batch import Batch, ReadImage
from livepdf.sources.read_images import read_batch

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from extra_data import RunDirectory
    from extra_data.tests import make_examples


@pytest.fixture
def lpd(tmp_path: Path) -> Path:
    """A run of two LPD modules, the second of which missed train 10002."""
    make_examples.make_lpd_run_mini_missed_train(str(tmp_path))
    for module in (0, 1):
        with h5py.File(tmp_path / f"RAW-R0450-LPD0{module}-S00000.h5", "a") as file:
            data = file[f"INSTRUMENT/FXE_DET_LPD1M-1/DET/{module}CH0:xtdf/image/data"]
            data[:, 0, :3, 0] = np.arange(3 * len(data)).reshape(-1, 3) % 60_000 + module
    return tmp_path


def read(path: Path, dataset: str | None = None) -> Batch:
    return read_batch(path, first=0, most_bytes=1 << 28, dataset=dataset)


def pixels(item: object) -> np.ndarray:
    assert isinstance(item, ReadImage), item
    return np.frombuffer(item.image.blob, item.image.dtype).reshape(item.image.shape)


@pytest.mark.filterwarnings("ignore")
def test_modules_are_joined_by_train_and_pulse_as_the_library_does(lpd: Path) -> None:
    batch = read(lpd)

    modules = []
    for module in (0, 1):
        source = f"FXE_DET_LPD1M-1/DET/{module}CH0:xtdf"
        data = RunDirectory(str(lpd))[source, "image.data"]
        modules.append((data.train_id_coordinates(), data.ndarray()[:, 0]))
    found = {item.label: pixels(item) for item in batch.images if isinstance(item, ReadImage)}
    assert len(found) == 50
    for place, train in enumerate(modules[0][0]):
        pulse = place % 10
        image = found[f"train {train}/{pulse}"]
        np.testing.assert_array_equal(image[:256], modules[0][1][place])
        there = modules[1][1][modules[1][0] == train]
        if len(there):
            np.testing.assert_array_equal(image[256:], there[pulse])
        else:
            assert np.all(image[256:] == 65535)
    assert batch.facts.metadata["images without some module"] == 10


def test_memory_cells_are_images_and_times_are_those_of_the_trains(tmp_path: Path) -> None:
    """JUNGFRAU: 16 shots of a train lie in one entry."""
    path = tmp_path / "RAW-R0001-JNGFR01-S00000.h5"
    counts = np.arange(2 * 3 * 4 * 5, dtype="f4").reshape(2, 3, 4, 5)
    with h5py.File(path, "w") as file:
        source = "SPB_IRDA_JF4M/DET/JNGFR01:daqOutput"
        file["INDEX/trainId"] = np.array([70, 71], "u8")
        file["INDEX/timestamp"] = np.array([5_000_000_000, 5_100_000_000], "u8")
        file[f"INDEX/{source}/data/first"] = np.array([0, 1], "u8")
        file[f"INDEX/{source}/data/count"] = np.array([1, 1], "u8")
        file[f"INSTRUMENT/{source}/data/adc"] = counts

    images = read(tmp_path).images

    np.testing.assert_array_equal([pixels(item) for item in images], counts.reshape(6, 4, 5))
    times = [item.time for item in images if isinstance(item, ReadImage)]
    assert times == pytest.approx([5.0] * 3 + [5.1] * 3)


def test_several_detectors_must_be_told_apart_by_name(lpd: Path) -> None:
    source = "FXE_XAD_JF1M/DET/JNGFR01:daqOutput"
    with h5py.File(lpd / "RAW-R0450-JNGFR01-S00000.h5", "w") as file:
        file["INDEX/trainId"] = np.array([10000], "u8")
        file[f"INDEX/{source}/data/first"] = np.array([0], "u8")
        file[f"INDEX/{source}/data/count"] = np.array([1], "u8")
        file[f"INSTRUMENT/{source}/data/adc"] = np.ones((1, 1, 4, 5), "f4")

    with pytest.raises(FrameError) as refusal:
        read(lpd)

    assert refusal.value.reason == "several datasets"
    assert "JF1M" in refusal.value.detail
    assert len(read(lpd, "JF1M").images) == 1
    with pytest.raises(FrameError, match="LPD1M"):
        read(lpd, "AGIPD")


def test_a_folder_without_files_of_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FrameError, match="RAW-R0001"):
        read(tmp_path)
