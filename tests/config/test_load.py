"""Profiles and recipes are checked whole."""

import json
from pathlib import Path

import pytest

from livepdf.config.load import fill_ins, load_profile, load_recipe
from livepdf.config.profile import Profile
from livepdf.config.recipe import Recipe
from livepdf.config.sources import Directory
from livepdf.errors import ConfigError
from livepdf.files.profiles import profiles_folder, ready_profiles, ready_recipes

GOOD = """
[instrument]
name = "hutch"
[source]
kind = "directory"
path = "in"
[detector]
poni = "a.poni"
masks = ["m.npy", "/abs/n.npy"]
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def complaints(error: ConfigError) -> dict[str, tuple[str, str]]:
    return {c.key: (c.found, c.wanted) for c in error.complaints}


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    profile = load_profile(write(tmp_path, "p.toml", GOOD))

    assert isinstance(profile.source, Directory)
    assert profile.source.path == tmp_path / "in"
    assert profile.detector.poni == tmp_path / "a.poni"
    assert profile.detector.masks == [tmp_path / "m.npy", Path("/abs/n.npy")]


def test_every_wrong_key_is_named_at_once(tmp_path: Path) -> None:
    text = GOOD.replace('name = "hutch"', 'nam = "hutch"').replace(
        'path = "in"', 'path = "in"\npoll = "fast"'
    )
    text += 'flip = "upside"\n[wire]\nrequests = "tcp://0.0.0.0:5"\n'

    with pytest.raises(ConfigError) as caught:
        load_profile(write(tmp_path, "p.toml", text))

    found = complaints(caught.value)
    assert set(found) == {
        "instrument.name",
        "instrument.nam",
        "source.poll",
        "detector.flip",
        "wire.requests",
    }
    assert found["instrument.nam"][0] == "an unknown key"
    assert found["source.poll"][0] == "'fast'"
    assert found["detector.flip"] == ("'upside'", "'none', 'ud', 'lr' or 'udlr'")
    assert all(c.file.endswith("p.toml") for c in caught.value.complaints)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[instrument\n", "syntax"),
        (None, "file"),
    ],
)
def test_a_file_that_is_no_toml_is_a_complaint_not_a_traceback(
    tmp_path: Path, text: str | None, key: str
) -> None:
    path = tmp_path / "p.toml"
    if text is not None:
        path.write_text(text)

    with pytest.raises(ConfigError) as caught:
        load_profile(path)

    assert set(complaints(caught.value)) == {key}


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("[reduction]\nqmin = 30.0", "reduction"),
        ("[reduction]\nqmax = 20.0\nqmaxinst = 10.0", "reduction"),
        ('[reduction]\nscale = "fixed"', "reduction"),
        ('[reduction]\nscale = "absolute"', "file"),
        ('[reduction]\nscale = "mean"\nscale_from = "a.chi"', "reduction"),
        ('[reduction]\nscale = "solute"', "file"),
        ('[reduction]\nmode = "neutron"\ndispersion = true', "reduction"),
        ('[[background]]\nname = "water"', "background.0"),
        ('[[background]]\nramp = [{temperature = 300.0, file = "a.chi"}]', "background.0"),
        ('[[background]]\nfile = "b.chi"\ncell = true', "file"),
        ("[absorption]\nradius = 0.35", "file"),
        ('[reduction]\nscale = "absolute"\nenergy = 60.0', "file"),
        ('[reduction]\nscale = "monitor"\nscale_value = 2.0', "file"),
        ("[reduction]\nscale_sigma = 2.0", "reduction"),
        ('[[background]]\nfile = "b.chi"\nscale = "monitor"', "background.0"),
        ('[[background]]\nfile = "b.chi"\nscale = "monitor"\nmonitor = 5.0', "file"),
        ('[[background]]\nfile = "b.chi"\nmonitor = 5.0', "background.0"),
        ("[window]\nframes = 3\nseconds = 2.0", "window"),
        ("[window]\nframes = 0", "window.frames"),
    ],
)
def test_limits_that_contradict_each_other_are_refused(
    tmp_path: Path, table: str, key: str
) -> None:
    path = write(tmp_path, "r.toml", f'[sample]\ncomposition = "HfO2"\n{table}\n')

    with pytest.raises(ConfigError) as caught:
        load_recipe(path)

    assert set(complaints(caught.value)) == {key}


def test_a_background_has_a_number_or_a_word_for_its_scale(tmp_path: Path) -> None:
    text = '[sample]\ncomposition = "HfO2"\n[normalization]\nmonitor = true\n'
    for scale in ("0.95", "1", '"fit"', '"monitor"\nmonitor = 1.2e6'):
        text += f'[[background]]\nfile = "b.chi"\nscale = {scale}\n'

    recipe = load_recipe(write(tmp_path, "r.toml", text))

    assert [background.scale for background in recipe.background] == [0.95, 1.0, "fit", "monitor"]


def test_a_scale_that_is_no_scale_is_refused_with_what_may_stand_there(tmp_path: Path) -> None:
    for scale in ('"most"', "-1.0"):
        text = f'[sample]\ncomposition = "Ni"\n[[background]]\nfile = "b.chi"\nscale = {scale}\n'
        with pytest.raises(ConfigError) as caught:
            load_recipe(write(tmp_path, "r.toml", text))

        assert all(key.startswith("background.0.scale") for key in complaints(caught.value))


def test_a_template_still_to_be_filled_in_does_not_run(tmp_path: Path) -> None:
    path = write(tmp_path, "p.toml", GOOD.replace('"in"', '"FILL-IN"'))

    with pytest.raises(ConfigError) as caught:
        load_profile(path)

    assert set(complaints(caught.value)) == {"source.path"}
    assert fill_ins(load_profile(path, template=True)) == ["source.path"]


@pytest.mark.parametrize("name", sorted(ready_profiles()))
def test_each_ready_profile_is_valid_but_for_what_only_the_beamline_knows(name: str) -> None:
    load_profile(ready_profiles()[name], template=True)


@pytest.mark.parametrize("name", sorted(ready_recipes()))
def test_each_ready_recipe_is_valid(name: str) -> None:
    load_recipe(ready_recipes()[name])


@pytest.mark.parametrize(
    ("name", "model"), [("profile.schema.json", Profile), ("recipe.schema.json", Recipe)]
)
def test_the_schema_beside_the_profiles_is_that_of_the_program(
    name: str, model: type[Profile] | type[Recipe]
) -> None:
    assert json.loads((profiles_folder() / name).read_text()) == model.model_json_schema()


def test_a_list_that_is_too_long_is_refused_with_both_lengths(tmp_path: Path) -> None:
    names = ", ".join(['"ni"'] * 5000)
    text = f'[sample]\ncomposition = "Ni"\n[analysis]\nstructures = [{names}]\n'

    with pytest.raises(ConfigError) as caught:
        load_recipe(write(tmp_path, "r.toml", text))

    assert complaints(caught.value) == {"analysis.structures": ("5000 of them", "at most 20")}
