import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from livepdf.cli.pdf import pdf
from livepdf.errors import ConfigError, FileError
from livepdf.files.columns import read_columns
from livepdf.numerics.compton import mean_compton
from livepdf.numerics.form_factors import mean_form_factors

Find = Callable[[str], Path]
RECIPE = """
[sample]
composition = "Ni"
[reduction]
qmin = 0.8
qmax = 20.0
qmaxinst = 24.0
rmin = 1.0
rmax = 20.0
"""


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(pdf, [str(argument) for argument in arguments])


def _done(*arguments: object) -> str:
    result = _run(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    q = 0.02 * np.arange(1, 1300)
    counts = 1e4 * np.exp(-0.1 * q) * (1 + np.sin(2.5 * q) / (1 + q))
    path = tmp_path / "sample.chi"
    np.savetxt(path, np.column_stack([q, counts, np.sqrt(counts)]))
    return path


@pytest.mark.parametrize("name", ["Ni", "Ni-hires", "Ni-lownoise"])
def test_a_published_file_repeats_itself(data_path: Find, tmp_path: Path, name: str) -> None:
    folder = data_path("pdf1d/ni_kapton_exact")
    published = folder / f"{name}.gr"
    out = tmp_path / "again.gr"

    _done(
        folder / "Ni.chi", "--background", folder / "kapton.chi", "--config", published, "-o", out
    )

    a, b = read_columns(out).y, read_columns(published).y
    assert np.sqrt(np.sum((a - b) ** 2) / np.sum(b**2)) <= 5e-6


def test_the_background_that_the_header_names_is_found(data_path: Find, tmp_path: Path) -> None:
    folder = data_path("pdf1d/ni_kapton_exact")
    report = json.loads(
        _done(folder / "Ni.chi", "-c", folder / "Ni-hires.gr", "-o", tmp_path / "a.gr", "--json")
    )

    assert [Path(b["file"]).name for b in report["backgrounds"]] == ["kapton.chi"]
    assert report["backgrounds"][0]["scale"] == 0.4
    assert report["points"] == 6001


def test_what_livepdf_writes_repeats_its_calculation(sample: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    first, second = tmp_path / "first.gr", tmp_path / "second.gr"

    _done(sample, "-c", recipe, "-o", first)
    _done(sample, "-c", first, "-o", second)

    assert first.read_bytes() == second.read_bytes()


def test_all_stages_are_written_next_to_each_other(sample: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")

    _done(sample, "-c", recipe, "-o", tmp_path / "out.gr", "--outputs", "iq,sq,fq,gr")

    fq, sq = read_columns(tmp_path / "out.fq"), read_columns(tmp_path / "out.sq")
    np.testing.assert_allclose(fq.y, fq.x * (sq.y - 1), atol=1e-6)
    assert read_columns(tmp_path / "out.iq").x.size == 1299


def test_errors_are_written_only_where_the_data_have_them(sample: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    bare = tmp_path / "bare.chi"
    np.savetxt(bare, np.loadtxt(sample)[:, :2])

    _done(sample, "-c", recipe, "-o", tmp_path / "with.gr")
    _done(bare, "-c", recipe, "-o", tmp_path / "without.gr")

    assert read_columns(tmp_path / "with.gr").sigma is not None
    assert read_columns(tmp_path / "without.gr").sigma is None


def test_units_of_nm_are_the_same_pattern(sample: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    table = np.loadtxt(sample)
    table[:, 0] *= 10
    np.savetxt(tmp_path / "nm.chi", table)

    _done(sample, "-c", recipe, "-o", tmp_path / "a.gr")
    _done(tmp_path / "nm.chi", "-c", recipe, "-o", tmp_path / "b.gr", "--dataformat", "Qnm")

    np.testing.assert_allclose(
        read_columns(tmp_path / "a.gr").y, read_columns(tmp_path / "b.gr").y, atol=1e-6
    )


def test_two_theta_is_nearly_the_same_pattern(sample: Path, tmp_path: Path) -> None:
    # Resampled linearly from an uneven axis: a per cent at most, for these smooth data.
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    table = np.loadtxt(sample)
    table[:, 0] = np.degrees(2 * np.arcsin(table[:, 0] * 0.16 / (4 * np.pi)))
    np.savetxt(tmp_path / "angles.xy", table)

    _done(sample, "-c", recipe, "-o", tmp_path / "a.gr")
    angles = ("--dataformat", "twotheta", "--wavelength", 0.16)
    _done(tmp_path / "angles.xy", "-c", recipe, "-o", tmp_path / "b.gr", *angles)

    a, b = read_columns(tmp_path / "a.gr").y, read_columns(tmp_path / "b.gr").y
    assert np.sqrt(np.sum((a - b) ** 2) / np.sum(a**2)) < 0.01
    assert isinstance(
        _run(tmp_path / "angles.xy", "-c", recipe, *angles[:2]).exception, ConfigError
    )


def test_neutrons_are_reduced_and_the_file_says_so(tmp_path: Path) -> None:
    q = 0.02 * np.arange(20, 1300)
    shape = 1 + 0.4 * np.sin(2.5 * q) / q
    np.savetxt(tmp_path / "n.sq", np.column_stack([q, 1.06 * shape, np.full(q.size, 0.01)]))
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE + 'mode = "neutron"\nrpoly = 0.0\n', encoding="utf-8")

    _done(tmp_path / "n.sq", "-c", recipe, "-o", tmp_path / "a.gr", "--outputs", "sq,gr")
    _done(tmp_path / "n.sq", "-c", tmp_path / "a.gr", "-o", tmp_path / "b.gr")

    # One element: S is I put to a mean of one, whatever its length.
    found = read_columns(tmp_path / "a.sq")
    np.testing.assert_allclose(found.y / np.interp(found.x, q, shape), 1.0, atol=2e-3)
    assert "\nmode = neutron\n" in (tmp_path / "a.gr").read_text(encoding="ascii")
    assert (tmp_path / "a.gr").read_bytes() == (tmp_path / "b.gr").read_bytes()


def test_banks_are_merged_before_they_are_reduced(sample: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    table = np.loadtxt(sample)
    low, high = table[table[:, 0] < 15], table[table[:, 0] > 8]
    np.savetxt(tmp_path / "low.sq", low)
    np.savetxt(tmp_path / "high.sq", high)

    _done(sample, "-c", recipe, "-o", tmp_path / "a.gr")
    _done(
        tmp_path / "low.sq", "--bank", tmp_path / "high.sq", "-c", recipe, "-o", tmp_path / "b.gr"
    )

    a, b = read_columns(tmp_path / "a.gr"), read_columns(tmp_path / "b.gr")
    np.testing.assert_allclose(b.y, a.y, atol=1e-6 * np.max(np.abs(a.y)))
    assert a.sigma is not None
    assert b.sigma is not None
    # The overlap was measured twice.
    assert 0.7 < np.median(b.sigma / a.sigma) < 1.0
    bare = tmp_path / "bare.sq"
    np.savetxt(bare, high[:, :2])
    without = _run(tmp_path / "low.sq", "--bank", bare, "-c", recipe, "-o", tmp_path / "c.gr")
    assert "no errors" in str(without.exception)


def test_a_missing_background_is_a_complaint(sample: Path, tmp_path: Path) -> None:
    config = tmp_path / "a.cfg"
    config.write_text(
        "[DEFAULT]\ndataformat = QA\ncomposition = Ni\nqmax = 20\nqmaxinst = 24\nqmin = 1\n"
        "backgroundfile = gone.chi\n",
        encoding="utf-8",
    )

    assert isinstance(_run(sample, "-c", config, "-o", tmp_path / "a.gr").exception, ConfigError)
    _done(sample, "-c", config, "-o", tmp_path / "a.gr", "--bgscale", 0)


def test_limits_beyond_the_data_are_a_complaint_about_the_config(
    sample: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE.replace("24.0", "34.0"), encoding="utf-8")

    error = _run(sample, "-c", recipe, "-o", tmp_path / "a.gr").exception

    assert isinstance(error, ConfigError)
    assert "qmaxinst is 34.0" in str(error)


def test_a_header_that_reaches_beyond_the_intensities_takes_their_end_and_says_so(
    sample: Path, tmp_path: Path
) -> None:
    config = tmp_path / "a.cfg"
    config.write_text(
        "[DEFAULT]\ndataformat = QA\ncomposition = Ni\nqmax = 30\nqmaxinst = 35\nqmin = 1\n",
        encoding="utf-8",
    )
    table = np.loadtxt(sample)
    table[1200:, 1] = 0.0
    np.savetxt(tmp_path / "short.chi", table)

    output = _done(tmp_path / "short.chi", "-c", config, "-o", tmp_path / "a.gr")

    assert "qmaxinst was 24.0000, the last intensity, instead of 35" in output


def test_a_blank_whose_scale_is_not_known_is_fitted(sample: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE.replace("Ni", "TiO2"), encoding="utf-8")
    q = 0.02 * np.arange(1, 1300)
    blank = 500 * np.exp(-0.02 * q) * (1 + 0.1 * np.sin(1.6 * q))
    _, mean_f2 = mean_form_factors(q=q, composition={"Ti": 1, "O": 2})
    own = mean_f2 + mean_compton(q=q, composition={"Ti": 1, "O": 2}, energy=None)
    counts = 20 * own + 0.7 * blank
    np.savetxt(tmp_path / "s.chi", np.column_stack([q, counts, np.sqrt(counts)]))
    np.savetxt(tmp_path / "b.chi", np.column_stack([q, blank, np.sqrt(blank)]))
    wanted = ("-b", tmp_path / "b.chi", "-c", recipe, "-o", tmp_path / "a.gr")

    report = json.loads(_done(tmp_path / "s.chi", *wanted, "--bgscale", "fit", "--json"))

    assert report["fitted"][0]["scale"] == pytest.approx(0.7, abs=1e-6)
    assert 0 < report["fitted"][0]["sigma"] < 0.1
    assert _run(tmp_path / "s.chi", *wanted, "--bgscale", "most").exit_code == 2


def test_no_file_that_was_read_is_overwritten(sample: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    before = sample.read_bytes()

    assert isinstance(_run(sample, "-c", recipe, "-o", sample).exception, FileError)
    assert sample.read_bytes() == before


def test_an_unknown_output_is_a_usage_error(sample: Path) -> None:
    result = _run(sample, "-c", sample, "--outputs", "gr,pdf")

    assert result.exit_code == 2
    assert "gr,pdf" in result.output
