"""``livepdf integrate``: one image to I(Q) or I(2θ)."""

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from livepdf.errors import LivepdfError

if TYPE_CHECKING:
    from livepdf.numerics.geometry import Geometry
    from livepdf.reduction.integrator import Integrator

# Plain ASCII: the file should open in any program.
_AXIS = {"q_A^-1": "Q (1/Angstrom)", "q_nm^-1": "Q (1/nm)", "2th_deg": "2theta (degrees)"}
_FILE = click.Path(path_type=Path)


def _factor(context: click.Context, parameter: click.Parameter, value: str) -> float | None:
    """Take a factor, or the word none for no correction at all."""
    if value == "none":
        return None
    factor: float = click.types.convert_type(click.FloatRange(-1, 1))(value, parameter, context)
    return factor


@click.command()
@click.argument("file", type=str)
@click.option("--poni", type=_FILE, required=True, help="Calibration by pyFAI.")
@click.option("--mask", type=str, help="Image whose pixels other than 0 are ignored.")
@click.option("--dark", type=str, help="Image without beam, subtracted.")
@click.option("--flat", type=str, help="Relative response of the pixels.")
@click.option("--unit", type=click.Choice(list(_AXIS)), default="q_A^-1", show_default=True)
@click.option(
    "--npt", type=click.IntRange(min=1), default=2000, show_default=True, help="Number of bins."
)
@click.option(
    "--split",
    type=click.Choice(["no", "bbox", "full"]),
    default="no",
    show_default=True,
    help="Share pixels out among bins: smoother, but σ of neighbours is then correlated.",
)
@click.option(
    "--polarization",
    metavar="FACTOR",
    callback=_factor,
    default="0.99",
    show_default=True,
    help="Horizontal polarization: about 0.99 at a synchrotron, 0 for a tube, or none.",
)
@click.option(
    "--flip",
    type=click.Choice(["none", "ud", "lr", "udlr"]),
    default="none",
    show_default=True,
    help="Mirror the image up-down, left-right or both to match the calibration.",
)
@click.option(
    "--sentinels",
    type=click.Choice(["mask", "keep"]),
    default="mask",
    show_default=True,
    help="Ignore or keep the values that mean no data: the type's largest, and negative integers.",
)
@click.option(
    "--frame", type=click.IntRange(min=0), default=0, show_default=True, help="Image in the file."
)
@click.option("-o", "--output", type=_FILE, required=True, help="Text file to write.")
@click.option("--json", "as_json", is_flag=True, help="Print a summary as JSON.")
def integrate(
    file: str,
    poni: Path,
    mask: str | None,
    dark: str | None,
    flat: str | None,
    unit: Any,
    npt: int,
    split: Any,
    polarization: float | None,
    flip: Any,
    sentinels: Any,
    frame: int,
    output: Path,
    as_json: bool,
) -> None:
    """Integrate one image FILE over the rings: three columns x, I and σ.

    FILE may be TIFF, CBF, EDF, mar, npy or HDF5 (then also FILE::/path/to/dataset), a DECTRIS
    master, a file of SACLA or the folder of a run of the European XFEL. Pixels that an HDF5 file
    marks as bad or saturated are ignored. The solid angle of the pixels is always corrected for.
    Bins without pixels are nan.

    \b
    Example:
      livepdf integrate ni.tif --poni ni.poni --mask mask.npy -o ni.xy
    """  # noqa: D301  (\b is click's own mark)
    # Heavy libraries load only when there is work, so that --help answers at once.
    from livepdf.cli.one_image import read_one
    from livepdf.cli.warm import compiling_said
    from livepdf.files.images import read_float_image, read_mask
    from livepdf.files.poni import read_poni
    from livepdf.reduction.integrator import build_integrator

    found = read_one(file, frame=frame)
    image = found.image
    geometry = read_poni(poni, shape=(image.shape[0], image.shape[1]))
    try:
        with compiling_said():
            integrator = build_integrator(
                geometry,
                npt=npt,
                unit=unit,
                split=split,
                polarization=polarization,
                mask=found.with_mask(None if mask is None else read_mask(mask)),
                saturation=found.saturation,
                dark=None if dark is None else read_float_image(dark),
                flat=None if flat is None else read_float_image(flat),
                flip=flip,
                sentinels=sentinels,
            )
    except ValueError as error:
        raise LivepdfError(str(error)) from error
    settings: dict[str, Any] = {
        "file": file,
        "frame": frame,
        "poni": str(poni),
        "mask": mask,
        "dark": dark,
        "flat": flat,
        "unit": unit,
        "npt": npt,
        "split": split,
        "polarization": polarization,
        "flip": flip,
        "sentinels": sentinels,
    }
    with compiling_said():
        _write(output, integrator=integrator, image=image, geometry=geometry, settings=settings)
    summary = settings | {"output": str(output), "shape": list(image.shape)}
    click.echo(json.dumps(summary) if as_json else f"{output}: {npt} bins of {file}")


def _write(
    output: Path,
    *,
    integrator: "Integrator",
    image: Any,
    geometry: "Geometry",
    settings: dict[str, Any],
) -> None:
    import numpy as np

    from livepdf.errors import FileError
    from livepdf.model.sums import intensity

    divided, sigma = intensity(integrator.integrate(image))
    lines = [
        f"livepdf {_version()}, geometry by pyFAI {geometry.pyfai_version}",
        *(f"{key} = {'none' if value is None else value}" for key, value in settings.items()),
        f"wavelength = {geometry.wavelength:.6f} Angstrom",
        f"columns: {_AXIS[settings['unit']]}, I (counts per weight), standard uncertainty of I",
    ]
    columns = np.column_stack([integrator.q, divided, sigma])
    try:
        np.savetxt(output, columns, fmt="%.9e", header="\n".join(lines), encoding="utf-8")
    except OSError as error:
        raise FileError(f"{output}: cannot be written: {error}") from error


def _version() -> str:
    try:
        return version("livepdf")
    except PackageNotFoundError:
        return "(not installed)"
