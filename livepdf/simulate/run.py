"""One simulated run: which images a sample gives on a detector, and what was true in each."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from livepdf.simulate.detector import Camera, Detector, Size, camera_for, demo_detector
from livepdf.simulate.growth import Truth
from livepdf.simulate.sample import Sample, demo_sample
from livepdf.simulate.stream2 import Series, end_message, image_message, start_message

_PIXEL = 172e-6
"""m"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """A series of frames that can be drawn in any order, any number of times."""

    sample: Sample
    detector: Detector
    frames: int
    rate: float
    """Hz"""
    photons: float
    """Expected counts of a frame of the unreacted solution; the flux is the same in a blank."""
    seed: int
    blank: bool = False
    """Water and capillary alone, through the same heating."""

    @cached_property
    def truths(self) -> tuple[Truth, ...]:
        """What is true in every frame of the synthesis (of a blank: the temperature only)."""
        return self.sample.truths(frames=self.frames, rate=self.rate)

    @cached_property
    def camera(self) -> Camera:
        """The detector with its flux."""
        cold = self.sample.intensity(self.truths[0])
        return camera_for(self.detector, q=self.sample.q, pattern=cold, photons=self.photons)

    def pattern(self, frame: int) -> NDArray[np.float64]:
        """Return the noise-free pattern of a frame, (n_q,) on ``sample.q``."""
        truth = self.truths[frame]
        return self.sample.blank(truth.temperature) if self.blank else self.sample.intensity(truth)

    def image(self, frame: int) -> NDArray[np.uint32]:
        """Draw a frame, (ny, nx)."""
        # A blank must not share its noise with the run that it is subtracted from.
        seed = 2 * self.seed + int(self.blank)
        return self.camera.image(self.pattern(frame), seed=seed, frame=frame)

    def series(self, armed: datetime) -> Series:
        """Describe the run as a detector announces it."""
        return Series(
            series_id=1,
            unique_id=uuid.uuid4().hex,
            images=self.frames,
            shape=self.detector.shape,
            energy=self.detector.energy,
            distance_m=self.detector.distance_m,
            pixel_m=_PIXEL,
            beam=self.detector.beam,
            frame_time=1.0 / self.rate,
            blind=self.detector.blind,
            armed=armed,
        )

    def messages(self, series: Series) -> tuple[bytes, Iterator[bytes], bytes]:
        """Return start, images (each drawn when it is asked for) and end of the series."""
        images = (self._message(series, frame) for frame in range(self.frames))
        return start_message(series), images, end_message(series)

    def _message(self, series: Series, frame: int) -> bytes:
        user_data = {"temperature": self.truths[frame].temperature}
        return image_message(series, index=frame, image=self.image(frame), user_data=user_data)


def demo_run(
    sample: str = "hfo2",
    *,
    size: Size = "half",
    frames: int = 600,
    rate: float = 10.0,
    photons: float = 1e7,
    seed: int = 0,
    blank: bool = False,
) -> Run:
    """Return the run of a ready sample, ``hfo2`` or ``tio2``, on a ready detector."""
    if frames < 1 or not rate > 0.0 or not photons > 0.0:
        raise ValueError(f"frames {frames}, rate {rate} and photons {photons} must be positive")
    return Run(
        sample=demo_sample(sample, seed=seed),
        detector=demo_detector(size),
        frames=frames,
        rate=rate,
        photons=photons,
        seed=seed,
        blank=blank,
    )


def blank_images(
    run: Run, *, frames: int, temperature: float | None = None
) -> Iterator[NDArray[np.uint32]]:
    """Draw images of water and capillary alone at a temperature in K, each (ny, nx).

    At the hot end where none is told. For the flux of the run, so that their mean is subtracted
    with a scale of 1.
    """
    heat = run.sample.growth.hot_temperature if temperature is None else temperature
    # Noise of its own for each temperature.
    seed = 2 * run.seed + 1 + 1000 * round(heat)
    pattern = run.sample.blank(heat)
    for frame in range(frames):
        yield run.camera.image(pattern, seed=seed, frame=run.frames + frame)


def precursor_images(run: Run, *, frames: int) -> Iterator[NDArray[np.uint32]]:
    """Draw images of the cold solution before it reacts, each (ny, nx), for the flux of the run."""
    pattern = run.sample.intensity(run.truths[0])
    for frame in range(frames):
        yield run.camera.image(pattern, seed=2 * run.seed + 7, frame=2 * run.frames + frame)


def expected_iq(run: Run, pattern: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what integrating a noise-free image of ``pattern`` gives, (n_q,) on ``sample.q``.

    In counts per frame and unit of solid angle × polarization, both relative.
    """
    return np.asarray(run.camera.flux * pattern)
