"""Oracle: ASE and plain text write, livepdf reads."""

from pathlib import Path

import numpy as np
import pytest

from livepdf.errors import FileError
from livepdf.files.snapshots import read_snapshots
from livepdf.model.snapshot import Snapshot

ase = pytest.importorskip("ase")
CELL = np.array([[8.0, 0.0, 0.0], [1.0, 9.0, 0.0], [0.5, -0.7, 10.0]])
ELEMENTS = ("Hf", "O", "O", "Hf")


def steps(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(8)
    return [rng.random((4, 3)) @ CELL for _ in range(count)]


def written(path: Path, kind: str, *, cell: bool = True, count: int = 3) -> list[np.ndarray]:
    from ase.io import write

    positions = steps(count)
    frames = [
        ase.Atoms(ELEMENTS, positions=p, cell=CELL if cell else None, pbc=cell) for p in positions
    ]
    write(str(path), frames, format=kind)
    return positions


@pytest.mark.parametrize(
    ("name", "kind"), [("run.xyz", "extxyz"), ("run.traj", "traj"), ("XDATCAR", "vasp-xdatcar")]
)
def test_each_step_of_a_trajectory_comes_with_its_box(tmp_path: Path, name: str, kind: str) -> None:
    positions = written(tmp_path / name, kind)

    found = list(read_snapshots(tmp_path / name))

    assert len(found) == 3
    for snapshot, expected in zip(found, positions, strict=True):
        order = np.argsort(ELEMENTS, kind="stable") if kind == "vasp-xdatcar" else range(4)
        assert sorted(snapshot.elements) == sorted(ELEMENTS)
        assert snapshot.cell is not None
        np.testing.assert_allclose(snapshot.cell, CELL, atol=1e-5)
        apart = (snapshot.cartesian[0] - snapshot.cartesian[1]) @ np.linalg.inv(CELL)
        kinds = np.array(ELEMENTS)[list(order)]
        if tuple(kinds) == snapshot.elements and kind != "vasp-xdatcar":
            wanted = (expected[0] - expected[1]) @ np.linalg.inv(CELL)
            np.testing.assert_allclose((apart - wanted + 0.5) % 1, 0.5, atol=1e-5)


def test_a_plain_cluster_has_no_box(tmp_path: Path) -> None:
    file = tmp_path / "cluster.xyz"
    file.write_text("2\nwater less one\nO 0.0 0.0 0.0\nH 0.0 0.0 0.96\n")

    (found,) = read_snapshots(file)

    assert found.cell is None
    assert found.elements == ("O", "H")
    np.testing.assert_allclose(found.cartesian, [[0, 0, 0], [0, 0, 0.96]])


DUMP = """ITEM: TIMESTEP
{step}
ITEM: NUMBER OF ATOMS
2
ITEM: BOX BOUNDS pp pp pp
0.0 10.0
0.0 10.0
0.0 10.0
ITEM: ATOMS id type x y z
1 1 1.0 2.0 3.0
2 2 4.0 5.0 {step}.5
"""


def test_types_of_a_dump_are_the_elements_that_are_told(tmp_path: Path) -> None:
    file = tmp_path / "melt.lammpstrj"
    file.write_text("".join(DUMP.format(step=k) for k in range(6)))

    found = list(read_snapshots(file, species=["Hf", "O"], start=1, every=2))

    assert [snapshot.elements for snapshot in found] == [("Hf", "O")] * 3
    assert [snapshot.cartesian[1, 2] for snapshot in found] == [1.5, 3.5, 5.5]
    assert found[0].cell is not None


def test_types_without_elements_are_not_taken_for_hydrogen(tmp_path: Path) -> None:
    file = tmp_path / "melt.dump"
    file.write_text(DUMP.format(step=0))

    with pytest.raises(FileError, match="say which with --species"):
        list(read_snapshots(file))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("cut.xyz", "5\nshort\nPt 0 0 0\n", "cannot be read"),
        ("words.xyz", "once upon a time\n", "cannot be read"),
        ("empty.lammpstrj", "", "no line ITEM: ATOMS"),
        ("what.ever", "once upon a time\n", "cannot be read: UnknownFileType"),
        ("slab.xyz", '1\nLattice="4 0 0 0 4 0 0 0 9" pbc="T T F"\nPt 0 0 0\n', "periodic in some"),
    ],
)
def test_a_file_that_is_no_model_is_refused_with_the_reason(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text)

    with pytest.raises(FileError, match=said):
        list(read_snapshots(tmp_path / name, species=["Pt"]))


def test_a_snapshot_has_a_place_for_every_atom() -> None:
    with pytest.raises(ValueError, match="as many positions"):
        Snapshot(elements=("Pt",), cartesian=np.zeros((2, 3)), cell=None)
