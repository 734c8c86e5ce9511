"""Simulated shots through the pipeline of a real profile and recipe, without sockets."""

import functools
from pathlib import Path
from typing import Any

from livepdf.cli.shots_files import write_shot_settings
from livepdf.daemon.assemble import Pipeline, prepare
from livepdf.daemon.breakdown import BreakdownFollower
from livepdf.daemon.calibrating import calibrating
from livepdf.daemon.hit_looks import HitLooks
from livepdf.daemon.pump_probe import LaserFollower
from livepdf.daemon.serial import SerialFollower
from livepdf.daemon.workers import integrate_here
from livepdf.model.frame import Frame
from livepdf.model.sums import Sums
from livepdf.simulate.xfel import XfelRun
from tests.daemon import beamline

Follower = LaserFollower | SerialFollower | BreakdownFollower


def pipeline(run: XfelRun, folder: Path, *, changes: dict[str, str] | None = None) -> Pipeline:
    profile, recipe = write_shot_settings(run, folder, endpoint="tcp://127.0.0.1:9")
    for old, new in (changes or {}).items():
        for file in (profile, recipe):
            file.write_text(file.read_text().replace(old, new))
    made = prepare(profile, recipe).for_shape(run.sensor.shape)
    return made.with_saturation(run.electronics.full)


def frame(run: XfelRun, index: int, **more: Any) -> Frame:
    record = run.record(index)
    monitor = record.pop("monitor")
    return beamline.frame(
        index,
        image=beamline.pack(run.image(index)),
        monitor=monitor,
        environment=record,
        **more,
    )


def follow(run: XfelRun, made: Pipeline) -> Any:
    """Send all shots through workers and follower; return the follower."""
    recipe = made.recipe
    looks = HitLooks()
    integrate = calibrating(looks.watching(integrate_here))
    follower: Any
    if recipe.serial is not None:
        follower = SerialFollower(recipe.serial, made, run="run")
        take = lambda f, s: follower.take(f, s, looks.take(f))  # noqa: E731
    elif recipe.breakdown is not None:
        follower = BreakdownFollower(recipe.breakdown, made, run="run")
        take = functools.partial(follower.take)
    else:
        assert recipe.pump_probe is not None
        follower = LaserFollower(recipe.pump_probe, made, run="run")
        take = functools.partial(follower.take)
    for index in range(len(run.truths)):
        one = frame(run, index)
        (sums,) = integrate(made, [one])
        assert isinstance(sums, Sums), sums
        take(one, sums)
    return follower
