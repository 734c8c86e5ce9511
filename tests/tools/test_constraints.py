"""The pins cover what livepdf needs, on every Python it supports."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = ("3.11", "3.12", "3.13")


def pins(python: str) -> dict[str, str]:
    """Version of every package that is pinned for this Python, by its canonical name."""
    lines = (CHECKOUT / "tools" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    place = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    valid = [r for r in requirements if r.marker is None or r.marker.evaluate(place)]
    found = {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in valid}
    assert len(found) == len(valid), "a package is pinned twice"
    return found


def wanted() -> list[Requirement]:
    extras = [line for extra in PROJECT["optional-dependencies"].values() for line in extra]
    return [Requirement(line) for line in [*PROJECT["dependencies"], *extras]]


@pytest.mark.parametrize("python", PYTHONS)
def test_every_dependency_is_pinned_to_a_version_it_allows(python: str) -> None:
    found = pins(python)
    for requirement in wanted():
        name = canonicalize_name(requirement.name)
        if name != "livepdf":
            assert requirement.specifier.contains(found[name]), f"{requirement} but {found[name]}"


def test_pins_name_versions_and_no_addresses() -> None:
    text = (CHECKOUT / "tools" / "constraints.txt").read_text(encoding="utf-8")
    assert "//" not in text
    assert " @ " not in text


def test_the_classifiers_name_the_pythons_that_are_pinned() -> None:
    named = {text.rpartition(" ")[2] for text in PROJECT["classifiers"] if " :: 3." in text}
    assert named == set(PYTHONS)
