"""When an environment is kept, brought up to date, or made anew."""

from dataclasses import replace
from pathlib import Path

import pytest

from tools.door.stamp import FILE_NAME, Stamp, begin, is_ours, next_step

WANTED = Stamp(inputs="abc", place="/checkout", python="3.11.7 of /usr", extras=("gui",))


def test_a_finished_environment_needs_nothing() -> None:
    assert next_step(found=WANTED, wanted=WANTED) == "nothing"


def test_an_environment_with_more_extras_serves_those_who_want_fewer() -> None:
    assert next_step(found=replace(WANTED, extras=("dev", "gui")), wanted=WANTED) == "nothing"


@pytest.mark.parametrize("change", [{"inputs": "def"}, {"extras": ("dev", "gui")}])
def test_changed_pins_or_more_extras_are_installed_into_what_is_there(
    change: dict[str, object],
) -> None:
    assert next_step(found=WANTED, wanted=replace(WANTED, **change)) == "install"


@pytest.mark.parametrize("change", [{"place": "/moved"}, {"python": "3.13.0 of /usr"}])
def test_another_place_or_python_means_making_it_anew(change: dict[str, object]) -> None:
    assert next_step(found=WANTED, wanted=replace(WANTED, **change)) == "anew"


def test_an_interrupted_set_up_is_made_anew(tmp_path: Path) -> None:
    WANTED.write(tmp_path)
    begin(tmp_path)

    assert next_step(found=Stamp.read(tmp_path), wanted=WANTED) == "anew"
    assert is_ours(tmp_path)


def test_a_stamp_survives_writing_and_reading(tmp_path: Path) -> None:
    WANTED.write(tmp_path)
    assert Stamp.read(tmp_path) == WANTED


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", '{"extras": 3}'])
def test_a_damaged_stamp_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    assert Stamp.read(tmp_path) is None


def test_the_inputs_hash_changes_with_any_byte_of_the_files(tmp_path: Path) -> None:
    pins = tmp_path / "constraints.txt"

    def inputs(text: str) -> str:
        pins.write_text(text)
        return Stamp.wanted(checkout=tmp_path, inputs=(pins,), extras=()).inputs

    assert inputs("numpy==2.4.6\n") == inputs("numpy==2.4.6\n")
    assert inputs("numpy==2.4.6\n") != inputs("numpy==2.5.5\n")


def test_an_environment_that_somebody_else_made_is_not_ours(tmp_path: Path) -> None:
    assert is_ours(tmp_path / "absent")
    assert is_ours(tmp_path)
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\n")
    assert not is_ours(tmp_path)
