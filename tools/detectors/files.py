"""A detector that writes one file for each image, and its program's metadata beside it."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from livepdf.cli.signals import stopped_by_signal
from livepdf.simulate.faults import Message, Pause, Tally, faulty
from tools.detectors.image_files import FORMATS, file_bytes, qxrd_metadata
from tools.detectors.options import fault_options, faults_of, image_options
from tools.detectors.pictures import Pictures, pictures

_PAUSE = 0.3
"""s between the two halves of a file that is written slowly."""


@click.command("files")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@image_options
@click.option("--format", type=click.Choice(FORMATS), default="tif", show_default=True)
@click.option("--name", default="scan", show_default=True, help="Of the files: NAME_00001.tif …")
@click.option("--metadata", is_flag=True, help="QXRD's NAME.tif.metadata, after each image.")
@click.option("--rename", is_flag=True, help="Write NAME.tmp first, then rename.")
@click.option("--slowly", is_flag=True, help="Write each file in two halves with a pause between.")
@click.option("--nested", type=int, default=0, help="Images in each new folder; 0: all in one.")
@fault_options
def main(
    folder: Path,
    format: str,  # noqa: A002
    name: str,
    metadata: bool,
    rename: bool,
    slowly: bool,
    nested: int,
    **given: Any,
) -> None:
    """Write image files into FOLDER (TIFF, CBF or EDF), as detectors and their programs do.

    Among the faults, --corruption leaves cut and garbled files behind, --duplicates writes a
    file twice under one name, and --disorder lets later images come first.

    \b
    python3 -m tools.detectors files /tmp/in --metadata --slowly
    python3 -m tools.detectors files /tmp/in --format cbf --nested 10 --corruption 0.05
    """  # noqa: D301 click wants the real control character
    faults, rate = faults_of(given), given["rate"]
    seen = pictures(given, seed=faults.seed)
    folder.mkdir(parents=True, exist_ok=True)
    tally, written = Tally(), 0
    print(f"writing {folder}", flush=True)
    with stopped_by_signal() as stop:
        began = time.monotonic()
        for step in faulty(_files(seen, format, name, nested), faults, tally):
            if isinstance(step, Pause):
                began += step.seconds
                stop.wait(step.seconds)
            if not isinstance(step, Message):
                continue
            if stop.wait(max(0.0, began + written / rate - time.monotonic())):
                break
            written += 1
            place, content = _placed(folder, step)
            _write(place, content, rename=rename, pause=_PAUSE if slowly else 0.0)
            if metadata:
                text = qxrd_metadata(seen.series, name=place.name, number=written, when=time.time())
                place.with_name(f"{place.name}.metadata").write_bytes(text)
    print(json.dumps({"written": written, **asdict(tally)}), flush=True)


def _files(seen: Pictures, format: str, name: str, nested: int) -> Iterator[Message]:  # noqa: A002
    for index, image in enumerate(seen.images):
        inside = f"part_{index // nested + 1:03d}/" if nested else ""
        path = f"{inside}{name}_{index + 1:05d}.{format}".encode()
        yield Message(role="image", parts=[path, file_bytes(image, seen.series, format=format)])


def _placed(folder: Path, step: Message) -> tuple[Path, bytes]:
    if len(step.parts) == 1:
        return folder / "garbage.tif", step.parts[0]
    return folder / step.parts[0].decode(), step.parts[1]


def _write(path: Path, content: bytes, *, rename: bool, pause: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.with_suffix(".tmp") if rename else path
    with target.open("wb") as file:
        middle = len(content) // 2 if pause else len(content)
        file.write(content[:middle])
        file.flush()
        time.sleep(pause)
        file.write(content[middle:])
    if rename:
        target.rename(path)


if __name__ == "__main__":
    main()
