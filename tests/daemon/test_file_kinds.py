"""Every kind of file through the whole daemon: its frames are those of a direct integration."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fabio
import h5py
import hdf5plugin
import numpy as np
import pytest
from numpy.typing import NDArray

from livepdf.config.sources import Directory
from livepdf.daemon.assemble import Pipeline, prepare
from livepdf.daemon.service import Service
from livepdf.model.sums import intensity
from livepdf.sources.directory import DirectorySource
from tests.daemon import beamline

ROWS, COLUMNS = beamline.SHAPE
BAD = np.zeros(beamline.SHAPE, "u4")
BAD[10:20, 5:50] = 2
COUNT = 3


def images() -> NDArray[np.int32]:
    return np.stack([beamline.counts(n) for n in range(COUNT)]).astype(np.int32)


def tiff(folder: Path) -> None:
    for n, image in enumerate(images()):
        fabio.tifimage.TifImage(data=image).write(str(folder / f"a_{n}.tif"))


def cbf(folder: Path) -> None:
    for n, image in enumerate(images()):
        fabio.cbfimage.CbfImage(data=image).write(str(folder / f"a_{n}.cbf"))


def edf(folder: Path) -> None:
    for n, image in enumerate(images()):
        fabio.edfimage.EdfImage(data=image).write(str(folder / f"a_{n}.edf"))


def dectris(folder: Path) -> None:
    with h5py.File(folder / "x_data_000001.h5", "w") as file:
        file.create_dataset(
            "entry/data/data", data=images(), chunks=(1, ROWS, COLUMNS), **hdf5plugin.Bitshuffle()
        )
    with h5py.File(folder / "x_master.h5", "w") as file:
        file["entry/data/data_000001"] = h5py.ExternalLink("x_data_000001.h5", "/entry/data/data")
        specific = file.create_group("entry/instrument/detector/detectorSpecific")
        specific["pixel_mask"] = BAD
        specific["countrate_correction_count_cutoff"] = 300


def sacla(folder: Path) -> None:
    with h5py.File(folder / "run.h5", "w") as file:
        file["file_info/run_number_list"] = [7]
        run = file.create_group("run_7")
        run["event_info/tag_number_list"] = [10 + 2 * n for n in range(COUNT)]
        run["run_info/sacla_config/photon_energy_in_eV"] = 3650.0
        for module, half in enumerate((slice(0, ROWS // 2), slice(ROWS // 2, ROWS)), start=1):
            run[f"detector_2d_{module}/detector_info/absolute_gain"] = 10.0
            for n, image in enumerate(images()):
                name = f"detector_2d_{module}/tag_{10 + 2 * n}/detector_data"
                run[name] = (100.0 * image[half]).astype("f4")


def euxfel(folder: Path) -> None:
    (folder / "r0001").mkdir()
    for module, half in enumerate((slice(0, ROWS // 2), slice(ROWS // 2, ROWS))):
        path = folder / "r0001" / f"CORR-R0001-AGIPD0{module}-S00000.h5"
        with h5py.File(path, "w") as file:
            source = f"SPB_DET_AGIPD1M-1/DET/{module}CH0:xtdf"
            file["INDEX/trainId"] = np.array([100 + n for n in range(COUNT)], "u8")
            file[f"INDEX/{source}/image/first"] = np.arange(COUNT, dtype="u8")
            file[f"INDEX/{source}/image/count"] = np.ones(COUNT, "u8")
            file[f"INSTRUMENT/{source}/image/data"] = images()[:, half].astype("f4")
            file[f"INSTRUMENT/{source}/image/pulseId"] = np.zeros((COUNT, 1), "u8")


KINDS: dict[str, tuple[Callable[[Path], None], dict[str, Any]]] = {
    "tiff": (tiff, {}),
    "cbf": (cbf, {}),
    "edf": (edf, {}),
    "dectris": (dectris, {}),
    "sacla": (sacla, {}),
    "euxfel": (euxfel, {"layout": "extra-data"}),
}


def through_the_daemon(tmp_path: Path, folder: Path, **settings: Any) -> Path:
    """Watch a folder until its one run is over; return the file of the results."""
    prepared = prepare(*beamline.write_settings(tmp_path, window="frames = 1"))
    watched = {"path": folder, "start": "all", "poll": 0.05, "idle_timeout": 0.7, **settings}
    service = Service(
        prepared,
        DirectorySource(Directory(kind="directory", **watched)),
        output=tmp_path / "out",
        requests="tcp://127.0.0.1:0",
        results="tcp://127.0.0.1:0",
        runs=1,
    )
    service.start()
    assert service.stopping.wait(40)
    service.finish()
    assert service.failure is None
    (file,) = service.files
    return file


def direct(pipeline: Pipeline, image: NDArray[np.int32]) -> NDArray[np.float32]:
    divided, _ = intensity(pipeline.integrator.integrate(image))
    return divided.astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_every_image_is_used_as_it_was_written(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    write, settings = KINDS[kind]
    write(folder)

    results = through_the_daemon(tmp_path, folder, **settings)

    pipeline = prepare(tmp_path / "profile.toml", tmp_path / "recipe.toml").pipeline
    assert pipeline is not None
    if kind == "dectris":
        pipeline = pipeline.with_mask(BAD != 0).with_saturation(301)
    with h5py.File(results) as file:
        rows = file["entry/azint1d/data/I"][:]
        assert file["entry/counters/used"][()] == COUNT
        assert file["entry/counters/lost"][()] == 0
    expected = [direct(pipeline, image) for image in images()]
    np.testing.assert_allclose(rows, expected, rtol=1e-6)
