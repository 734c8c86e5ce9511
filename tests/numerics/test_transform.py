from collections.abc import Callable
from pathlib import Path

import numpy as np
import pystog
import pytest

from livepdf.files.columns import read_columns
from livepdf.files.pdf_config import read_pdf_config
from livepdf.numerics.transform import (
    exact_transform,
    fft_transform,
    pair_distribution,
    spacing,
)

Q = 0.0125 * np.arange(1, 2000)
R = 0.01 * np.arange(1, 3001)
A = 0.05


def _gaussian_gr(r: np.ndarray) -> np.ndarray:
    # ∫ Q exp(-aQ²) sin(Qr) dQ over [0, ∞) = r √π / (4 a^(3/2)) exp(-r²/4a)
    return (2 / np.pi) * r * np.sqrt(np.pi) / (4 * A**1.5) * np.exp(-(r**2) / (4 * A))


def test_gaussian_fq_gives_its_closed_form_gr() -> None:
    gr = pair_distribution(q=Q, fq=Q * np.exp(-A * Q**2), r=R)

    np.testing.assert_allclose(gr, _gaussian_gr(R), atol=1e-4)


def test_spacing_may_vary_in_the_exact_transform() -> None:
    uneven = np.linspace(0.05, 5.0, 2000) ** 2

    gr = pair_distribution(q=uneven, fq=uneven * np.exp(-A * uneven**2), r=R[:500])

    np.testing.assert_allclose(gr, _gaussian_gr(R[:500]), atol=1e-3)


def test_the_fast_exact_transform_is_the_plain_sum_to_rounding() -> None:
    fq = np.random.default_rng(0).normal(size=Q.size)
    for q, r in ((Q, R), (Q[80:1500], 1.5 + 0.03 * np.arange(700))):
        inside = fq[: q.size]
        fast = exact_transform(q=q, r=r)

        np.testing.assert_allclose(
            fast.apply(inside), pair_distribution(q=q, fq=inside, r=r), atol=1e-11
        )
        np.testing.assert_allclose(fast.rows(r) @ inside, fast.apply(inside), atol=1e-11)


def test_the_exact_transform_agrees_with_pystog() -> None:
    fq = np.random.default_rng(1).normal(size=Q.size) * np.exp(-Q / 10)

    _, gr, _ = pystog.Transformer().F_to_G(Q, fq, R[::50])

    np.testing.assert_allclose(exact_transform(q=Q, r=R).apply(fq)[::50], gr, atol=1e-10)


def test_the_fft_differs_from_the_exact_sum_by_its_interpolation_only() -> None:
    fq = Q * np.exp(-0.005 * Q**2) * np.sin(3 * Q)

    fft = fft_transform(q=Q, r=R, step=0.0125, qmin=0.0).apply(fq)
    exact = pair_distribution(q=Q, fq=fq, r=R)

    difference = np.sqrt(np.sum((fft - exact) ** 2) / np.sum(exact**2))
    assert 1e-5 < difference < 3e-3


@pytest.mark.parametrize("offset", [0.0, 0.3, 0.5, 0.9])
def test_the_matrix_of_the_fft_is_the_fft(offset: float) -> None:
    q = 0.1 + 0.0125 * (np.arange(1500) + offset)
    fq = np.random.default_rng(2).normal(size=q.size)
    fft = fft_transform(q=q, r=R, step=0.0125, qmin=0.1)

    np.testing.assert_allclose(fft.rows(R[::40]) @ fq, fft.apply(fq)[::40], atol=1e-11)


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [("AgNbClO4", 2e-5), ("NaZrYCl_1", 2e-5), ("NSPS_room", 1e-4), ("NSSbS_room", 1e-4)],
)
def test_the_fft_repeats_published_pairs_of_f_and_g(
    data_path: Callable[[str], Path], name: str, tolerance: float
) -> None:
    # What is left is the six digits that Q is printed with.
    f = read_columns(data_path(f"pdf1d/fq_gr_pairs/{name}.fq"))
    g = read_columns(data_path(f"pdf1d/fq_gr_pairs/{name}.gr"))
    qmin = read_pdf_config(data_path(f"pdf1d/fq_gr_pairs/{name}.fq")).qmin

    gr = fft_transform(q=f.x, r=g.x, step=spacing(f.x), qmin=qmin).apply(f.y)

    assert np.sqrt(np.sum((gr - g.y) ** 2) / np.sum(g.y**2)) < tolerance


def test_a_grid_that_is_not_equidistant_is_refused() -> None:
    with pytest.raises(ValueError, match="equidistant"):
        exact_transform(q=Q**1.1, r=R)
