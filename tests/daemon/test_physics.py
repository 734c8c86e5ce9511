"""What profile and recipe say of the sample's surroundings, from a frame to its curves."""

from pathlib import Path

import numpy as np
import pytest

from livepdf.daemon.assemble import Pipeline, prepare
from livepdf.daemon.results import evaluate, evaluate_curves
from livepdf.daemon.windows import Stretch
from livepdf.errors import ConfigError, FrameError
from livepdf.model.curve import Span
from tests.daemon import beamline

RAMP = """
[[background]]
name = "water"
scale = 0.1
ramp = [{temperature = 300.0, file = "cold.chi"}, {temperature = 400.0, file = "hot.chi"}]
[absorption]
radius = 0.3
packing = 0.5
"""


def pipeline(folder: Path, *, detector: str = "", more: str = "") -> Pipeline:
    q = np.linspace(0.01, 40.0, 3000)
    for name, height in (("cold", 1.0), ("hot", 3.0)):
        table = np.column_stack([q, height * np.exp(-0.1 * q), np.full(q.size, 0.01)])
        np.savetxt(folder / f"{name}.chi", table)
    np.savetxt(folder / "rates.txt", np.column_stack([np.arange(20) * 1e5, np.arange(20) * 1.2e5]))
    profile, recipe = beamline.write_settings(folder, detector=detector, more=more)
    text = recipe.read_text().replace('composition = "Ni"', 'composition = "Ni"\ndensity = 8.9')
    recipe.write_text(text)
    made = prepare(profile, recipe).pipeline
    assert made is not None
    return made


def window(of: Pipeline, **environment: float) -> Stretch:
    frame = beamline.frame(0)
    span = Span(
        scope="window",
        run="r",
        number=0,
        first=0,
        last=0,
        frames=1,
        start=0.0,
        end=1.0,
        revision=1,
    )
    sums = of.integrator.integrate_packed(frame.image, exposure=frame.exposure)
    return Stretch(span=span, sums=sums, environment=tuple(environment.items()), received=0.0)


def test_a_window_gets_the_blank_of_its_temperature_and_the_absorption_of_its_energy(
    tmp_path: Path,
) -> None:
    made = pipeline(tmp_path, more=RAMP)
    capillary = made.plan.parameters.capillary
    assert capillary is not None
    assert capillary.mu > 0
    assert made.plan.parameters.energy == pytest.approx(12.398419843 / made.geometry.wavelength)

    cold, warm = (evaluate(made, window(made, temperature=t)) for t in (300.0, 350.0))
    lost = evaluate(made, window(made))

    blank = 0.1 * np.exp(-0.1 * made.plan.q) / made.plan.transmission
    less = cold.result.curve("iq").y - warm.result.curve("iq").y
    filled = np.isfinite(less)
    np.testing.assert_allclose(less[filled], blank[filled], rtol=1e-4)
    assert "temperature" in lost.trouble
    stored = evaluate_curves(made, [window(made, temperature=350.0), window(made)])
    np.testing.assert_array_equal(stored[0].curve("iq").y, warm.result.curve("iq").y)
    assert np.all(np.isnan(stored[1].curve("gr").y))


@pytest.mark.parametrize("told", ["seconds = 1e-5", 'table = "rates.txt"'])
def test_missed_counts_are_put_back_in_every_frame(tmp_path: Path, told: str) -> None:
    plain = pipeline(tmp_path)
    busy = pipeline(tmp_path, detector=f"dead_time = {{{told}}}")

    before, after = window(plain).sums, window(busy).sums

    assert np.all(after.signal >= before.signal)
    assert np.sum(after.signal) > 1.0005 * np.sum(before.signal)


def test_a_frame_without_exposure_time_has_no_rate(tmp_path: Path) -> None:
    made = pipeline(tmp_path, detector="dead_time = {seconds = 1e-7}")

    with pytest.raises(FrameError, match="no exposure"):
        made.integrator.integrate_packed(beamline.frame(0).image)


def test_a_table_of_rates_that_falls_is_a_complaint(tmp_path: Path) -> None:
    rows = np.column_stack([np.arange(20.0), np.arange(20.0)[::-1]])
    np.savetxt(tmp_path / "falls.txt", rows)
    settings = beamline.write_settings(tmp_path, detector='dead_time = {table = "falls.txt"}')

    with pytest.raises(ConfigError, match=r"detector\.dead_time\.table"):
        prepare(*settings)
