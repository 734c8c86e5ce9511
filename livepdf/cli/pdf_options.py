"""What a user may ask of `livepdf pdf`, and how it is typed."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from livepdf.model.curve import CurveKind
    from livepdf.numerics.resample import AxisUnit
    from livepdf.reduction.quantities import Quantity

BackgroundScale = float | Literal["fit"]
KINDS: "tuple[CurveKind, ...]" = ("iq", "sq", "fq", "gr")
TAPERS = ("none", "lorch", "lorch-pdfgetx3", "cosine", "wiener")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """A sample, its settings, and what is asked for beside them; None leaves it to the settings."""

    sample: Path
    config: Path
    section: str | None = None
    banks: tuple[Path, ...] = ()
    backgrounds: tuple[Path, ...] = ()
    bgscales: tuple[BackgroundScale, ...] = ()
    dataformat: "AxisUnit | None" = None
    wavelength: float | None = None
    quantity: "Quantity | None" = None
    qmax: float | Literal["auto"] | None = None
    rpoly: float | None = None
    taper: str | None = None
    temperature: float | None = None
    scale_from: Path | None = None
    minus: Path | None = None
    bond: float | None = None


def read_kinds(
    context: click.Context,  # noqa: ARG001
    parameter: click.Parameter,  # noqa: ARG001
    value: str,
) -> "tuple[CurveKind, ...]":
    """Read ``iq,gr`` and the like."""
    wanted = [word.strip() for word in value.split(",") if word.strip()]
    unknown = [word for word in wanted if word not in KINDS]
    if unknown or not wanted:
        raise click.BadParameter(f"{value!r}: wanted some of {','.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in wanted)


def read_bgscales(
    context: click.Context,  # noqa: ARG001
    parameter: click.Parameter,  # noqa: ARG001
    value: tuple[str, ...],
) -> tuple[BackgroundScale, ...]:
    """Read numbers or ``fit``."""
    return tuple("fit" if word == "fit" else _number(word, "a number or fit") for word in value)


def read_qmax(
    context: click.Context,  # noqa: ARG001
    parameter: click.Parameter,  # noqa: ARG001
    value: str | None,
) -> float | Literal["auto"] | None:
    """Read a number or ``auto``."""
    if value is None or value == "auto":
        return "auto" if value else None
    return _number(value, "a number or auto")


def _number(text: str, wanted: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise click.BadParameter(f"{text!r}: wanted {wanted}") from None
