import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from livepdf.config.profile import Output
from livepdf.daemon.places import folder_with_room, place_of, plain
from livepdf.daemon.runs import RunNames
from livepdf.model.frame import RunStart

NOON = 1_700_049_600.0


def place(template: str, **more: str) -> str:
    given = {"run": "growth_0001", "proposal": "p1", "sample": "HfO2 in water"} | more
    start = RunStart(series="7-a", name=given.pop("series", "growth"), time=NOON)
    return place_of(template, start=start, composition="HfO2", instrument="P02.1", **given)


def test_folders_are_named_by_what_people_call_things() -> None:
    day = time.strftime("%Y-%m-%d", time.localtime(NOON))

    assert place("") == ""
    assert place("{proposal}/{sample}") == "p1/HfO2-in-water"
    assert place("{date}_{series}/{run}/x") == f"{day}_growth/growth_0001/x"
    assert place("{sample}", sample="") == "HfO2"


@pytest.mark.parametrize("moment", [1e300, -1e300, float("nan"), float("inf")])
def test_a_detector_whose_clock_is_mad_gets_a_folder_all_the_same(moment: float) -> None:
    start = RunStart(series="7-a", name="growth", time=moment)
    names = {"run": "r", "proposal": "", "sample": "", "composition": "Ni", "instrument": "b"}

    assert place_of("{date}/{run}", start=start, **names) == "undated/r"


@given(name=st.text(max_size=300))
def test_whatever_a_sample_is_called_its_folder_is_one_name_below(name: str) -> None:
    folder = place("a/{sample}/b", sample=name, series=name)
    first, middle, last = folder.split("/")

    assert (first, last) == ("a", "b")
    assert middle not in ("", ".", "..")
    assert not middle.startswith((".", "-"))
    assert "\0" not in middle
    assert len(middle.encode()) <= 120
    assert len(RunNames([]).next(name).encode()) < 200


@pytest.mark.parametrize(
    "name", ["../../etc", "/etc/passwd", "..", ".ssh", "a\0b", "~root", "é" * 200]
)
def test_hostile_names_lead_nowhere_else(name: str, tmp_path: Path) -> None:
    folder = folder_with_room(tmp_path, place("{sample}/{series}", sample=name, series=name), 1)

    assert folder.resolve().is_relative_to(tmp_path.resolve())
    assert folder.parent.parent == tmp_path
    assert plain(name, otherwise="unnamed") == folder.name


@pytest.mark.parametrize(
    "template",
    ["../x", "/tmp", "a//b", "a/", ".hidden", "{sample", "sample}", "{user}", "{sample.name}",
     "{0}", "{sample!r}", "a b", "a/../b", "\\", "{run}/" * 9 + "x"],
)  # fmt: skip
def test_a_template_that_could_lead_elsewhere_is_refused(template: str) -> None:
    with pytest.raises(ValidationError):
        Output(folders=template)


def test_a_proposal_that_nobody_told_is_asked_for() -> None:
    with pytest.raises(ValidationError, match=r"output\.proposal"):
        Output(folders="{proposal}/{run}")
    assert Output(folders="{proposal}/{run}", proposal="p1").folders == "{proposal}/{run}"


def test_a_link_out_of_the_directory_is_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "out", tmp_path / "elsewhere"
    inside.mkdir()
    outside.mkdir()
    (inside / "p1").symlink_to(outside)

    with pytest.raises(OSError, match="leads out of"):
        folder_with_room(inside, "p1/x", 1)
    assert list(outside.iterdir()) == []
