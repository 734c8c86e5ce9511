"""A folder to start from, and what the machine lacks."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from livepdf.cli.doctor import doctor
from livepdf.cli.init import init
from livepdf.config.load import load_profile, load_recipe
from livepdf.errors import FileError
from livepdf.files.images import read_mask
from livepdf.files.profiles import profiles_folder, ready_profiles, ready_recipes
from livepdf.simulate.detector import demo_detector


@pytest.mark.parametrize("name", sorted(ready_profiles()))
def test_what_init_writes_can_be_read_back(tmp_path: Path, name: str) -> None:
    result = CliRunner().invoke(init, [str(tmp_path), "--from", name, "--recipe", "tio2"])

    assert result.exit_code == 0, result.output
    load_profile(tmp_path / "profile.toml", template=True)
    assert load_recipe(tmp_path / "recipe.toml").sample.composition == "TiO2"


def test_init_never_replaces_a_file(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text("mine")

    result = CliRunner().invoke(init, [str(tmp_path)])

    assert isinstance(result.exception, FileError)
    assert (tmp_path / "recipe.toml").read_text() == "mine"
    assert not (tmp_path / "profile.toml").exists()


def test_a_name_that_is_not_ready_is_answered_with_those_that_are() -> None:
    result = CliRunner().invoke(init, ["--from", "nowhere"])

    assert result.exit_code == 2
    assert all(name in result.output for name in ready_profiles())


def test_init_lists_profiles_and_recipes() -> None:
    result = CliRunner().invoke(init, ["--list"])

    assert all(name in result.output for name in (*ready_profiles(), *ready_recipes()))


def test_the_demo_instrument_on_disk_is_the_simulated_one() -> None:
    detector = demo_detector("half")

    assert (profiles_folder() / "demo.poni").read_text() == detector.poni_text()
    assert (read_mask(profiles_folder() / "demo_mask.h5") == detector.mask).all()


def test_the_doctor_finds_what_the_set_up_installed() -> None:
    result = CliRunner().invoke(doctor, ["--json"])

    assert result.exit_code == 0, result.output
    findings = {finding["what"]: finding["verdict"] for finding in json.loads(result.output)}
    assert findings["numpy"] == findings["LZ4 decompression"] == "ok"
    assert "missing" not in findings.values()
