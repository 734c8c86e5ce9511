"""`livepdf pump-probe`: curves with and without a laser to a map of ΔI(Q) over the delay."""

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.pump_probe.delay import DelayPart
from livepdf.analysis.pump_probe.delay_map import Components, components
from livepdf.analysis.pump_probe.paired import PairedMap, paired_map
from livepdf.errors import FileError
from livepdf.sinks.laser_file import write_pairs

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("pump-probe")
@click.option("--on", "on_file", type=_FILE, required=True, help="Curves with the laser.")
@click.option("--off", "off_file", type=_FILE, required=True, help="Curves without.")
@click.option("--q", "q_file", type=_FILE, required=True, help="Q in Å⁻¹.")
@click.option("--delay", "delay_file", type=_FILE, required=True, help="One value per curve.")
@click.option("--unit", required=True, help="Of the delay: s … fs, or m, mm, um of a stage.")
@click.option(
    "--sign",
    type=click.Choice(["1", "-1"]),
    required=True,
    help="1 where a larger value brings the X-rays later after the laser.",
)
@click.option("--zero", type=float, required=True, help="The value at time zero.")
@click.option("--band", type=float, nargs=2, help="Å⁻¹, of the normalisation; all Q by default.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), required=True)
def pump_probe(
    on_file: Path,
    off_file: Path,
    q_file: Path,
    delay_file: Path,
    unit: str,
    sign: str,
    zero: float,
    band: tuple[float, float] | None,
    output: Path,
) -> None:
    """Map what a laser changes, from curves that are averages already.

    Files are .npy or text: curves as rows, one a delay. Of averages nothing is known but how much
    they scatter, so σ is taken from those without the laser, and the output says so.

    \b
    livepdf pump-probe --on on.npy --off off.npy --q q.npy --delay stage.npy \\
        --unit mm --sign -1 --zero -750 -o map.nxs
    """  # noqa: D301  # click wants the character \b, not its spelling
    part = DelayPart(name="--delay", unit=unit, sign=1 if sign == "1" else -1, reference=zero)
    try:
        delays = part.sign * (_array(delay_file) - zero) * part.scale
        order = np.argsort(delays, kind="stable")
        q = _array(q_file)
        shape = (delays.size, q.size)
        found = paired_map(
            q=q,
            on=_curves(on_file, shape)[order],
            off=_curves(off_file, shape)[order],
            delays=delays[order],
            band=band,
        )
        parts = components(found.map)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    write_pairs(
        output,
        q=q,
        delays=found.map.delays,
        value=found.map.value,
        sigma=found.map.sigma,
        sigma_is=found.sigma_is,
        strength=parts.strength,
        curves=parts.curves,
        over=parts.delays,
    )
    click.echo(_table(found, parts, q))
    click.echo(f"{output}: ΔI(Q) over {len(delays)} delays; σ is {found.sigma_is}")


def _array(path: Path) -> NDArray[np.float64]:
    try:
        read = np.load(path, allow_pickle=False) if path.suffix == ".npy" else np.loadtxt(path)
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: cannot be read as numbers: {error}") from error
    return np.asarray(read, dtype=np.float64)


def _curves(path: Path, shape: tuple[int, int]) -> NDArray[np.float64]:
    read = np.atleast_2d(_array(path))
    if read.shape != shape:
        raise ValueError(
            f"{path}: found an array of {read.shape}, wanted {shape}: a row for each of "
            f"{shape[0]} delays, a column for each of {shape[1]} Q"
        )
    return read


def _table(found: PairedMap, parts: Components, q: NDArray[np.float64]) -> str:
    lines = ["   delay (ps)   rms ΔI/σ   largest ΔI/σ   at Q (Å⁻¹)"]
    ratio = found.map.value / found.map.sigma
    for delay, row in zip(found.map.delays, ratio, strict=True):
        known = row[np.isfinite(row)]
        place = int(np.argmax(np.abs(known)))
        rms, most, where = np.sqrt(np.mean(known**2)), known[place], q[np.isfinite(row)][place]
        lines.append(f"{1e12 * delay:13.3f} {rms:10.2f} {most:14.1f} {where:12.2f}")
    strength = ", ".join(f"{one:.2f}" for one in parts.strength[:4])
    lines.append(
        f"{parts.significant} components stand above noise (strengths {strength}; noise has about "
        "1): mathematical components, not physical states"
    )
    return "\n".join(lines)
