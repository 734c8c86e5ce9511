import numpy as np
import pytest

from livepdf.model.structure import Structure


def _structure(**changes: object) -> Structure:
    fields: dict[str, object] = {
        "name": "test",
        "lengths": (3.0, 4.0, 5.0),
        "angles": (80.0, 95.0, 110.0),
        "elements": ("O", "Hf", "O"),
        "positions": np.zeros((3, 3)),
        "uiso": np.zeros(3),
        "source": "none",
    }
    return Structure(**(fields | changes))  # type: ignore[arg-type]


def test_the_cell_vectors_have_the_lengths_and_angles_of_the_cell() -> None:
    cell = _structure().cell

    metric = cell @ cell.T
    np.testing.assert_allclose(np.sqrt(np.diag(metric)), [3.0, 4.0, 5.0])
    assert metric[1, 2] == pytest.approx(20.0 * np.cos(np.radians(80.0)))
    assert metric[0, 2] == pytest.approx(15.0 * np.cos(np.radians(95.0)))
    assert metric[0, 1] == pytest.approx(12.0 * np.cos(np.radians(110.0)))


def test_species_are_numbered_in_the_order_of_their_first_atom() -> None:
    structure = _structure()

    assert structure.species == ("O", "Hf")
    np.testing.assert_array_equal(structure.species_index, [0, 1, 0])


def test_a_right_angled_cell_has_the_product_of_its_edges_as_volume() -> None:
    assert _structure(angles=(90.0, 90.0, 90.0)).volume == pytest.approx(60.0)


def test_arrays_that_do_not_fit_the_elements_are_refused() -> None:
    with pytest.raises(ValueError, match="positions"):
        _structure(positions=np.zeros((2, 3)))
    with pytest.raises(ValueError, match="uiso"):
        _structure(uiso=np.zeros(2))
