"""What a look through a directory finds, and which of it is news."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from livepdf.sources.naming import Naming
from livepdf.sources.scan import Found, Ledger, natural, scan


def found(name: str, *, size: int = 5, mtime: int = 1) -> Found:
    return Found(path=Path(name), size=size, mtime_ns=mtime, inode=1)


def test_numbers_in_names_sort_as_numbers() -> None:
    names = ["a_10", "a_9", "b_1", "a_100", "a"]
    assert sorted(names, key=natural) == ["a", "a_9", "a_10", "a_100", "b_1"]


@given(st.lists(st.text(max_size=20), max_size=10))
def test_any_names_can_be_sorted(names: list[str]) -> None:
    assert len(sorted(names, key=natural)) == len(names)


def test_a_file_is_given_once_after_it_settled_and_again_when_it_changed() -> None:
    ledger = Ledger(settle=2)
    looks = [found("a")] * 5 + [found("a", size=9)] * 5

    given_at = [number for number, file in enumerate(looks) if ledger.look([file])]

    assert given_at == [2, 7]


def test_an_empty_file_and_one_that_keeps_growing_are_not_given() -> None:
    ledger = Ledger(settle=1)

    assert not any(ledger.look([found("a", size=0), found("b", size=n)]) for n in range(1, 9))


def test_a_file_that_vanished_is_new_when_it_comes_back() -> None:
    ledger = Ledger(settle=1)
    counts = [len(ledger.look(look)) for look in ([found("a")],) * 2 + ([],) + ([found("a")],) * 2]

    assert counts == [0, 1, 0, 0, 1]


def test_folders_below_are_looked_into_and_ignored_ones_are_not(tmp_path: Path) -> None:
    for name in ("a/b/x.tif", ".hidden/x.tif", "y.tif", "y.txt", "y.tmp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")

    names = [
        str(file.path.relative_to(tmp_path))
        for file in scan(tmp_path, patterns=["*.tif"], ignore=[".*", "*.tmp"])
    ]

    assert names == ["a/b/x.tif", "y.tif"]


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert scan(tmp_path / "absent", patterns=["*"], ignore=[]) == []


def test_names_of_one_text_share_a_series_and_their_numbers_are_places() -> None:
    naming = Naming(Path("/d"))
    places = [naming.take(Path(f"/d/{name}.tif")) for name in ("Si-00007", "Si-00008", "Ni-1")]

    assert [place.index for place in places] == [0, 1, 0]
    assert places[0].series == places[1].series != places[2].series
    assert [place.name for place in places] == ["Si", "Si", "Ni"]


def test_a_number_below_the_first_begins_the_series_anew() -> None:
    naming = Naming(Path("/d"))
    places = [naming.take(Path(f"/d/a_{number}.tif")) for number in (5, 6, 1, 2)]

    assert [place.index for place in places] == [0, 1, 0, 1]
    assert len({place.series for place in places}) == 2
