"""What the window remembers, decided without a display."""

import json

from livepdf_gui.show.memory import Memory, recall, remember, restore, wishes_of
from livepdf_gui.show.session import Session


def test_what_was_chosen_comes_back(tmp_path) -> None:
    session = Session("e")
    for name in ("map", "axis", "curve", "theme", "rings", "levels"):
        session.act(name)
    path = tmp_path / "deep" / "window.json"

    remember(path, Memory(wishes=wishes_of(session), size=(800, 600), splitters=((1, 2),)))
    memory, complaint = recall(path)
    again = Session("e")
    restore(again, memory.wishes)

    assert complaint == ""
    assert memory.size == (800, 600)
    assert again.choice == session.choice
    assert (again.rings, again.detector_scale) == (session.rings, session.detector_scale)


def test_a_file_that_cannot_be_understood_is_set_aside(tmp_path) -> None:
    path = tmp_path / "window.json"
    for text in ("{", '{"version": 99}', '{"version": 1, "wishes": 3, "size": "x"}'):
        path.write_text(text)

        memory, complaint = recall(path)

        assert memory == Memory()
        assert "could not be understood" in complaint
        assert not path.exists()
        assert path.with_suffix(".json.bad").read_text() == text


def test_wishes_that_make_no_sense_are_left_out(tmp_path) -> None:
    session = Session("e")
    before = session.choice

    restore(session, json.loads('{"theme": "pink", "trends": [1], "rings": 7, "axis": null}'))

    assert session.choice == before


def test_without_a_file_nothing_is_remembered_and_nothing_is_said(tmp_path) -> None:
    assert recall(tmp_path / "none.json") == (Memory(), "")
