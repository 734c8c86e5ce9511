"""A G(r) that came from elsewhere, as the recipe in use would have made it."""

import tempfile
from pathlib import Path
from typing import cast

import numpy as np

from livepdf.errors import ConfigError
from livepdf.files.columns import columns_in
from livepdf.files.pdf_config import read_pdf_config
from livepdf.model.curve import Curve
from livepdf.numerics.rewindow import Window, rewindowed_gr
from livepdf.numerics.tapers import TaperKind
from livepdf.reduction.plan import Plan

_SAME = 1e-3
"""Å⁻¹; limits that differ by less are the same."""


def alike_gr(name: str, text: str, plan: Plan) -> tuple[Curve, str]:
    """Bring the G(r) of a file to Qmin, Qmax and taper of the plan, on the r of the file.

    Where the file begins at a higher Qmin than the plan, that stays and is noted: it takes away a
    broad hump and makes nothing sharper.

    Parameters
    ----------
    name, text
        Of a file of columns; its window is read from a header of PDFgetX3's form.

    Returns
    -------
    curve
        σ is that of the file where nothing had to be changed, else NaN.
    note
        What became of it, for people; empty where nothing had to be changed.

    Raises
    ------
    FileError
        When the file holds no columns.
    ValueError
        When it cannot be brought to that window: it ends below Qmax, or its r is unsuitable.
    """
    columns = columns_in(text, name=name)
    r, gr = columns.x, columns.y
    sigma = np.full(r.shape, np.nan) if columns.sigma is None else columns.sigma
    seen, p = _window_of(text), plan.parameters
    if seen is None:
        return Curve(kind="gr", x=r, y=gr, sigma=sigma), "its Qmax is not told, shown as it is"
    if p.own_taper:
        raise ValueError(
            f"{name}: found a taper made from these data in the recipe, to which no other G(r) "
            "can be brought; compare with reduction.taper none or lorch"
        )
    if seen.qmax < p.qmax - _SAME:
        raise ValueError(
            f"{name}: its Qmax is {seen.qmax:g} Å⁻¹, that of the recipe {p.qmax:g}: they compare "
            f"from reduction.qmax {seen.qmax:g} down"
        )
    wanted = Window(qmin=max(p.qmin, seen.qmin), qmax=min(p.qmax, seen.qmax), taper=p.taper)
    near = abs(seen.qmax - p.qmax) <= _SAME and abs(seen.qmin - wanted.qmin) <= _SAME
    if near and seen.taper == wanted.taper:
        note = f"its Qmin is {seen.qmin:g} Å⁻¹" if seen.qmin > p.qmin + _SAME else ""
        return Curve(kind="gr", x=r, y=gr, sigma=sigma), note
    same = rewindowed_gr(r=r, gr=gr, seen=seen, wanted=wanted)
    words = f"brought to Q {wanted.qmin:g} to {wanted.qmax:g} Å⁻¹, taper {wanted.taper}"
    return Curve(kind="gr", x=r, y=same, sigma=np.full(r.shape, np.nan)), words


def _window_of(text: str) -> Window | None:
    """Return what the header tells; None where it tells none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reference.gr"
        path.write_text(text, encoding="utf-8")
        try:
            told = read_pdf_config(path)
        except ConfigError:
            return None
    # an unknown taper is refused where it would have to be divided out
    return Window(qmin=told.qmin, qmax=told.qmax, taper=cast("TaperKind", told.taper))
