import numpy as np
import pytest

from livepdf.numerics.tapers import TAPERS, taper

Q = np.linspace(1.0, 20.0, 96)


def test_lorch_ends_at_zero_and_starts_near_one() -> None:
    for kind in ("lorch", "lorch-pdfgetx3", "cosine"):
        values = taper(kind=kind, q=Q, qmin=1.0, qmax=20.0)
        assert values[-1] == pytest.approx(0.0, abs=1e-15)
        assert values[0] > 0.99
        assert np.all(np.diff(values) < 0)


def test_the_two_lorch_functions_differ_where_qmin_is_not_zero() -> None:
    plain = taper(kind="lorch", q=Q, qmin=1.0, qmax=20.0)
    shifted = taper(kind="lorch-pdfgetx3", q=Q, qmin=1.0, qmax=20.0)

    assert shifted[0] == 1.0
    assert np.max(np.abs(plain - shifted)) > 0.01


def test_no_taper_changes_nothing() -> None:
    np.testing.assert_array_equal(taper(kind="none", q=Q, qmin=1.0, qmax=20.0), 1.0)


def test_an_unknown_taper_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="hann.*" + ", ".join(TAPERS)):
        taper(kind="hann", q=Q, qmin=1.0, qmax=20.0)  # type: ignore[arg-type]
