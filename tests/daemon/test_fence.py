"""Which files a request may name: by the file system's own answer to where a path leads."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livepdf.config.recipe import Recipe
from livepdf.daemon.fence import fenced, inside, inside_or_error
from livepdf.errors import FileError

parts = st.lists(
    st.sampled_from(["..", ".", "sub", "gone", "out", "away", "here", "secret.iq", "loop", "a b"]),
    min_size=1,
    max_size=8,
)


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an output directory with links that lead out, stay in, and go round in circles."""
    root = tmp_path_factory.mktemp("yard")
    out = root / "out"
    (out / "sub").mkdir(parents=True)
    (root / "secret.iq").write_text("1 2 3")
    (out / "away").symlink_to(root)
    (out / "here").symlink_to(out / "sub")
    (out / "loop").symlink_to(out / "loop")
    (out / "sub" / "secret.iq").symlink_to(root / "secret.iq")
    return out


@given(parts=parts, absolute=st.booleans())
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_inside_is_what_the_file_system_leads_into(
    yard: Path, parts: list[str], absolute: bool
) -> None:
    path = Path("/", *parts) if absolute else yard.joinpath(*parts)
    led = os.path.realpath(path)
    within = led == str(yard) or led.startswith(f"{yard}/")

    if "loop" in parts and inside(path, yard) != within:
        # Nobody can open it: that it is refused is as good.
        assert not inside(path, yard)
        return
    assert inside(path, yard) == within


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "/proc/1/cwd/etc/passwd", "~root/x"])
def test_paths_that_no_system_opens_or_that_others_own_are_outside(yard: Path, name: str) -> None:
    assert not inside(Path(name), yard)
    with pytest.raises(FileError, match="not opened"):
        inside_or_error(Path(name), yard)


def table(**more: Any) -> dict[str, Any]:
    return {"sample": {"composition": "Ni"}, **more}


def path_keys(schema: dict[str, Any], node: Any, key: str = "") -> Iterator[str]:
    """Yield the dotted name of every key that takes a path, by the schema that pydantic writes."""
    if not isinstance(node, dict):
        return
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    if node.get("format") == "path":
        yield key
    for some in ("anyOf", "oneOf", "allOf"):
        for choice in node.get(some, []):
            yield from path_keys(schema, choice, key)
    yield from path_keys(schema, node.get("items"), f"{key}.0")
    for name, inner in node.get("properties", {}).items():
        yield from path_keys(schema, inner, f"{key}.{name}" if key else name)


def test_every_key_that_takes_a_path_is_fenced(yard: Path) -> None:
    schema = Recipe.model_json_schema()
    ramp = [{"temperature": t, "file": f"/etc/{t}"} for t in (1.0, 2.0)]
    recipes = (
        table(reduction={"scale": "reference", "scale_from": "/etc/a"}),
        table(
            background=[{"file": "/etc/b"}, {"ramp": ramp}],
            analysis={"structures": ["ni"], "precursor": ["/etc/c"]},
            model=[{"name": "melt", "file": "/etc/d"}],
        ),
    )

    plain = Recipe.model_validate(table())
    found = [
        complaint
        for recipe in recipes
        for complaint in fenced(plain, Recipe.model_validate(recipe), folder=yard)
    ]

    keys = {
        ".".join("0" if part.isdigit() else part for part in complaint.key.split("."))
        for complaint in found
    }
    # All that the schema knows of: a new key with a path belongs into these recipes too.
    assert keys == set(path_keys(schema, schema))
    assert len(found) == 6


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret.cif", "Ni.cif", "hfo3"])
def test_a_structure_that_is_no_known_name_is_a_file(yard: Path, name: str) -> None:
    before = Recipe.model_validate(table())
    changed = Recipe.model_validate(table(analysis={"structures": ["ni", name]}))

    assert [complaint.key for complaint in fenced(before, changed, folder=yard)] == [
        "analysis.structures.1"
    ]


def test_what_the_recipe_names_already_stays_allowed_and_says_nothing_of_other_files(
    yard: Path,
) -> None:
    known = {"name": "cell", "file": "/data/cell.iq"}
    before = Recipe.model_validate(table(background=[known]))
    again = Recipe.model_validate(table(background=[known], reduction={"qmax": 17.0}))
    there = Recipe.model_validate(table(background=[{"name": "c", "file": "/etc/passwd"}]))
    gone = Recipe.model_validate(table(background=[{"name": "c", "file": "/etc/passwx"}]))

    assert fenced(before, again, folder=yard) == []
    (one,), (other,) = (fenced(before, some, folder=yard) for some in (there, gone))
    assert (one.key, one.wanted) == (other.key, other.wanted)
    assert one.found.replace("passwd", "passwx") == other.found
