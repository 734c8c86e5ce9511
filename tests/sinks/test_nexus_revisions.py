from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

from livepdf.model.curve import Curve
from livepdf.sinks.nexus import NexusFile, Revised, WindowRow
from livepdf.sinks.nexus_difference import Reference
from livepdf.sinks.nexus_read import read_closed
from tests.sinks.test_nexus import R, header, row


def test_windows_written_newest_first_stand_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    file = NexusFile(tmp_path / "run.nxs", header(first=2))
    file.add([row(6), row(7)])
    file.add([row(3), row(2)])
    file.close()

    with h5py.File(tmp_path / "run.nxs") as opened:
        windows, gr = opened["entry/windows"], opened["entry/pdf/G"][:]
        assert windows["number"][:].tolist() == [2, 3, -1, -1, 6, 7]
        assert np.isnan(windows["time"][2:4]).all()
        for place, number in ((0, 2), (1, 3), (4, 6), (5, 7)):
            expected = row(number).result.curve("gr").y.astype(np.float32)
            np.testing.assert_array_equal(gr[place], expected)
        assert np.isnan(gr[2:4]).all()


def test_windows_come_back_as_they_were_added_up(tmp_path: Path) -> None:
    file = NexusFile(tmp_path / "run.nxs", header(first=1))
    file.add([row(n) for n in range(1, 5)])
    open_still = file.windows([2, 4, 9, 0])
    file.close()
    closed = read_closed(tmp_path / "run.nxs", first=1, numbers=[4, 2])

    assert set(open_still) == set(closed) == {2, 4}
    for found in (open_still, closed):
        stored, given = found[4], row(4)
        assert stored.span == given.result.span
        assert stored.environment == given.result.environment
        np.testing.assert_array_equal(stored.sums.weight, given.sums.weight)
        np.testing.assert_array_equal(stored.sums.variance, given.sums.variance)
        assert np.isnan(stored.sums.monitor)


def test_a_file_of_a_revision_has_every_recipe_up_to_its_own(tmp_path: Path) -> None:
    past = [
        Revised(number=1, time=1.0, changes="", recipe="a = 1\n"),
        Revised(number=2, time=2.0, changes="a 1 -> 2", recipe="a = 2\n"),
    ]
    given = header(revision=2, revisions=past, follows="growth_0001.nxs")
    file = NexusFile(tmp_path / f"{given.stem}.nxs", given)
    file.continued("growth_0001-rev3.nxs")
    file.close()

    with h5py.File(tmp_path / "growth_0001-rev2.nxs") as opened:
        process = opened["entry/livepdf"]
        assert process["revision"][()] == 2
        assert process["revision_1/recipe"].asstr()[()] == "a = 1\n"
        assert process["revision_2/changes"].asstr()[()] == "a 1 -> 2"
        assert opened["entry/follows"].asstr()[()] == "growth_0001.nxs"
        assert opened["entry/continued_in"][()] == b"growth_0001-rev3.nxs"


def test_differences_stand_beside_what_they_were_taken_from(tmp_path: Path) -> None:
    def with_difference(number: int) -> WindowRow:
        plain = row(number)
        gr = plain.result.curve("gr")
        dgr = Curve(kind="dgr", x=R, y=gr.y - 1.0, sigma=gr.sigma)
        return replace(plain, result=replace(plain.result, curves=(*plain.result.curves, dgr)))

    file = NexusFile(tmp_path / "run.nxs", header())
    file.add([row(0)])
    flat = Curve(kind="gr", x=R, y=np.ones(R.size), sigma=np.zeros(R.size))
    file.reference(Reference(words="window 0", time=5.0, gr=flat))
    file.add([with_difference(1)])
    file.close()

    with h5py.File(tmp_path / "run.nxs") as opened:
        data, kept = opened["entry/difference"], opened["entry/references"]
        assert data["reference"][:].tolist() == [-1, 0]
        assert np.isnan(data["dG"][0]).all()
        gr = row(1).result.curve("gr").y
        np.testing.assert_array_equal(data["dG"][1], (gr - 1.0).astype(np.float32))
        np.testing.assert_array_equal(kept["G"][0], 1.0)
        assert kept["description"][0] == b"window 0"
        assert data.attrs["signal"] == "dG"
