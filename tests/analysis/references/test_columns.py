import numpy as np
import pytest

from livepdf.analysis.references.columns import Recorded, build_references, merged
from livepdf.analysis.references.solute import solute_scale
from livepdf.numerics.compton import mean_compton
from livepdf.numerics.form_factors import mean_form_factors

Q = 0.02 * np.arange(50, 1001)
TIO2 = {"Ti": 1, "O": 2}


def solvent(t: float) -> np.ndarray:
    halo = np.exp(-(((Q - 2.0 + 0.1 * t) / 0.4) ** 2)) + 0.3 * np.exp(-(((Q - 3.2) / 0.8) ** 2))
    return np.asarray(2e4 * halo + 4e3 * np.exp(-0.15 * Q) + 300)


def recorded(mean: np.ndarray, rng: np.random.Generator, **more: float) -> Recorded:
    counts = rng.poisson(100 * mean) / 100
    return Recorded(intensity=counts, sigma=np.sqrt(mean / 100), **more)  # type: ignore[arg-type]


def test_the_noise_told_of_a_column_is_what_scatters_between_recordings() -> None:
    rng = np.random.default_rng(4)
    made = [build_references(q=Q, precursors=[recorded(solvent(0.0), rng)]) for _ in range(40)]

    scatter = np.std([r.columns[0].intensity for r in made], axis=0, ddof=1)

    told = np.sqrt(np.sum(made[0].columns[0].noise ** 2, axis=0))
    ratio = scatter / told
    assert 0.88 < np.median(ratio) < 1.12
    # Half of the noise or more is gone.
    assert np.median(told / np.sqrt(solvent(0.0) / 100)) < 0.7


@pytest.mark.parametrize(("changes", "names"), [(0.0, 1), (1.0, 2)])
def test_only_changes_of_the_solvent_above_their_noise_become_columns(
    changes: float, names: int
) -> None:
    rng = np.random.default_rng(6)
    blanks = [recorded(solvent(changes * t), rng, temperature=t) for t in np.linspace(-1, 1, 8)]

    found = build_references(q=Q, blanks=blanks)

    assert found.names[0] == "solvent"
    assert len(found.names) >= names if changes else len(found.names) == names


def test_few_cold_frames_and_a_single_blank_are_doubted() -> None:
    rng = np.random.default_rng(7)
    few, enough = (recorded(solvent(0.0), rng, frames=n) for n in (5, 20))

    doubtful = build_references(q=Q, precursors=[few], blanks=[recorded(solvent(0.0), rng)])

    assert any("5 frames" in doubt for doubt in doubtful.doubts)
    assert any("one blank" in doubt for doubt in doubtful.doubts)
    assert build_references(q=Q, precursors=[enough]).doubts == ()
    with pytest.raises(ValueError, match="temperature of each"):
        build_references(q=Q, blanks=[few, enough])


def test_recordings_are_merged_by_their_frames() -> None:
    one = Recorded(intensity=np.full(3, 1.0), sigma=np.full(3, 0.3), frames=10)
    other = Recorded(intensity=np.full(3, 4.0), sigma=np.full(3, 0.6), frames=20)

    both = merged([one, other])

    np.testing.assert_allclose(both.intensity, 3.0)
    np.testing.assert_allclose(both.sigma, np.hypot(0.3, 2 * 0.6) / 3)
    assert both.frames == 30


def test_free_atoms_tell_how_much_solute_a_solution_holds() -> None:
    rng = np.random.default_rng(8)
    mean, square = mean_form_factors(q=Q, composition=TIO2)
    free = square + mean_compton(q=Q, composition=TIO2, energy=60.0)
    order = mean**2 * np.sin(1.95 * Q) / Q * 6 * np.exp(-0.005 * Q**2)
    expected = 20.0 * (free + order) + 0.9 * solvent(0.0)
    counts = rng.poisson(100 * expected) / 100
    asked = {
        "solvent": [solvent(0.0)],
        "free_atoms": free,
        "mean_f2": mean**2,
        "shortest": 1.5,
        "reach": 20.0,
    }

    scale, sigma = solute_scale(
        q=Q,
        intensity=counts,
        sigma=np.sqrt(expected / 100),
        **asked,  # type: ignore[arg-type]
    )

    assert abs(scale - 1 / 20) < 3 * sigma
    assert sigma < 0.03 / 20
    short = {"solvent": [solvent(0.0)[:300]], "free_atoms": free[:300], "mean_f2": mean[:300] ** 2}
    asked = {"q": Q[:300], "intensity": counts[:300], "sigma": np.ones(300), **short}
    with pytest.raises(ValueError, match="too short"):
        solute_scale(shortest=1.5, reach=20.0, **asked)  # type: ignore[arg-type]
