"""`livepdf geometry`: a tiled detector's CrystFEL geometry as a calibration for profiles."""

from pathlib import Path

import click

_POSITIVE = click.FloatRange(min=0, min_open=True)


@click.command("geometry")
@click.argument("geom", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--energy", type=_POSITIVE, required=True, help="keV, of the photons.")
@click.option(
    "--distance", type=_POSITIVE, help="m, from the sample, where the file names only a motor."
)
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Calibration to write; the pixels go beside it, with the ending .h5.",
)
@click.option("--force", is_flag=True, help="Replace files that are there.")
def geometry(geom: Path, energy: float, distance: float | None, output: Path, force: bool) -> None:
    """Turn a CrystFEL geometry (GEOM) into a pyFAI calibration for `poni` in a profile.

    Every tile keeps its place, tilt and size of pixels; gaps, bad regions and panels marked
    no_index become the mask. Images are expected as the geometry describes the data, modules one
    below the other.

    \b
    livepdf geometry agipd.geom --energy 24 -o agipd.poni
    """  # noqa: D301  # click wants the character \b, not its spelling
    from livepdf.files.crystfel import read_geom
    from livepdf.files.tile_calibration import write_calibration

    if output.suffix != ".poni":
        raise click.BadParameter(f"found {output}, wanted a name that ends in .poni")
    pixels = output.with_suffix(".h5")
    for path in (output, pixels):
        if path.exists() and not force:
            raise click.BadParameter(f"{path} is there already: another name, or --force")
    tiles = read_geom(geom, distance=distance)
    away = write_calibration(tiles, energy=energy, output=output)
    ny, nx = tiles.shape
    click.echo(f"{output}: {len(tiles.panels)} tiles, images of {ny} rows × {nx} columns,")
    click.echo(f"{tiles.mask().mean():.1%} masked, nearest tile at {1000 * away:.2f} mm")
