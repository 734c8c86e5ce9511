"""The compiled loops that images may need, as what can be asked for one by one."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from livepdf.analysis.quality.judge import Judge
from livepdf.analysis.quality.limits import Limits
from livepdf.analysis.quality.rings import look_at, ring_map
from livepdf.config.profile import Profile
from livepdf.daemon.detector import DetectorFiles
from livepdf.files.poni import read_poni
from livepdf.model.sums import empty_sums
from livepdf.numerics.kernel import NotCompiledError, nothing_compiled
from livepdf.numerics.unpack import UnpackError, unpack
from livepdf.reduction.integrator import Integrator, build_integrator

DTYPES = ("u1", "u2", "u4", "i4", "f4")
"""Of the images that detectors send; the loops see no other difference between them."""
Purpose = Literal["one", "many", "view"]
"""One image at a time, 16 side by side, or unpacked to be looked at."""
_WORDS = {"one": "single {} images", "many": "{} images side by side", "view": "the preview"}
_LIKELY = {"pilatus": ("i4",), "eiger": ("u4", "u2"), "jungfrau": ("i4", "f4")}
"""By the name of a detector."""
_ANY_SHAPE = (64, 64)


@dataclass(frozen=True, slots=True)
class Loops:
    """What one step compiles, or finds on disk."""

    dtype: str
    purpose: Purpose

    def __str__(self) -> str:
        return _WORDS[self.purpose].format(np.dtype(self.dtype))


def loops_of(dtype: np.dtype[Any], purpose: Purpose) -> Loops | None:
    """Return what an image of this type needs; None for a rare one, compiled when it comes."""
    name = f"{dtype.kind}{dtype.itemsize}"
    return Loops(name, purpose) if name in DTYPES else None


def likely_dtypes(profile: Profile) -> tuple[str, ...]:
    """Return what the detector of the calibration sends, as far as its name tells."""
    calibration = profile.detector.poni.read_text(encoding="utf-8", errors="replace").lower()
    for name, dtypes in _LIKELY.items():
        if name in calibration:
            return dtypes
    return ("u2", "i4")


def in_order(likely: Sequence[str]) -> tuple[Loops, ...]:
    """Return all loops: what the first images need, what more of them need, and the rest."""
    first = [Loops(dtype, "one") for dtype in likely]
    more = [Loops(likely[0], "view"), *(Loops(dtype, "many") for dtype in likely)]
    rest = [dtype for dtype in DTYPES if dtype not in likely]
    others = [loops for dtype in rest for loops in (Loops(dtype, "one"), Loops(dtype, "many"))]
    return (*first, *more, *others)


def compile_loops(integrator: Integrator, loops: Loops) -> None:
    """Compile them for images of this detector, or load them from disk."""
    if loops.purpose == "one":
        _judge_once()
    if loops.purpose != "view":
        integrator.warm_up(np.dtype(loops.dtype), batch=loops.purpose == "many")
        return
    header = (128).to_bytes(8, "big") + (128).to_bytes(4, "big")
    with contextlib.suppress(UnpackError):  # there is nothing behind the header
        unpack(header, algorithm="bslz4", shape=(8, 8), dtype=np.dtype(np.uint16))


def _judge_once() -> None:
    """Judge a frame and look at an image of nothing: every frame is judged."""
    ones = np.ones(1024)
    sums = replace(empty_sums(ones.size), signal=ones, variance=ones, weight=ones, pixels=ones)
    judge = Judge(Limits(), bins=ones.size)
    judge.judge(sums)
    judge.judge(sums)
    where = ring_map(
        np.arange(ones.size), shape=(32, 32), grid=ones.cumsum(), q=ones, azimuth=ones, weight=ones
    )
    assert where is not None
    image = np.zeros((32, 32), np.uint8)
    look_at(image, where, intensity=ones, factor=1.0, gain=1.0, low=0, high=9, textured=True)


def stand_in(files: DetectorFiles, profile: Profile) -> Integrator:
    """Return an integrator that runs the same loops while nobody knows the size of the images."""
    geometry = files.geometry or read_poni(profile.detector.poni, shape=_ANY_SHAPE)
    return build_integrator(geometry, npt=profile.integration.bins, split=profile.integration.split)


def cold(integrator: Integrator, wanted: Sequence[Loops]) -> Iterator[Loops]:
    """Yield those that are not on disk; nothing is compiled to find out."""
    for loops in wanted:
        try:
            with nothing_compiled():
                compile_loops(integrator, loops)
        except NotCompiledError:
            yield loops
