"""The less common ways of `livepdf pdf`: each file that it writes repeats itself."""

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result

from livepdf.cli.pdf import pdf
from livepdf.errors import ConfigError, FileError
from livepdf.files.columns import read_columns
from livepdf.numerics.compton import mean_compton
from livepdf.numerics.form_factors import mean_form_factors

Find = Callable[[str], Path]
TIO2 = {"Ti": 1, "O": 2}
Q = 0.02 * np.arange(10, 1260)
RECIPE = """
[sample]
composition = "TiO2"
[reduction]
qmin = 0.8
qmax = 20.0
qmaxinst = 24.0
rmin = 0.5
rmax = 20.0
"""


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(pdf, [str(argument) for argument in arguments])


def _done(*arguments: object) -> str:
    result = _run(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def _report(*arguments: object) -> dict[str, object]:
    return json.loads(_done(*arguments, "--json").splitlines()[-1])  # type: ignore[no-any-return]


def _expected(grown: float = 1.0) -> np.ndarray:
    waves = sum(np.sin(Q * r) / (1 + Q * r) for r in (1.95, 3.04, 3.79)) * np.exp(-0.005 * Q**2)
    own = mean_form_factors(q=Q, composition=TIO2)[1] * (1 + grown * waves)
    return np.asarray(30 * (own + mean_compton(q=Q, composition=TIO2, energy=None)))


def _solvent(kelvin: float) -> np.ndarray:
    t = (kelvin - 400) / 100
    return np.asarray(2e4 * np.exp(-(((Q - 2 + 0.1 * t) / 0.5) ** 2)) + 3e3 * np.exp(-0.1 * Q))


def _write(path: Path, expected: np.ndarray, seed: int = 0, exposure: float = 1.0) -> Path:
    counts = np.random.default_rng(seed).poisson(exposure * expected).astype(np.float64)
    np.savetxt(path, np.column_stack([Q, counts / exposure, np.sqrt(counts) / exposure]))
    return path


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


def _repeats(tmp_path: Path, sample: Path, *more: object) -> None:
    """Reduce by what is in ``first.gr`` and find the same bytes."""
    _done(sample, "-c", tmp_path / "first.gr", "-o", tmp_path / "second.gr", *more)
    first, second = ((tmp_path / f"{n}.gr").read_bytes() for n in ("first", "second"))
    assert first == second


@pytest.mark.parametrize("name", ["AgNbClO4", "NSPS_room", "NSSbS_room", "NaZrYCl_1"])
def test_a_published_f_is_transformed_to_its_g(data_path: Find, tmp_path: Path, name: str) -> None:
    folder = data_path("pdf1d/fq_gr_pairs")

    _done(folder / f"{name}.fq", "-c", folder / f"{name}.gr", "-o", tmp_path / "a.gr")

    found, published = read_columns(tmp_path / "a.gr"), read_columns(folder / f"{name}.gr")
    off = np.sqrt(np.sum((found.y - published.y) ** 2) / np.sum(published.y**2))
    assert off < 1e-5


def test_an_intensity_that_was_written_already_has_no_background_and_is_in_angstrom(
    data_path: Find, tmp_path: Path
) -> None:
    folder = data_path("pdf1d/ni_all_stages")

    # The header names a background that is not there, and nm⁻¹.
    _done(folder / "ni.iq", "-c", folder / "ni.gr", "-o", tmp_path / "a.gr")

    found, published = read_columns(tmp_path / "a.gr").y, read_columns(folder / "ni.gr").y
    assert np.sqrt(np.sum((found - published) ** 2) / np.sum(published**2)) < 2e-5


def test_every_stage_that_livepdf_writes_leads_to_the_same_g(tmp_path: Path, recipe: Path) -> None:
    sample = _write(tmp_path / "s.chi", _expected() + 200)
    blank = _write(tmp_path / "b.chi", np.full(Q.size, 200.0))
    out = tmp_path / "first.gr"

    _done(sample, "-b", blank, "-c", recipe, "-o", out, "--outputs", "iq,sq,fq,gr")
    for kind in ("iq", "sq", "fq"):
        _done(tmp_path / f"first.{kind}", "-c", out, "-o", tmp_path / f"{kind}.gr")
        again, whole = read_columns(tmp_path / f"{kind}.gr"), read_columns(out)
        np.testing.assert_allclose(again.y, whole.y, atol=2e-6 * np.abs(whole.y).max())

    assert isinstance(_run(out, "-c", out).exception, FileError)


def test_s_with_errors_from_banks_goes_through_as_it_is(tmp_path: Path) -> None:
    neutron = tmp_path / "n.toml"
    neutron.write_text(RECIPE + 'mode = "neutron"\n', encoding="utf-8")
    rng, rise = np.random.default_rng(2), 0.6 * np.sin(1.95 * Q) / Q * np.exp(-0.003 * Q**2)
    for number, (low, high, sigma) in enumerate([(0.2, 14.0, 0.004), (6.0, 25.2, 0.008)]):
        part = (low < Q) & (high > Q)
        noise = rng.normal(size=Q.size) * sigma
        table = np.column_stack([Q, 1 + rise + noise, np.full(Q.size, sigma)])[part]
        np.savetxt(tmp_path / f"bank{number}.sq", table)
    asked = ("--bank", tmp_path / "bank1.sq", "--quantity", "sq")

    report = _report(
        tmp_path / "bank0.sq", *asked, "-c", neutron, "-o", tmp_path / "first.gr",
        "--outputs", "sq,gr",
    )  # fmt: skip

    sq = read_columns(tmp_path / "first.sq")
    assert sq.sigma is not None
    pulls = (sq.y - np.interp(sq.x, Q, 1 + rise)) / sq.sigma
    assert np.std(pulls) == pytest.approx(1.0, abs=0.1)
    both = (sq.x > 6.5) & (sq.x < 13.5)
    assert np.median(sq.sigma[both]) == pytest.approx(0.004 / np.sqrt(1 + 0.25), rel=0.02)
    assert report["scale"] == 1.0
    assert read_columns(tmp_path / "first.gr").sigma is not None
    _repeats(tmp_path, tmp_path / "bank0.sq", "--bank", tmp_path / "bank1.sq")


def test_two_banks_on_the_same_points_halve_the_variance_of_g(tmp_path: Path, recipe: Path) -> None:
    # The first point is no multiple of the step: a grid of multiples would interpolate.
    table = np.loadtxt(_write(tmp_path / "a.chi", 30 * _expected()))
    table[:, 0] += 0.009
    np.savetxt(tmp_path / "a.chi", table)
    _done(tmp_path / "a.chi", "-c", recipe, "-o", tmp_path / "one.gr")

    _done(tmp_path / "a.chi", "--bank", tmp_path / "a.chi", "-c", recipe, "-o", tmp_path / "two.gr")

    one, two = (read_columns(tmp_path / f"{name}.gr") for name in ("one", "two"))
    assert one.sigma is not None
    assert two.sigma is not None
    np.testing.assert_allclose(two.y, one.y, atol=1e-6 * np.max(np.abs(one.y)))
    np.testing.assert_allclose(two.sigma[1:] / one.sigma[1:], np.sqrt(0.5), rtol=1e-3)


def test_a_difference_is_that_of_both_with_one_scale_and_its_file_repeats_it(
    tmp_path: Path, recipe: Path
) -> None:
    hot = _write(tmp_path / "hot.chi", 2.0 * _expected(1.3), seed=1)
    cold = _write(tmp_path / "cold.chi", 2.0 * _expected(1.0), seed=2)
    common = ("-c", recipe, "--scale-from", cold)
    for sample in (hot, cold):
        _done(sample, *common, "-o", tmp_path / f"{sample.stem}.gr")

    _done(hot, "-c", recipe, "--minus", cold, "-o", tmp_path / "first.gr")
    _done(hot, *common, "--minus", tmp_path / "cold.gr", "-o", tmp_path / "plain.gr")

    delta, plain = read_columns(tmp_path / "first.gr"), read_columns(tmp_path / "plain.gr")
    each = [read_columns(tmp_path / f"{n}.gr") for n in ("hot", "cold")]
    np.testing.assert_allclose(delta.y, each[0].y - each[1].y, atol=1e-6)
    np.testing.assert_allclose(plain.y, delta.y, atol=1e-6)
    assert delta.sigma is not None
    assert plain.sigma is not None
    np.testing.assert_allclose(delta.sigma, plain.sigma, rtol=0.05)
    _repeats(tmp_path, hot)
    bond = np.argmax(np.where(delta.x < 2.5, delta.y, 0.0))
    assert delta.x[bond] == pytest.approx(1.95, abs=0.1)


def test_qmax_and_window_follow_from_the_noise_and_are_repeated(
    tmp_path: Path, recipe: Path
) -> None:
    faint = _write(tmp_path / "faint.chi", _expected(), exposure=0.1)
    bright = _write(tmp_path / "bright.chi", _expected(), exposure=1e6)
    asked = ("-c", recipe, "-o", tmp_path / "first.gr", "--qmax", "auto")

    at_best = _report(bright, *asked)
    report = _report(faint, *asked, "--taper", "wiener")

    assert at_best["qmax"] == 24.0
    assert isinstance(report["qmax"], float)
    assert 8 < report["qmax"] < 20
    _repeats(tmp_path, faint)
    assert "taper = wiener" in (tmp_path / "first.gr").read_text(encoding="ascii")


def test_a_solvent_follows_the_temperature_and_the_file_repeats_it(tmp_path: Path) -> None:
    points = []
    for kelvin in (300, 350, 400, 450, 500):
        _write(tmp_path / f"w{kelvin}.chi", _solvent(kelvin), seed=kelvin, exposure=50)
        points.append(f'{{temperature = {kelvin}, file = "w{kelvin}.chi"}}')
    ramped = tmp_path / "ramp.toml"
    ramped.write_text(
        f'{RECIPE}[[background]]\nname = "water"\nscale = 0.9\ndenoise = 12.0\n'
        f"ramp = [{', '.join(points)}]\n",
        encoding="utf-8",
    )
    plain = tmp_path / "plain.toml"
    plain.write_text(RECIPE, encoding="utf-8")
    hot = _write(tmp_path / "hot.chi", _expected() + 0.9 * _solvent(475.0), exposure=50)
    bare = _write(tmp_path / "bare.chi", _expected(), exposure=50)

    _done(bare, "-c", plain, "-o", tmp_path / "bare.gr")
    _done(hot, "-c", ramped, "-o", tmp_path / "first.gr", "--temperature", 475)
    _done(hot, "-c", plain, "-b", tmp_path / "w400.chi", "--bgscale", 0.9, "-o", tmp_path / "c.gr")

    first, want, cold = (read_columns(tmp_path / f"{n}.gr").y for n in ("first", "bare", "c"))
    assert np.std(first - want) < 0.4 * np.std(cold - want)
    assert (tmp_path / "first.water.bkg").exists()
    _done(hot, "-c", tmp_path / "first.gr", "-o", tmp_path / "second.gr")
    np.testing.assert_allclose(read_columns(tmp_path / "second.gr").y, first, atol=1e-6)
    nobody_knows = _run(hot, "-c", ramped, "-o", tmp_path / "d.gr").exception
    assert isinstance(nobody_knows, ConfigError)
    assert "temperature" in str(nobody_knows)


def test_absorption_and_dispersion_are_repeated_from_the_header(tmp_path: Path) -> None:
    absorbing = tmp_path / "a.toml"
    absorbing.write_text(
        f'{RECIPE}dispersion = true\nenergy = 40.0\n[[background]]\nfile = "cell.chi"\n'
        "cell = true\n[absorption]\nradius = 0.35\nmu = 1.5\nwall = 0.01\nwall_mu = 0.4\n",
        encoding="utf-8",
    )
    _write(tmp_path / "cell.chi", np.full(Q.size, 100.0))
    sample = _write(tmp_path / "s.chi", _expected() + 60)

    _done(sample, "-c", absorbing, "-o", tmp_path / "first.gr")

    _repeats(tmp_path, sample)
    assert "capillary = 0.35 1.5 0.01 0.4" in (tmp_path / "first.gr").read_text(encoding="ascii")


def test_the_covariance_holds_the_squares_of_sigma(tmp_path: Path, recipe: Path) -> None:
    sample = _write(tmp_path / "s.chi", _expected())

    report = _report(sample, "-c", recipe, "-o", tmp_path / "a.gr", "--covariance")

    gr = read_columns(tmp_path / "a.gr")
    with h5py.File(tmp_path / "a.cov.h5") as file:
        r, covariance = file["r"][:], file["covariance"][:]
    assert gr.sigma is not None
    np.testing.assert_allclose(
        np.sqrt(np.diag(covariance)), np.interp(r, gr.x, gr.sigma), rtol=1e-4
    )
    # Neighbours that far apart are still one noise: that is why it is asked for.
    assert r[1] - r[0] <= np.pi / 40
    length = report["correlation_length"]
    assert isinstance(length, float)
    assert length > np.pi / 20
    assert "correlation_length" in (tmp_path / "a.gr").read_text(encoding="ascii")


def test_advice_is_given_where_the_bond_is_known(tmp_path: Path, recipe: Path) -> None:
    sample = _write(tmp_path / "s.chi", _expected())

    output = _done(sample, "-c", recipe, "-o", tmp_path / "a.gr", "--bond", 1.95, "--rpoly", 2.0)
    report = _report(sample, "-c", recipe, "-o", tmp_path / "a.gr", "--bond", 1.95)

    assert "warning: rpoly = 2 Å reaches the first bond" in output
    quality = report["quality"]
    assert isinstance(quality, list)
    assert [one["name"] for one in quality] == ["S(Q) tail", "low-r residual", "advised qmax"]
    assert all(one["value"] is not None for one in quality)


def test_a_cfg_of_several_samples_with_a_wildcard_for_the_cell(tmp_path: Path) -> None:
    config = tmp_path / "all.cfg"
    config.write_text(
        "[DEFAULT]\ndataformat = QA\nqmin = 0.8\nqmax = 20\nqmaxinst = 24\n"
        "backgroundfile = C:\\beamtime\\empty*.chi\n[titania]\ncomposition = TiO2\n"
        "[nickel]\ncomposition = Ni\n",
        encoding="utf-8",
    )
    _write(tmp_path / "Empty_01.chi", np.full(Q.size, 100.0))
    (tmp_path / "empty_02.chi").write_bytes((tmp_path / "Empty_01.chi").read_bytes())
    sample = _write(tmp_path / "s.chi", _expected() + 100)
    asked = (sample, "-c", config, "--section", "titania", "-o", tmp_path / "a.gr")

    (tmp_path / "Empty_01.chi").rename(tmp_path / "blank.chi")
    _done(*asked)
    assert "backgroundfile = empty_02.chi" in (tmp_path / "a.gr").read_text(encoding="ascii")
    (tmp_path / "empty_01.chi").write_bytes((tmp_path / "empty_02.chi").read_bytes())
    several = _run(*asked).exception
    assert isinstance(several, ConfigError)
    assert "empty_01.chi, empty_02.chi" in str(several)
    assert "nickel" in str(_run(sample, "-c", config).exception)


def test_several_backgrounds_have_a_scale_each(tmp_path: Path, recipe: Path) -> None:
    sample = _write(tmp_path / "s.chi", _expected() + 140, exposure=1e6)
    a = _write(tmp_path / "a.chi", np.full(Q.size, 100.0), exposure=1e6)
    b = _write(tmp_path / "b.chi", np.full(Q.size, 50.0), exposure=1e6)
    bare = _write(tmp_path / "bare.chi", _expected(), exposure=1e6)
    two = ("-b", a, "-b", b)

    _done(bare, "-c", recipe, "-o", tmp_path / "bare.gr")
    _done(
        sample, "-c", recipe, *two, "--bgscale", 1.0, "--bgscale", 0.8, "-o", tmp_path / "first.gr"
    )

    x, y = (read_columns(tmp_path / f"{n}.gr").y for n in ("bare", "first"))
    np.testing.assert_allclose(x, y, atol=0.02 * np.abs(x).max())
    _repeats(tmp_path, sample)
    three = _run(sample, "-c", recipe, *two, *(3 * ("--bgscale", 1.0)))
    assert "--bgscale" in str(three.exception)
