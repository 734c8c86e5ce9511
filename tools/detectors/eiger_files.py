"""The HDF5 files of a DECTRIS detector: a master, data files, or one file that grows."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import click
import h5py
import hdf5plugin
import numpy as np

from livepdf.cli.signals import stopped_by_signal
from tools.detectors.options import image_options
from tools.detectors.pictures import Image, Pictures, pictures

Master = Literal["first", "last", "none"]


@click.command("eiger-files")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@image_options
@click.option("--name", default="series_1", show_default=True)
@click.option("--per-file", type=click.IntRange(min=1), default=10, show_default=True)
@click.option(
    "--master",
    type=click.Choice(["first", "last", "none"]),
    default="first",
    show_default=True,
    help="Whether the master comes before or after its data files.",
)
@click.option("--missing", type=int, default=0, help="Number of a data file that never comes.")
@click.option("--cut", type=int, default=0, help="Number of a data file that is cut off.")
@click.option("--swmr", is_flag=True, help="One file that grows under SWMR instead.")
@click.option(
    "--lag",
    type=click.FloatRange(min=0),
    default=0.05,
    show_default=True,
    help="s between the moment when a frame of a growing file is announced and its pixels.",
)
@click.option("--seed", type=int, default=0, help="Of the noise.")
def main(
    folder: Path,
    name: str,
    per_file: int,
    master: Master,
    missing: int,
    cut: int,
    swmr: bool,
    lag: float,
    seed: int,
    **given: Any,
) -> None:
    """Write NAME_master.h5 and NAME_data_000001.h5 … into FOLDER (bitshuffle, LZ4).

    --missing and --cut leave a data file out, or half of it. --swmr writes one file that readers
    may follow; its frames are announced before their pixels are there, and read as zeros then.

    \b
    python3 -m tools.detectors eiger-files /tmp/in --master last --missing 2
    python3 -m tools.detectors eiger-files /tmp/in --swmr --rate 5
    """  # noqa: D301 click wants the real control character
    rate = given["rate"]
    seen = pictures(given, seed=seed)
    folder.mkdir(parents=True, exist_ok=True)
    print(f"writing {folder}", flush=True)
    with stopped_by_signal() as stop:
        try:
            if swmr:
                count = _growing(folder / f"{name}.h5", seen, rate=rate, lag=lag, stop=stop)
            else:
                count = _whole_files(
                    folder / name,
                    seen,
                    rate=rate,
                    per_file=per_file,
                    master=master,
                    missing=missing,
                    cut=cut,
                    stop=stop,
                )
        except OSError as error:
            sys.exit(f"eiger-files: {error}")
    print(json.dumps({"written": count}), flush=True)


def _whole_files(
    stem: Path,
    seen: Pictures,
    *,
    rate: float,
    per_file: int,
    master: Master,
    missing: int,
    cut: int,
    stop: threading.Event,
) -> int:
    number = -(-seen.series.images // per_file)
    if master == "first":
        _write_master(stem, seen, files=number)
    count = 0
    for place, images in enumerate(_groups(seen, per_file), start=1):
        if stop.wait(len(images) / rate):
            break
        if place == missing:
            continue
        path = stem.with_name(f"{stem.name}_data_{place:06d}.h5")
        _write_data(path, images, first=count + 1)
        count += len(images)
        if place == cut:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    if master == "last":
        _write_master(stem, seen, files=number)
    return count


def _groups(seen: Pictures, size: int) -> Iterator[tuple[Image, ...]]:
    while group := tuple(islice(seen.images, size)):
        yield group


def _write_data(path: Path, images: tuple[Image, ...], *, first: int) -> None:
    # Written aside and moved: files come from the control unit whole.
    aside = path.with_suffix(".tmp")
    with h5py.File(aside, "w") as file:
        data = file.create_dataset(
            "entry/data/data",
            data=np.stack(images),
            chunks=(1, *images[0].shape),
            **hdf5plugin.Bitshuffle(cname="lz4"),
        )
        data.attrs["image_nr_low"], data.attrs["image_nr_high"] = first, first + len(images) - 1
    aside.rename(path)


def _write_master(stem: Path, seen: Pictures, *, files: int) -> None:
    series = seen.series
    path = stem.with_name(f"{stem.name}_master.h5")
    with h5py.File(path.with_suffix(".tmp"), "w") as file:
        for number in range(1, files + 1):
            target = f"{stem.name}_data_{number:06d}.h5"
            link = h5py.ExternalLink(target, "/entry/data/data")
            file[f"entry/data/data_{number:06d}"] = link
        detector = file.create_group("entry/instrument/detector")
        detector["description"] = series.description
        detector["x_pixel_size"] = detector["y_pixel_size"] = series.pixel_m
        detector["count_time"] = detector["frame_time"] = series.frame_time
        specific = detector.create_group("detectorSpecific")
        specific["nimages"], specific["ntrigger"] = series.images, 1
        specific["pixel_mask"] = series.blind.astype("u4")
        beam = file.create_group("entry/instrument/beam")
        beam["incident_wavelength"] = 12.398419843 / series.energy
    path.with_suffix(".tmp").rename(path)


def _growing(path: Path, seen: Pictures, *, rate: float, lag: float, stop: threading.Event) -> int:
    shape = seen.series.shape
    count = 0
    with h5py.File(path, "x", libver="latest") as file:
        dataset = file.create_dataset(
            "entry/data/data",
            shape=(0, *shape),
            maxshape=(None, *shape),
            chunks=(1, *shape),
            dtype=np.dtype(seen.series.dtype),
            **hdf5plugin.Bitshuffle(cname="lz4"),
        )
        file.swmr_mode = True
        began = time.monotonic()
        for image in seen.images:
            if stop.wait(max(0.0, began + count / rate - time.monotonic())):
                break
            dataset.resize(count + 1, axis=0)
            dataset.flush()
            stop.wait(lag)
            dataset[count] = image
            dataset.flush()
            count += 1
    return count


if __name__ == "__main__":
    main()
