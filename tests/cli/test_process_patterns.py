"""Patterns that were integrated elsewhere, to G(r): nothing is corrected twice, nothing not."""

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from livepdf.cli.main import main
from livepdf.config.sources import Directory
from livepdf.daemon.assemble import Pipeline, prepare
from livepdf.daemon.service import Service
from livepdf.model.sums import intensity
from livepdf.reduction.curves import reduce_intensity
from livepdf.reduction.integrator import build_integrator
from livepdf.sources.directory import DirectorySource
from tests.daemon import beamline
from tests.sources.azint_files import write_azint

FRAMES = 3


def call(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as left:
        main(["process", *(str(a) for a in arguments)])
    return int(left.value.code or 0)


@pytest.fixture
def options(tmp_path: Path) -> list[str | Path]:
    profile, recipe = beamline.write_settings(tmp_path)
    return ["--profile", profile, "--recipe", recipe, "--out", tmp_path / "out"]


@pytest.fixture
def pipeline(tmp_path: Path, options: list[str | Path]) -> Pipeline:
    made = prepare(tmp_path / "profile.toml", tmp_path / "recipe.toml").pipeline
    assert made is not None
    return made


def patterns(pipeline: Pipeline) -> tuple[np.ndarray, np.ndarray]:
    pairs = [intensity(pipeline.integrator.integrate(beamline.counts(n))) for n in range(FRAMES)]
    return np.array([i for i, _ in pairs]), np.array([s for _, s in pairs])


def rows(tmp_path: Path, name: str) -> np.ndarray:
    with h5py.File(tmp_path / "out" / "run.nxs") as file:
        return np.asarray(file[f"entry/{name}"])


def test_given_patterns_have_the_curves_and_errors_of_their_images(
    tmp_path: Path, options: list[str | Path], pipeline: Pipeline
) -> None:
    values, sigma = patterns(pipeline)
    q = pipeline.integrator.q
    path = write_azint(tmp_path / "a.h5", intensity=values, axis=q, errors=sigma)

    assert call(path, *options) == 0

    for number in range(FRAMES):
        *_, gr = reduce_intensity(pipeline.plan, intensity=values[number], sigma=sigma[number])
        np.testing.assert_allclose(rows(tmp_path, "pdf/G")[number], gr.y, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(
            rows(tmp_path, "pdf/G_errors")[number], gr.sigma, rtol=1e-4, atol=1e-12
        )


def test_without_errors_in_the_file_there_are_none_and_that_is_said(
    tmp_path: Path,
    options: list[str | Path],
    pipeline: Pipeline,
    capsys: pytest.CaptureFixture[str],
) -> None:
    values, _ = patterns(pipeline)
    path = write_azint(tmp_path / "a.h5", intensity=values, axis=pipeline.integrator.q)

    assert call(path, *options) == 0

    assert "no curve has σ" in capsys.readouterr().err
    assert np.isfinite(rows(tmp_path, "pdf/G")).all()
    assert np.isnan(rows(tmp_path, "pdf/G_errors")).all()


@pytest.mark.parametrize("applied", [("solid_angle",), ("polarization",), ()])
def test_only_what_is_not_applied_yet_is_corrected(
    applied: tuple[str, ...], tmp_path: Path, options: list[str | Path], pipeline: Pipeline
) -> None:
    flags = {name: name in applied for name in ("solid_angle", "polarization")}
    bare = build_integrator(
        pipeline.geometry,
        npt=200,
        solid_angle=flags["solid_angle"],
        polarization=0.99 if flags["polarization"] else None,
    )
    values, sigma = intensity(bare.integrate(beamline.counts(0)))
    path = write_azint(
        tmp_path / "a.h5", intensity=values[None], axis=bare.q, errors=sigma[None], **flags
    )

    assert call(path, *options) == 0

    expected, _ = patterns(pipeline)
    np.testing.assert_allclose(rows(tmp_path, "azint1d/data/I")[0], expected[0], rtol=1e-6)


def test_a_monitor_divides_once(
    tmp_path: Path, options: list[str | Path], pipeline: Pipeline
) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(recipe.read_text() + "\n[normalization]\nmonitor = true\n")
    values, _ = patterns(pipeline)
    counts = np.array([10.0, 20.0, 40.0])
    path = write_azint(
        tmp_path / "a.h5", intensity=values, axis=pipeline.integrator.q, monitor=counts
    )

    assert call(path, *options) == 0
    np.testing.assert_allclose(
        rows(tmp_path, "azint1d/data/I"), values / counts[:, None], rtol=1e-6
    )

    with h5py.File(path, "a") as file:
        file["entry/monitor_applied"] = True
    assert call(path, *options, "--overwrite") == 0
    np.testing.assert_allclose(rows(tmp_path, "azint1d/data/I"), values, rtol=1e-6)


def test_a_calibration_without_size_cannot_correct_and_says_what_to_add(
    tmp_path: Path, pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    values, _ = patterns(pipeline)
    path = write_azint(
        tmp_path / "a.h5", intensity=values, axis=pipeline.integrator.q, solid_angle=False
    )
    profile, recipe = beamline.write_settings(tmp_path, known_shape=False)

    assert call(path, "--profile", profile, "--recipe", recipe, "--out", tmp_path / "o") == 1
    assert "max_shape" in capsys.readouterr().err


def test_real_patterns_of_danmax_are_reduced(
    tmp_path: Path,
    options: list[str | Path],
    data_path: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = data_path("series/danmax_batio3_temperature/scan-0100_1D_demo.h5")
    recipe = tmp_path / "recipe.toml"
    text = recipe.read_text().replace('"Ni"', '"BaTiO3"', 1).replace("qmax = 18.0", "qmax = 9.0")
    recipe.write_text(text)

    assert call(path, *options, "--text", "gr", "--json") == 0

    told = json.loads(capsys.readouterr().out)
    assert told["used"] == 100
    assert all(len(image["written"]) == 1 for image in told["images"])
    assert np.isfinite(rows(tmp_path, "pdf/G")).all()


def test_patterns_that_arrive_are_reduced_live(tmp_path: Path, pipeline: Pipeline) -> None:
    values, sigma = patterns(pipeline)
    folder = tmp_path / "data"
    folder.mkdir()
    write_azint(folder / "a.h5", intensity=values, axis=pipeline.integrator.q, errors=sigma)
    prepared = prepare(tmp_path / "profile.toml", tmp_path / "recipe.toml")
    watched = Directory(
        kind="directory", path=folder, start="all", poll=0.05, idle_timeout=0.7, notify=False
    )
    service = Service(
        prepared,
        DirectorySource(watched),
        output=tmp_path / "out",
        requests="tcp://127.0.0.1:0",
        results="tcp://127.0.0.1:0",
        runs=1,
    )
    service.start()
    assert service.stopping.wait(40)
    service.finish()

    (results,) = service.files
    mean, error = values.mean(axis=0), np.sqrt((sigma**2).sum(axis=0)) / FRAMES
    *_, gr = reduce_intensity(pipeline.plan, intensity=mean, sigma=error)
    with h5py.File(results) as file:
        np.testing.assert_allclose(file["entry/pdf/G"][0], gr.y, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(file["entry/pdf/G_errors"][0], gr.sigma, rtol=1e-3, atol=1e-12)
