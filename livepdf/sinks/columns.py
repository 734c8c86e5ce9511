"""Write curves as column text that PDFgui, diffpy and livepdf itself read back."""

import contextlib
import os
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FileError
from livepdf.model.curve import Curve, CurveKind

_INPUT = ("dataformat", "inputfile", "backgroundfile", "outputtype")
_SETUP = (
    "mode", "wavelength", "composition", "bgscale", "rpoly", "qmaxinst", "qmin", "qmax", "rmin",
    "rmax", "rstep",
)  # fmt: skip
_FORBIDDEN = {"T", "x"}
"""PDFgui reads these as temperature and doping of its own."""
_TITLE: dict[CurveKind, tuple[str, str]] = {
    "iq": ("Q(A^-1)  I(a.u.)", "dI"),
    "sq": ("Q(A^-1)  S(1)", "dS"),
    "fq": ("Q(A^-1)  F(A^-1)", "dF"),
    "gr": ("r(A)  G(A^-2)", "dr  dG"),
    "dgr": ("r(A)  DeltaG(A^-2)", "dDeltaG"),
    "gr_model": ("r(A)  Gmodel(A^-2)", "dGmodel"),
}


def write_curve(
    path: Path, curve: Curve, *, header: Mapping[str, object], extras: Mapping[str, object]
) -> None:
    """Write one curve; the file appears whole or not at all.

    Points without a value (NaN) are left out. G(r) has the columns r, G, 0.0 and σ where every σ
    is known and positive, else r and G alone, as readers drop all errors when one is zero. At
    r = 0, where G is zero by law, the σ of the next point stands for that reason. The other kinds
    have σ as third column where known.

    Parameters
    ----------
    header : mapping
        Settings with the names of PDFgetX3; the file can be given back as ``--config``.
    extras : mapping
        Ours, for the ``[livepdf]`` section: revision, frames, time and the like.

    Raises
    ------
    FileError
        When the file cannot be written. ValueError for keys that readers misunderstand.
    """
    table, title = _table(curve)
    lines = [*_header_lines(curve.kind, header, extras), "#### start data", "#S 1", f"#L {title}"]
    # One template for all: a value at a time takes ten times as long.
    row = " ".join(["%.9g"] * table.shape[1])
    rows = "\n".join([row] * len(table)) % tuple(table.ravel().tolist())
    _replace(path, "\n".join(lines) + "\n" + rows + "\n")


def _table(curve: Curve) -> tuple[NDArray[np.float64], str]:
    title, error_title = _TITLE[curve.kind]
    shown = np.isfinite(curve.y)
    if curve.kind != "gr":
        if np.all(np.isfinite(curve.sigma[shown])):
            columns = np.column_stack([curve.x, curve.y, curve.sigma])
            return columns[shown], f"{title}  {error_title}"
        return np.column_stack([curve.x, curve.y])[shown], title
    sigma = curve.sigma.copy()
    if curve.x.size > 1 and curve.x[0] == 0:
        sigma[0] = sigma[1]
    if np.all(np.isfinite(sigma[shown]) & (sigma[shown] > 0)):
        columns = np.column_stack([curve.x, curve.y, np.zeros(curve.x.size), sigma])
        return columns[shown], f"{title}  {error_title}"
    return np.column_stack([curve.x, curve.y])[shown], title


def _header_lines(
    kind: CurveKind, header: Mapping[str, object], extras: Mapping[str, object]
) -> list[str]:
    bad = _FORBIDDEN & (set(header) | set(extras))
    if bad:
        raise ValueError(f"header keys that PDFgui misreads: {', '.join(sorted(bad))}")
    known = {"mode": "xray", **header, "outputtype": kind}
    others = [key for key in known if key not in (*_INPUT, *_SETUP, "version")]
    return [
        "[DEFAULT]",
        "",
        f"version = livepdf-{_version()}",
        "",
        "# input and output specifications",
        *_entries(known, _INPUT),
        "",
        "# PDF calculation setup",
        *_entries(known, (*_SETUP, *others)),
        "",
        "# End of config " + "-" * 62,
        "",
        "[livepdf]",
        *_entries(extras, tuple(extras)),
        "",
    ]


def _entries(values: Mapping[str, object], keys: tuple[str, ...]) -> list[str]:
    """Return ``key = value`` lines; a line break inside a value would start another key."""
    return [f"{key} = {' '.join(str(values[key]).split())}" for key in keys if key in values]


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise FileError(f"{path}: {error.strerror or error}") from None


def _version() -> str:
    try:
        return version("livepdf")
    except PackageNotFoundError:
        # Run from a source tree: the file must not claim a release that it is not.
        return "source"
