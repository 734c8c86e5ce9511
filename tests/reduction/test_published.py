"""The oracle is what PDFgetX3 and xPDFsuite wrote from the same input."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from livepdf.files.columns import read_columns
from livepdf.files.pdf_config import read_pdf_config
from livepdf.numerics.resample import momentum_transfer, resample_uniform
from livepdf.reduction.background import background_on
from livepdf.reduction.curves import reduce_intensity
from livepdf.reduction.plan import build_plan

Find = Callable[[str], Path]


def _relative_rms(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.sqrt(np.sum((found - expected) ** 2) / np.sum(expected**2)))


def _reduce(sample: Path, background: Path | None, config: Path, kind: str) -> np.ndarray:
    c = read_pdf_config(config)
    data = read_columns(sample)
    axis = momentum_transfer(axis=data.x, unit=c.dataformat, wavelength=c.wavelength)
    q, intensity, sigma = resample_uniform(q=axis, intensity=data.y, sigma=np.ones(axis.size))
    backgrounds = []
    if background is not None and c.bgscale:
        cell = read_columns(background)
        cell_q = momentum_transfer(axis=cell.x, unit=c.dataformat, wavelength=c.wavelength)
        backgrounds = [
            background_on(
                grid=q, name="cell", q=cell_q, intensity=cell.y, sigma=None, scale=c.bgscale
            )
        ]
    plan = build_plan(
        q=q,
        composition=c.composition,
        qmin=c.qmin,
        qmax=c.qmax,
        qmaxinst=c.qmaxinst,
        rpoly=c.rpoly,
        rmin=c.rmin,
        rmax=c.rmax,
        rstep=c.rstep,
        transform="fft",
        backgrounds=backgrounds,
    )
    curves = reduce_intensity(plan, intensity=intensity, sigma=sigma)
    return np.asarray(next(curve.y for curve in curves if curve.kind == kind))


@pytest.mark.parametrize("name", ["Ni", "Ni-hires", "Ni-lownoise"])
def test_nickel_is_repeated_to_the_printed_digits(data_path: Find, name: str) -> None:
    folder = data_path("pdf1d/ni_kapton_exact")
    published = folder / f"{name}.gr"

    gr = _reduce(folder / "Ni.chi", folder / "kapton.chi", published, "gr")

    assert _relative_rms(gr, read_columns(published).y) < 1.5e-6


@pytest.mark.parametrize(
    ("name", "background"),
    [
        ("tio2-ito-glass_noBKGsub", "glass"),
        ("tio2-ito_minus-glass_TiO2Comp", "glass"),
        ("tio2_minus-ito-glass", "ito-glass"),
    ],
)
def test_films_with_background_are_repeated(data_path: Find, name: str, background: str) -> None:
    folder = data_path("pdf1d/tio2_film_microwave")
    published = folder / f"{name}.gr"

    gr = _reduce(folder / "tio2-ito-glass.chi", folder / f"{background}.chi", published, "gr")

    assert _relative_rms(gr, read_columns(published).y) < 4e-6


@pytest.mark.parametrize("scan", [1, 12, 25, 43])
def test_an_operando_series_is_repeated(data_path: Find, scan: int) -> None:
    # Its Q axis is printed to 1e-6, which is what is left.
    folder = data_path("series/tio2b_operando_2019")
    gr = _reduce(
        folder / f"chi/B3_{scan:02d}.chi",
        folder / "implied_background.xy",
        folder / "iq/B3_01.iq",
        "gr",
    )

    assert _relative_rms(gr, read_columns(folder / f"gr/B3_{scan:02d}.gr").y) < 1e-4


def test_a_dead_scan_of_that_series_is_refused_in_words(data_path: Find) -> None:
    folder = data_path("series/tio2b_operando_2019")
    with pytest.raises(ValueError, match="no positive scale"):
        _reduce(folder / "chi/B3_31.chi", None, folder / "iq/B3_01.iq", "gr")


def test_the_stages_s_and_f_of_nickel_are_repeated(data_path: Find) -> None:
    folder = data_path("pdf1d/ni_all_stages")
    c = read_pdf_config(folder / "ni.fq")
    data = read_columns(folder / "ni.iq")
    q, intensity, sigma = resample_uniform(q=data.x, intensity=data.y, sigma=np.ones(data.x.size))
    plan = build_plan(
        q=q,
        composition=c.composition,
        qmin=c.qmin,
        qmax=c.qmax,
        qmaxinst=c.qmaxinst,
        rpoly=c.rpoly,
        rmin=0.0,
        rmax=10.0,
        rstep=0.01,
    )

    _, sq, fq, _ = reduce_intensity(plan, intensity=intensity, sigma=sigma)

    assert _relative_rms(fq.y, read_columns(folder / "ni.fq").y) < 3e-5
    assert _relative_rms(sq.y, read_columns(folder / "ni.sq").y) < 3e-5
