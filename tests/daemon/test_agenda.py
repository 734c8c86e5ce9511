"""What `livepdf check` promises of a recipe, and what a window is measured to cost."""

from typing import Any, get_args

import pytest
from pydantic import BaseModel

from livepdf.config.profile import Profile
from livepdf.config.recipe import Recipe
from livepdf.daemon.agenda import DECLARED, planned
from livepdf.daemon.costs import Costs

NEEDS = sorted(
    {
        (need.place, need.key, need.table)
        for declared in DECLARED
        for need in (*declared.needs, *(more.need for more in declared.more))
    }
)


def recipe(**tables: object) -> Recipe:
    return Recipe.model_validate({"sample": {"composition": "HfO2"}, **tables})


def followed(settings: Recipe, profile: Profile | None = None) -> dict[str, float]:
    return {one.declared.name: one.cost for one in planned(settings, profile) if not one.missing}


def inside(annotation: Any) -> list[Any]:
    """Return a type with all that it is made of."""
    return [annotation, *(part for given in get_args(annotation) for part in inside(given))]


@pytest.mark.parametrize(("place", "key", "table"), NEEDS)
def test_what_people_are_told_to_give_is_a_key_of_that_file(
    place: str, key: str, table: bool
) -> None:
    owner: type[BaseModel] = Profile if place == "profile" else Recipe
    *tables, last = key.split(".")
    for name in tables:
        kinds = inside(owner.model_fields[name].annotation)
        owner = next(k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel))

    kinds = inside(owner.model_fields[last].annotation)
    entries = [k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)]

    assert bool(entries) == table


def test_a_recipe_with_no_more_than_a_sample_follows_nothing_and_names_each_remedy() -> None:
    plan = planned(recipe(), None)

    assert [one for one in plan if not one.missing] == []
    assert {need.key for one in plan for need in one.missing} == {
        "peak",
        "model",
        "analysis.structures",
        "resolution.qdamp",
    }


def test_each_key_brings_what_it_is_said_to_bring() -> None:
    peaks = [{"name": "Hf-O", "near": 2.14}, {"name": "Hf-Hf", "near": 3.44}]
    structure = {"structures": ["hfo2-monoclinic"]}

    one, both = followed(recipe(peak=peaks[:1])), followed(recipe(peak=peaks))
    crystal = followed(recipe(analysis=structure))

    assert list(one) == list(both) == ["peaks of G(r)"]
    assert both["peaks of G(r)"] == 2.0 * one["peaks of G(r)"]
    assert {"structure fit", "onset", "kinetics"} < set(crystal)
    assert "size by envelope" not in crystal
    assert "kinetics" not in followed(recipe(analysis={**structure, "kinetics": []}))


def test_the_cost_of_an_analysis_is_the_median_of_its_last_windows() -> None:
    costs = Costs()
    for _ in range(200):
        costs.add("structure fit", 9.0)
    for seconds in (1.0, 2.0, 3.0) * 34:
        costs.add("structure fit", seconds)
    costs.add("peaks of G(r)", 0.5)

    assert costs.medians() == (("structure fit", 2.0), ("peaks of G(r)", 0.5))


def test_time_that_a_thread_waits_is_no_cost() -> None:
    import threading

    costs = Costs()
    with costs.measure("waits"):
        threading.Event().wait(0.2)

    ((_, seconds),) = costs.medians()
    assert seconds < 0.1
