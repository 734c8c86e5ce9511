"""Which loops images need, in which order, and whether they are on disk."""

from pathlib import Path

import numpy as np
import pytest

from livepdf.config.load import load_profile
from livepdf.daemon.assemble import prepare
from livepdf.daemon.loops import (
    DTYPES,
    Loops,
    cold,
    compile_loops,
    in_order,
    likely_dtypes,
    loops_of,
    stand_in,
)
from livepdf.simulate.powder import CAMERAS
from tests.daemon import beamline


def test_every_step_is_there_once_and_the_likely_ones_come_first() -> None:
    steps = in_order(("i4",))

    assert [step.purpose for step in steps[:3]] == ["one", "view", "many"]
    assert {step.dtype for step in steps[:3]} == {"i4"}
    assert len(set(steps)) == len(steps) == 2 * len(DTYPES) + 1


@pytest.mark.parametrize(
    ("camera", "likely"),
    [("pilatus-2m", ("i4",)), ("eiger-9m", ("u4", "u2")), ("varex", ("u2", "i4"))],
)
def test_the_name_of_a_detector_tells_what_it_sends(
    tmp_path: Path, camera: str, likely: tuple[str, ...]
) -> None:
    profile, _ = beamline.write_settings(tmp_path)
    (tmp_path / "geometry.poni").write_text(CAMERAS[camera].poni_text())

    assert likely_dtypes(load_profile(profile)) == likely


def test_types_are_told_apart_by_kind_and_size_alone() -> None:
    assert (
        loops_of(np.dtype(">u2"), "one") == loops_of(np.dtype("<u2"), "one") == Loops("u2", "one")
    )
    assert loops_of(np.dtype("f8"), "one") is None


@pytest.mark.parametrize("known_shape", [True, False])
def test_loops_that_are_compiled_are_found_on_disk(tmp_path: Path, known_shape: bool) -> None:
    settings = beamline.write_settings(tmp_path, known_shape=known_shape)
    prepared = prepare(*settings)
    example = stand_in(prepared.detector, prepared.settings.profile)
    wanted = [Loops("u2", "one"), Loops("u2", "view")]
    for loops in wanted:
        compile_loops(example, loops)

    assert list(cold(example, wanted)) == []
    images = prepared.for_shape(beamline.SHAPE).integrator
    assert list(cold(images, wanted)) == []
