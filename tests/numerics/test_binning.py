import numpy as np
import pytest

from livepdf.numerics.binning import centre_bins, split_bins
from livepdf.numerics.geometry import RadialUnit
from tests.numerics.test_geometry import straight

NO_MASK = np.zeros((60, 80), bool)


def a_mask() -> np.ndarray:
    mask = NO_MASK.copy()
    mask[25:40, 30:50] = True
    mask[:5] = True
    return mask


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("unit", ["q_A^-1", "q_nm^-1", "2th_deg"])
def test_whole_pixels_fall_where_pyfai_puts_them(unit: RadialUnit, masked: bool) -> None:
    geometry = straight()
    mask = a_mask() if masked else NO_MASK

    bins = centre_bins(geometry, npt=97, unit=unit, radial_range=None, mask=mask)

    peer = geometry.pyfai.integrate1d(
        np.ones(geometry.shape, np.float32),
        97,
        unit=unit,
        method=("no", "csr", "cython"),
        mask=mask if masked else None,
    )
    np.testing.assert_allclose(bins.centres, peer.radial, rtol=1e-12)
    inside = bins.number[bins.number >= 0]
    np.testing.assert_array_equal(np.bincount(inside, minlength=97), peer.count)


@pytest.mark.parametrize("split", ["bbox", "full"])
@pytest.mark.parametrize("masked", [False, True])
def test_split_pixels_are_shared_out_as_pyfai_does(split: str, masked: bool) -> None:
    geometry = straight()
    mask = a_mask() if masked else NO_MASK

    bins = split_bins(geometry, npt=97, unit="2th_deg", radial_range=None, mask=mask, split=split)

    peer = geometry.pyfai.integrate1d(
        np.ones(geometry.shape, np.float32),
        97,
        unit="2th_deg",
        method=(split, "csr", "cython"),
        mask=mask if masked else None,
    )
    np.testing.assert_allclose(bins.centres, peer.radial, rtol=1e-12)
    shares = np.bincount(bins.bins, bins.shares, minlength=97)
    np.testing.assert_allclose(shares, peer.count, rtol=1e-6)


@pytest.mark.parametrize("split", ["bbox", "full"])
def test_a_split_pixel_is_shared_out_without_loss(split: str) -> None:
    bins = split_bins(
        straight(), npt=97, unit="q_A^-1", radial_range=None, mask=NO_MASK, split=split
    )

    whole = np.add.reduceat(bins.shares.astype(float), bins.starts[:-1])

    np.testing.assert_allclose(whole, 1.0, atol=1e-6)


def test_a_range_takes_exactly_the_pixels_inside() -> None:
    geometry = straight()
    q = geometry.q()

    bins = centre_bins(geometry, npt=40, unit="q_A^-1", radial_range=(0.4, 1.2), mask=NO_MASK)

    inside = bins.number >= 0
    np.testing.assert_array_equal(inside, (q >= 0.4) & (q <= 1.2))
    expected, _ = np.histogram(q, 40, (0.4, 1.2))
    found = np.bincount(bins.number[inside], minlength=40)
    assert np.abs(found - expected).sum() <= 2  # pyFAI's upper edge is one float32 step higher


def test_a_range_does_not_pile_the_outside_up_in_the_outer_bins() -> None:
    wide = split_bins(
        straight(), npt=60, unit="q_A^-1", radial_range=(0.2, 1.4), mask=NO_MASK, split="bbox"
    )
    narrow = split_bins(
        straight(), npt=40, unit="q_A^-1", radial_range=(0.4, 1.2), mask=NO_MASK, split="bbox"
    )

    all_shares = np.bincount(wide.bins, wide.shares, minlength=60)[10:50]
    np.testing.assert_allclose(
        np.bincount(narrow.bins, narrow.shares, minlength=40), all_shares, atol=0.02
    )


def test_impossible_wishes_are_refused() -> None:
    geometry = straight()
    wishes = {
        "at least 1": {"npt": 0, "radial_range": None, "mask": NO_MASK},
        "not 0 ≤ low < high": {"npt": 9, "radial_range": (2.0, 1.0), "mask": NO_MASK},
        "leaves no pixel": {"npt": 9, "radial_range": None, "mask": ~NO_MASK},
        "the mask is": {"npt": 9, "radial_range": None, "mask": NO_MASK[1:]},
    }
    for message, wish in wishes.items():
        with pytest.raises(ValueError, match=message):
            centre_bins(geometry, unit="q_A^-1", **wish)
