"""The oracle is what PDFgetX3 and xPDFsuite wrote from the same input."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from livepdf.files.columns import read_columns
from livepdf.files.pdf_config import read_pdf_config
from livepdf.numerics.resample import AxisUnit, momentum_transfer, resample_uniform
from livepdf.reduction.background import background_on
from livepdf.reduction.curves import reduce_intensity
from livepdf.reduction.plan import build_plan

Find = Callable[[str], Path]


def _relative_rms(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.sqrt(np.sum((found - expected) ** 2) / np.sum(expected**2)))


def _reduce(
    sample: Path,
    background: Path | None,
    config: Path,
    kind: str,
    *,
    unit: AxisUnit | None = None,
) -> np.ndarray:
    c = read_pdf_config(config)
    data = read_columns(sample)
    axis = momentum_transfer(axis=data.x, unit=unit or c.dataformat, wavelength=c.wavelength)
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


LIVE_SCANS = [scan for scan in range(1, 44) if scan not in (31, 32)]


def test_every_live_scan_of_an_operando_series_is_repeated(data_path: Find) -> None:
    # What is left is the digits that the background was printed with.
    folder = data_path("series/tio2b_operando_2019")
    config = folder / "iq/B3_01.iq"
    off = [
        _relative_rms(
            _reduce(
                folder / f"chi/B3_{scan:02d}.chi", folder / "implied_background.xy", config, "gr"
            ),
            read_columns(folder / f"gr/B3_{scan:02d}.gr").y,
        )
        for scan in LIVE_SCANS
    ]

    assert max(off) < 1e-4


def test_the_subtracted_intensities_of_that_series_are_repeated_too(data_path: Find) -> None:
    # Six digits of I, put in at random, scatter G by 3e-5.
    folder = data_path("series/tio2b_operando_2019")
    config = folder / "iq/B3_01.iq"
    off = [
        _relative_rms(
            _reduce(folder / f"iq/B3_{scan:02d}.iq", None, config, "gr"),
            read_columns(folder / f"gr/B3_{scan:02d}.gr").y,
        )
        for scan in LIVE_SCANS[::4]
    ]

    assert max(off) < 5e-5


@pytest.mark.parametrize("kind", ["chi", "iq"])
@pytest.mark.parametrize("scan", [31, 32])
def test_a_dead_scan_of_that_series_is_refused_in_words(
    data_path: Find, scan: int, kind: str
) -> None:
    folder = data_path("series/tio2b_operando_2019")
    with pytest.raises(ValueError, match="no positive scale"):
        _reduce(folder / f"{kind}/B3_{scan}.{kind}", None, folder / "iq/B3_01.iq", "gr")


@pytest.mark.parametrize(("kind", "tolerance"), [("sq", 3e-6), ("fq", 1.2e-5), ("gr", 2e-5)])
def test_every_stage_of_nickel_is_repeated(data_path: Find, kind: str, tolerance: float) -> None:
    # The stages were written with different limits: each header says its own.
    folder = data_path("pdf1d/ni_all_stages")
    published = folder / f"ni.{kind}"

    found = _reduce(folder / "ni.iq", None, published, kind, unit="QA")

    assert _relative_rms(found, read_columns(published).y) < tolerance
