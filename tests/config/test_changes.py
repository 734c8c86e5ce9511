import contextlib
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepdf.config.changes import changed_recipe, differences, recipe_toml
from livepdf.config.recipe import Recipe
from livepdf.errors import ConfigError

HERE = Path("/beamtime")


def recipe(**more: Any) -> Recipe:
    tree = {
        "sample": {"composition": "HfO2", "name": 'a "quoted" \\ näme\n'},
        "reduction": {"qmax": 20.0, "qmin": 1.0},
        "background": [{"file": "/cell.chi"}, {"file": "/air.chi", "scale": 0.5}],
        "window": {"frames": 4},
        "peak": [{"name": "Hf-O", "near": 2.1}],
        **more,
    }
    return Recipe.model_validate(tree)


def complaints(changes: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        changed_recipe(recipe(), changes, folder=HERE)
    return {c.key: str(c) for c in caught.value.complaints}


def test_only_what_is_named_changes() -> None:
    changes = {"reduction.qmax": 22.5, "background.1.scale": "fit", "sample.density": 8.9}

    after = changed_recipe(recipe(), changes, folder=HERE)

    assert differences(recipe(), after) == {
        "reduction.qmax": (20.0, 22.5),
        "background.1.scale": (0.5, "fit"),
        "sample.density": (None, 8.9),
    }


def test_a_key_that_is_taken_away_has_its_default_and_a_list_gets_shorter() -> None:
    changes = {"reduction.qmin": None, "background.0": None, "peak.1": {"name": "b", "near": 3.5}}

    after = changed_recipe(recipe(), changes, folder=HERE)

    assert (
        after.reduction.qmin
        == Recipe.model_validate({"sample": {"composition": "H"}}).reduction.qmin
    )
    assert [str(b.file) for b in after.background] == ["/air.chi"]
    assert [p.name for p in after.peak] == ["Hf-O", "b"]


def test_every_mistake_is_told_at_once_with_key_found_and_wanted() -> None:
    said = complaints(
        {
            "reduction.qmaxx": 3.0,
            "reduction.rstep": "fine",
            "window.frames": 5,
            "background.7.scale": 1.0,
            "sample": None,
        }
    )

    assert set(said) == {
        "reduction.qmaxx",
        "reduction.rstep",
        "window.frames",
        "background.7.scale",
        "sample",
    }
    assert all("found" in line and "wanted" in line for line in said.values())


def test_the_first_of_a_list_can_be_added() -> None:
    plain = Recipe.model_validate({"sample": {"composition": "H"}})

    after = changed_recipe(plain, {"background.0": {"file": "/cell.chi"}}, folder=HERE)

    assert [str(b.file) for b in after.background] == ["/cell.chi"]


def test_relative_paths_begin_at_the_recipe() -> None:
    after = changed_recipe(recipe(), {"background.0.file": "new.chi"}, folder=HERE)

    assert after.background[0].file == HERE / "new.chi"


def test_what_is_written_reads_back_as_the_same_recipe() -> None:
    again = Recipe.model_validate(tomllib.loads(recipe_toml(recipe())))

    assert again == recipe()
    assert differences(again, recipe()) == {}


@given(st.text(), st.floats(min_value=1e-9, max_value=1e9), st.booleans())
def test_any_text_and_any_number_survive_the_file(name: str, near: float, monitor: bool) -> None:
    made = recipe(
        sample={"composition": "HfO2", "name": name},
        peak=[{"name": name or "p", "near": near}],
        normalization={"monitor": monitor},
    )

    assert Recipe.model_validate(tomllib.loads(recipe_toml(made))) == made


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
keys = st.text(max_size=12) | st.sampled_from(
    [
        "reduction",
        "reduction.qmax",
        "background.0",
        "background.0.file",
        "peak",
        "sample.name",
        "analysis",
        "analysis.structures",
    ]
)


@given(st.dictionaries(keys, junk, max_size=4))
def test_any_draft_makes_a_recipe_or_complaints(changes: dict[str, Any]) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(changed_recipe(recipe(), changes, folder=HERE), Recipe)
