"""What a simulated detector sees: powder, a growing crystal, files, or what another one saw."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.model.frame import Frame
from livepdf.simulate.powder import CAMERAS, WAVELENGTH, blind_pixels, powder_images
from livepdf.simulate.stream2 import Series

_HC = 12.398419843
"""keV Å"""
_DISTINCT = 8
"""Powder images that are drawn, then sent in turn."""
Image = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Pictures:
    """The images of one series, and what is announced of it."""

    series: Series
    images: Iterator[Image]
    poni: str | None = None
    """Calibration, where there is one."""


def pictures(given: dict[str, Any], *, seed: int) -> Pictures:
    """Take the options of the images out of all that was given, and open what they name."""
    camera, synthesis = given.pop("camera"), given.pop("synthesis")
    files, recording = given.pop("images"), given.pop("recording")
    frames, rate, write = given.pop("frames"), given.pop("rate"), given.pop("write")
    if synthesis is not None:
        found = _synthesis(synthesis, frames=frames, rate=rate, seed=seed)
    elif files:
        found = _seen(cycle(_files(files)), frames=frames, rate=rate)
    elif recording is not None:
        found = _seen(_recorded(recording), frames=frames, rate=rate)
    else:
        found = _powder(camera, frames=frames, rate=rate, seed=seed)
    if write is not None and found.poni is not None:
        write.write_text(found.poni, encoding="utf-8")
    return found


def _powder(name: str, *, frames: int, rate: float, seed: int) -> Pictures:
    camera = CAMERAS[name]
    drawn = powder_images(camera, count=min(_DISTINCT, frames), seed=seed)
    series = _series(
        camera.shape,
        np.dtype(camera.dtype),
        frames=frames,
        rate=rate,
        blind=blind_pixels(camera.geometry()),
        distance_m=camera.distance_m,
        pixel_m=camera.pixel_m,
        beam=camera.beam,
        description=f"{name} (simulated)",
    )
    return Pictures(series=series, images=islice(cycle(drawn), frames), poni=camera.poni_text())


def _synthesis(name: str, *, frames: int, rate: float, seed: int) -> Pictures:
    from livepdf.simulate.run import demo_run

    run = demo_run(name, frames=frames, rate=rate, seed=seed)
    images = (run.image(frame) for frame in range(frames))
    return Pictures(series=run.series(datetime.now(UTC)), images=images)


def _seen(images: Iterator[Image], *, frames: int, rate: float) -> Pictures:
    first = next(images)
    rows, columns = first.shape
    series = _series(
        (rows, columns),
        first.dtype,
        frames=frames,
        rate=rate,
        blind=np.zeros(first.shape, np.bool_),
        distance_m=0.2,
        pixel_m=172e-6,
        beam=(rows / 2, columns / 2),
        description="images of another detector",
    )

    def all_images() -> Iterator[Image]:
        yield first
        yield from islice(images, frames - 1)

    return Pictures(series=series, images=all_images())


def _series(
    shape: tuple[int, int],
    dtype: np.dtype[Any],
    *,
    frames: int,
    rate: float,
    blind: NDArray[np.bool_],
    distance_m: float,
    pixel_m: float,
    beam: tuple[float, float],
    description: str,
) -> Series:
    return Series(
        series_id=1,
        unique_id=uuid.uuid4().hex,
        images=frames,
        shape=shape,
        energy=_HC / WAVELENGTH,
        distance_m=distance_m,
        pixel_m=pixel_m,
        beam=beam,
        frame_time=1.0 / rate,
        blind=blind,
        armed=datetime.now(UTC),
        description=description,
        dtype=dtype.name,
    )


def _files(paths: tuple[Path, ...]) -> list[Image]:
    from livepdf.files.images import read_image

    found = [file for path in paths for file in ([path] if path.is_file() else path.iterdir())]
    return [np.asarray(read_image(file)) for file in sorted(found)]


def _recorded(path: Path) -> Iterator[Image]:
    from livepdf.cli.recording_open import feed_maker, opened
    from livepdf.model.recorded import SLOW

    with opened(path) as recording:
        feed = feed_maker(recording)()
        last = 0.0
        for message in recording.reader.messages():
            if message.raw.channel == SLOW:
                continue  # no message of the detector
            last = message.raw.received
            yield from _unpacked(feed.feed(message.raw))
        yield from _unpacked(feed.tick(now=last + 1e9))


def _unpacked(items: list[Any]) -> Iterator[Image]:
    from livepdf.numerics.unpack import unpack

    for item in items:
        if isinstance(item, Frame):
            image = item.image
            yield unpack(
                image.blob, algorithm=image.algorithm, shape=image.shape, dtype=image.dtype
            )
