"""From detector images to the onset, against what was true; the long tables are in tests/long."""

import numpy as np
import pytest

from tests.analysis.synthesis import Synthesis, amplitudes, found_onset, heated, synthesis


@pytest.fixture(scope="module")
def unreacted() -> Synthesis:
    """A solution that is heated from 25 to 300 °C, with no chemistry."""
    growth = heated(frames=50, cold=20, speed=0.0)
    return synthesis("SnO2", seed=9001, frames=50, growth=growth)


def test_a_solvent_that_is_heated_with_no_chemistry_raises_no_onset(unreacted: Synthesis) -> None:
    z = amplitudes(unreacted, unreacted.references())

    cold, hot = z[:20], z[28:]
    assert found_onset(unreacted, z) is None
    assert abs(hot.mean() - cold.mean()) < 1.5
    assert 0.7 < hot.std(ddof=1) < 1.4
    assert np.all(np.abs(z) < 4.5)


def test_one_hot_blank_for_all_temperatures_is_taken_for_chemistry(unreacted: Synthesis) -> None:
    z = amplitudes(unreacted, unreacted.references(blanks=[unreacted.blanks[-1]]))

    assert abs(z[28:].mean() - z[:20].mean()) > 8.0
