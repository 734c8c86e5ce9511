"""Flags on their way: from a frame into windows, books, lamps, events and the file."""

import math
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from livepdf.config.quality import Quality
from livepdf.daemon.assemble import prepare
from livepdf.daemon.inspector import Inspector, is_looked_at, pixel_map
from livepdf.model.frame import Frame
from livepdf.reduction.corrections import Flip, flipped, weight
from livepdf.wire.client import Client
from tests.daemon import beamline
from tests.daemon.beamline import counts, end, frame, pack, start
from tests.daemon.conftest import Bench

Start = Callable[..., Bench]
PLAIN_IMAGES = "[quality]\ntexture = 1e9\nspotty_rings = 1e9\n"
"""The images of these tests are no powder's: what is in their rings raises nothing."""
LEFT_OUT = '[quality]\nleave_out = ["beam lost"]\n'


def follow(client: Client, until: Callable[[], bool], timeout: float = 240.0) -> None:
    deadline = time.monotonic() + timeout
    while not until():
        assert time.monotonic() < deadline, client.mirror.status
        client.poll(0.1)


def dark(index: int) -> Frame:
    image = (counts(index) // 200).astype(np.uint16)
    return frame(index, image=pack(image))


def run_of(made: Bench, lost: range) -> None:
    made.source.put(start())
    made.source.put(*(dark(i) if i in lost else frame(i) for i in range(24)))
    made.source.put(end())


def test_flagged_frames_are_kept_and_named_in_their_window(bench: Start) -> None:
    made = bench(runs=1, more=PLAIN_IMAGES)
    client = made.client()
    client.connect()
    run_of(made, range(14, 18))
    follow(client, lambda: any(event.kind == "run end" for event in client.mirror.events))

    windows = client.mirror.windows
    assert windows is not None
    assert [len(flags) > 0 for flags in windows.flags] == [False, False, False, True, True, False]
    third = client.window(3)
    assert third.flags == ("beam lost",)
    assert third.flagged == (("beam lost", 14, 15),)
    assert dict(third.quality)["beam lost"] < 0.05
    assert third.span.frames == 4
    said = [event.text for event in client.mirror.events if event.kind == "warning"]
    assert any(text.startswith("beam lost: ") for text in said)


def test_frames_left_out_are_counted_and_the_books_add_up(bench: Start) -> None:
    made = bench(runs=1, more=LEFT_OUT)
    client = made.client()
    client.connect()
    run_of(made, range(14, 18))
    follow(client, lambda: any(event.kind == "run end" for event in client.mirror.events))
    made.finish()

    counters = made.service.status().counters
    assert (counters.received, counters.used, counters.left_out) == (24, 20, 4)
    assert counters.add_up()
    lamps = {lamp.name: lamp for lamp in made.service.status().quality}
    assert lamps["beam lost"].frames == 4
    assert not lamps["beam lost"].raised
    with h5py.File(made.service.files[0]) as file:
        assert file["entry/windows/frames"][:].tolist() == [4, 4, 4, 2, 2, 4]
        assert file["entry/quality/left_out"][:].sum() == 4
        assert b"beam lost" in file["entry/quality/flags"][3]
        assert file["entry/counters/left_out"][()] == 4
        assert file["entry/quality/beam_lost"][3] < 0.05


def test_what_a_file_says_of_its_windows_comes_back(tmp_path: Path) -> None:
    from dataclasses import replace

    from livepdf.model.marks import Marks
    from livepdf.sinks.nexus_quality import QualityTable, read_marks
    from tests.gui.publisher import growing_result

    given = Marks(
        flags=("bubble", "zingers"),
        numbers=(("bubble", 0.25), ("zingers", 4.0)),
        flagged=(("bubble", 3, 7), ("zingers", 5, 5)),
        left_out=2,
    )
    result = replace(
        growing_result(0, start=0.0), flags=given.flags, quality=given.numbers,
        flagged=given.flagged, left_out=given.left_out,
    )  # fmt: skip
    with h5py.File(tmp_path / "q.h5", "w") as file:
        QualityTable(file.create_group("quality")).put(0, [result])

        assert read_marks(file["quality"], 0) == given


def test_a_limit_that_was_never_reached_tells_why_there_is_no_number(bench: Start) -> None:
    lamps = {lamp.name: lamp for lamp in bench().service.status().quality}

    assert lamps["monitor jump"].reason == "the frames tell no I0"
    assert lamps["texture"].sampled


def test_images_are_looked_at_beside_the_frames(bench: Start) -> None:
    made = bench(more="[quality]\nlook_every = 1.0\n")
    client = made.client()
    client.connect()
    made.source.put(start())
    number = iter(range(10_000))

    def looked() -> bool:
        made.source.put(*(frame(next(number)) for _ in range(4)))
        status = client.mirror.status
        return status is not None and any(
            lamp.name == "spotty rings" and np.isfinite(lamp.value) for lamp in status.quality
        )

    follow(client, looked)
    assert isinstance(made.service._inspector, Inspector)


def spots_of(made: Bench, *, pace: int) -> list[float]:
    """Return what the file says of the rings of each window, frames put ``pace`` at a time."""
    client = made.client()
    client.connect()
    made.source.put(start())
    for first in range(0, 24, pace):
        made.source.put(*(frame(i) for i in range(first, first + pace)))
        if pace == 1:
            client.poll(0.05)
    made.source.put(end())
    follow(client, lambda: any(event.kind == "run end" for event in client.mirror.events))
    made.finish()
    with h5py.File(made.service.files[0]) as file:
        found: list[float] = file["entry/quality/spotty_rings"][:].tolist()
        return found


def test_which_images_are_looked_at_depends_neither_on_pace_nor_on_workers(bench: Start) -> None:
    settings = "[quality]\nlook_every = 4.0\n"
    slow = spots_of(bench(runs=1, more=settings, limits="workers = 1"), pace=1)
    fast = spots_of(bench(runs=1, more=settings, limits="workers = 2"), pace=24)

    # Every 8th of exposures of 0.5 s; windows hold four frames.
    assert np.isfinite(slow).tolist() == [True, False] * 3
    np.testing.assert_array_equal(slow, fast)


@pytest.mark.parametrize(
    ("exposure", "stride"),
    [(0.5, 4), (0.004, 512), (0.00397, 512), (1e-9, 512), (10.0, 1), (math.inf, 1),
     (None, 512), (math.nan, 512), (0.0, 512)],
)  # fmt: skip
def test_images_are_looked_at_by_number_and_exposure(exposure: float | None, stride: int) -> None:
    looked = [i for i in range(1025) if is_looked_at(frame(i, exposure=exposure), Quality())]

    assert looked == list(range(0, 1025, stride))


@pytest.mark.parametrize("flip", ["none", "ud", "lr", "udlr"])
def test_pixels_that_are_looked_at_are_where_the_arrays_of_all_pixels_say(
    tmp_path: Path, flip: Flip
) -> None:
    settings = beamline.write_settings(tmp_path, detector=f'flip = "{flip}"')
    pipeline = prepare(*settings).pipeline
    assert pipeline is not None
    where = pixel_map(pipeline)
    assert where is not None
    geometry, integration = pipeline.geometry, pipeline.profile.integration
    weights = weight(
        geometry,
        polarization=integration.polarization,
        solid_angle=integration.solid_angle,
        flip=flip,
    )

    q = flipped(geometry.q(), flip=flip).ravel()[where.places]
    grid = pipeline.integrator.q
    between = grid[where.left] + where.part * (grid[where.left + 1] - grid[where.left])
    np.testing.assert_allclose(between, np.clip(q, grid[0], grid[-1]), rtol=1e-6)
    np.testing.assert_allclose(where.weight, weights.ravel()[where.places], rtol=1e-6)
    assert not pipeline.ignored.ravel()[where.places].any()
