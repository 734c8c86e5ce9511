"""Everything that is wrong is said at once, and nothing is started."""

import json
import shutil
from pathlib import Path

import pytest
import zmq
from click.testing import CliRunner

from livepdf.cli.check import check
from livepdf.cli.main import _exit_code
from livepdf.files.profiles import profiles_folder, ready_profiles, ready_recipes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The ready profiles in a folder where tests may change them."""
    return Path(shutil.copytree(profiles_folder(), tmp_path / "profiles"))


def free(profile: Path) -> Path:
    """Let a profile take any free port: tests run beside other daemons."""
    profile.write_text(profile.read_text() + '\n[wire]\nrequests = "tcp://127.0.0.1:0"\n')
    return profile


@pytest.mark.parametrize("name", sorted(ready_profiles()))
def test_each_ready_profile_passes_as_far_as_it_can(folder: Path, name: str) -> None:
    profile = free(folder / f"{name}.toml")

    result = CliRunner().invoke(check, [str(profile)], standalone_mode=False)

    assert result.return_value == 0, result.exception
    assert ("still to fill in" in result.output) == (name != "demo")


@pytest.mark.parametrize("name", sorted(ready_recipes()))
def test_each_ready_recipe_names_things_that_are_there(folder: Path, name: str) -> None:
    profile = free(folder / "generic-directory.toml")
    arguments = [str(profile), "--recipe", str(folder / "recipes" / f"{name}.toml")]

    result = CliRunner().invoke(check, arguments, standalone_mode=False)

    assert result.return_value == 0, result.exception
    assert "structure fit" in result.output
    assert (
        "needs the Q resolution, from a standard: resolution.qdamp in the profile" in result.output
    )


@pytest.mark.parametrize("command", ["check", "run"])
def test_every_complaint_comes_at_once_with_exit_3(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with zmq.Context() as context, context.socket(zmq.REP) as taken:
        port = taken.bind_to_random_port("tcp://127.0.0.1")
        text = (folder / "demo.toml").read_text().replace("demo.poni", "gone.poni")
        text = text.replace("bins = 2000", 'bins = "many"\nunit = "furlong"')
        text += f'\n[wire]\nrequests = "tcp://127.0.0.1:{port}"\n'
        (folder / "bad.toml").write_text(text)
        recipe = (folder / "recipes" / "hfo2.toml").read_text()
        (folder / "bad-recipe.toml").write_text(
            recipe.replace('"HfO2"', '"HfOx2"') + '\n[[background]]\nfile = "gone.iq"\n'
        )

        code = _exit_code(
            [command, str(folder / "bad.toml"), "--recipe", str(folder / "bad-recipe.toml")]
        )

    said = capsys.readouterr().err
    assert code == 3
    wrong = ("detector.poni", "wire.requests", "integration.bins", "integration.unit")
    for key in (*wrong, "sample.composition", "background.0.file"):
        assert said.count(f": {key}: found ") == 1
    assert "in use" in said
    assert "Traceback" not in said


def test_the_outcome_can_be_read_by_a_program(folder: Path) -> None:
    profile = free(folder / "petra-p02.1.toml")

    recipe = folder / "recipes" / "hfo2.toml"
    arguments = [str(profile), "--recipe", str(recipe), "--json"]

    result = CliRunner().invoke(check, arguments, standalone_mode=False)

    report = json.loads(result.output)
    assert report["complaints"] == []
    assert "source.path" in report["fill in"]
    fit = next(one for one in report["analyses"] if one["analysis"] == "structure fit")
    assert fit["milliseconds"] > 0
    assert "domain size" in fit["without"]
