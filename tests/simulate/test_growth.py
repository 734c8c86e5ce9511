import json
from pathlib import Path

import numpy as np
import pytest

from livepdf.simulate.growth import Growth, growth_curves, growth_truths, read_truths, write_truths

LATTICE = (5.0, 5.1, 5.2, 90.0, 99.0, 90.0)


def test_an_isothermal_growth_follows_jmak_in_closed_form() -> None:
    growth = Growth(cold_temperature=573.0, speed=3.0, avrami=1.7)

    _, conversion, _ = growth_curves(growth, frames=200)

    t = (np.arange(200) + 0.5) / 200
    np.testing.assert_allclose(conversion, 1 - np.exp(-((3.0 * t) ** 1.7)), atol=1e-9)


def test_nothing_forms_before_the_heater_is_on() -> None:
    temperature, conversion, diameter = growth_curves(Growth(), frames=100)

    cold = slice(0, 14)
    assert (temperature[cold] == 298.0).all()
    assert (conversion[cold] < 1e-6).all()
    assert np.isnan(diameter[cold]).all()


def test_particles_grow_from_the_first_to_the_last_diameter() -> None:
    _, conversion, diameter = growth_curves(Growth(), frames=600)

    formed = diameter[np.isfinite(diameter)]
    assert formed[0] == pytest.approx(20.0, abs=0.1)
    assert formed[-1] == pytest.approx(50.0, abs=0.1)
    assert (np.diff(formed) > 0).all()
    assert conversion[-1] > 0.99


def test_the_lattice_expands_with_the_heat() -> None:
    truths = growth_truths(Growth(), frames=50, rate=10.0, nearest_neighbour=2.1, lattice=LATTICE)

    last = truths[-1]
    strain = 7e-6 * (last.temperature - 298.0)
    assert last.lattice[0] == pytest.approx(5.0 * (1 + strain))
    assert last.nearest_neighbour == pytest.approx(2.1 * (1 + strain))
    assert truths[0].lattice == pytest.approx(LATTICE)


def test_truths_survive_their_file_and_unknown_is_null(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    truths = growth_truths(Growth(), frames=20, rate=10.0, nearest_neighbour=2.1, lattice=LATTICE)

    write_truths(path, truths)

    assert read_truths(path)[1:][-1] == truths[-1]
    first = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    assert first["domain_size"] is None
