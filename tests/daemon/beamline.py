"""A beamline that fits on a screen: small settings, frames of known counts, a scripted source."""

import queue
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from livepdf.model.frame import Frame, FrameRefused, PackedImage, RunEnd, RunStart, SourceItem

SHAPE = (120, 100)
START = 1_700_000_000.0

PONI = """poni_version: 2.1
Detector: Detector
Detector_config: {"pixel1": 1e-3, "pixel2": 1e-3, "max_shape": %s, "orientation": 3}
Distance: 0.08
Poni1: 0.06
Poni2: 0.05
Rot1: 0.0
Rot2: 0.0
Rot3: 0.0
Wavelength: 2e-11
"""

PROFILE = """
[instrument]
name = "test bench"
[source]
kind = "dectris-stream-v2"
endpoint = "tcp://127.0.0.1:{port}"
[detector]
poni = "geometry.poni"
{detector}
[integration]
bins = 200
[wire]
requests = "{requests}"
[limits]
{limits}
queue = {queue}
[output]
flush = 0.2
"""

RECIPE = """
[sample]
composition = "Ni"
[reduction]
qmin = 1.0
qmax = 18.0
rmax = 20.0
rstep = 0.05
[window]
{window}
[[peak]]
name = "Ni-Ni"
near = 2.49
{more}
"""


def write_settings(
    folder: Path,
    *,
    window: str = "frames = 4",
    requests: str = "tcp://127.0.0.1:0",
    port: int = 9,
    detector: str = "",
    queue_mib: int = 16,
    limits: str = "workers = 2",
    known_shape: bool = True,
    more: str = "",
) -> tuple[Path, Path]:
    shape = str(list(SHAPE)) if known_shape else "null"
    (folder / "geometry.poni").write_text(PONI % shape)
    profile, recipe = folder / "profile.toml", folder / "recipe.toml"
    profile.write_text(
        PROFILE.format(
            port=port, detector=detector, requests=requests, queue=queue_mib, limits=limits
        )
    )
    recipe.write_text(RECIPE.format(window=window, more=more))
    return profile, recipe


def counts(index: int, shape: tuple[int, int] = SHAPE) -> NDArray[np.uint16]:
    """Photons of frame ``index``: a smooth halo with noise, the same at every call."""
    y, x = np.indices(shape)
    radius = np.hypot(y - shape[0] / 2, x - shape[1] / 2)
    expected = 400.0 * np.exp(-radius / 30.0) + 30.0 * np.cos(radius / 4.0) + 60.0
    return np.random.default_rng(index).poisson(expected).astype(np.uint16)


def pack(image: NDArray[np.generic]) -> PackedImage:
    rows, columns = image.shape
    return PackedImage(
        blob=image.tobytes(), algorithm="raw", shape=(rows, columns), dtype=image.dtype
    )


def frame(
    index: int, *, series: str = "1", image: PackedImage | None = None, **more: object
) -> Frame:
    given: dict[str, object] = {
        "received": time.time(),
        "time": START + 0.5 * index,
        "exposure": 0.5,
        "environment": {"temperature": 300.0 + index},
        **more,
    }
    return Frame(
        series=series,
        index=index,
        image=pack(counts(index)) if image is None else image,
        origin=f"{series}/{index}",
        **given,  # type: ignore[arg-type]
    )


def truncated(index: int, *, series: str = "1") -> Frame:
    whole = pack(counts(index))
    cut = PackedImage(blob=whole.blob[:100], algorithm="raw", shape=whole.shape, dtype=whole.dtype)
    return frame(index, series=series, image=cut)


def start(series: str = "1", name: str = "growth", **more: object) -> RunStart:
    return RunStart(series=series, name=name, time=START, **more)  # type: ignore[arg-type]


def end(series: str = "1") -> RunEnd:
    return RunEnd(series=series, time=START + 1000.0, reason="end")


def refused(series: str = "1", reason: str = "malformed") -> FrameRefused:
    return FrameRefused(series=series, reason=reason, detail="test", time=START)


class ScriptedSource:
    """Hands out what the test puts into it."""

    description = "scripted"

    def __init__(self) -> None:
        self._items: queue.Queue[SourceItem] = queue.Queue()
        self.missing = 0
        self.open_calls = 0
        self.closed = False

    def put(self, *items: SourceItem) -> None:
        for item in items:
            self._items.put(item)

    def open(self) -> None:
        self.open_calls += 1

    def poll(self, timeout: float) -> list[SourceItem]:
        try:
            items = [self._items.get(timeout=timeout)]
        except queue.Empty:
            return []
        while not self._items.empty():
            items.append(self._items.get())
        return items

    def state(self) -> str:
        return "connected"

    def lost(self) -> int:
        return self.missing

    def close(self) -> None:
        self.closed = True
