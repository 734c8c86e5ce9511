"""From the socket's memory to the sums nothing as large as an image is ever allocated."""

import gc
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from livepdf.daemon.integrating import integrate_images
from livepdf.daemon.memory import keep_what_is_loaded
from livepdf.errors import FrameError
from livepdf.model.frame import Frame, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.reduction.integrator import Integrator, build_integrator
from livepdf.simulate.powder import PowderCamera
from livepdf.simulate.stream2 import Series, image_message, start_message
from livepdf.sources.dectris_v2_frames import DectrisV2Frames
from livepdf.sources.series import Patience

SHAPE = (1200, 1000)
CAMERA = PowderCamera(
    model="Detector",
    shape=SHAPE,
    pixel_m=200e-6,
    distance_m=0.1,
    dtype="int32",
    mean=3.0,
)


@pytest.fixture(scope="module")
def integrator() -> Integrator:
    return build_integrator(CAMERA.geometry(), npt=200)


@pytest.fixture(scope="module")
def messages() -> list[bytes]:
    series = Series(
        series_id=1,
        unique_id="x",
        images=16,
        shape=SHAPE,
        energy=74.5,
        distance_m=0.1,
        pixel_m=200e-6,
        beam=(600.0, 500.0),
        frame_time=0.01,
        blind=np.zeros(SHAPE, np.bool_),
        armed=datetime.now(UTC),
        dtype="int32",
    )
    image = np.random.default_rng(3).poisson(200.0, SHAPE).astype(np.int32)
    images = [image_message(series, index=n, image=image, user_data={}) for n in range(16)]
    return [start_message(series), *images]


def peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_sixteen_frames_need_less_than_one_of_them(
    integrator: Integrator, messages: list[bytes]
) -> None:
    integrator.warm_up(np.dtype("i4"), batch=True)
    feed = DectrisV2Frames(channel=None, patience=Patience(gap=1.0, header=1.0, idle=60.0))
    feed.feed(RawMessage(channel="s", received=time.time(), parts=(messages[0],)))
    blob = len(messages[1])
    items: list[SourceItem] = []

    def take_in() -> None:
        for message in messages[1:]:
            raw = RawMessage(channel="s", received=time.time(), parts=(memoryview(message),))
            items.extend(feed.feed(raw))

    taken_in = peak(take_in)
    frames = [item for item in items if isinstance(item, Frame)]
    results: list[object] = []

    def add_up(chosen: list[Frame]) -> None:
        results.extend(
            integrate_images(
                integrator,
                [frame.image for frame in chosen],
                monitors=[None] * len(chosen),
                exposures=[None] * len(chosen),
                by_monitor=False,
                by_exposure=False,
            )
        )

    add_up(frames[:1])
    together, alone = peak(lambda: add_up(frames)), peak(lambda: add_up(frames[:1]))

    assert len(frames) == 16
    assert not any(isinstance(result, FrameError) for result in results)
    image = 4 * SHAPE[0] * SHAPE[1]
    assert taken_in < blob < image
    assert together < image / 2
    assert alone < image / 8


def test_what_is_loaded_is_never_looked_through_for_garbage_again() -> None:
    try:
        keep_what_is_loaded()
        kept, looked_through = gc.get_freeze_count(), len(gc.get_objects())
    finally:
        gc.unfreeze()

    assert kept > 50_000
    assert looked_through < 0.01 * kept
