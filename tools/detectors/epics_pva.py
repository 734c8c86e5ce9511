"""An EPICS areaDetector with its PVA plugin that does not exist."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click
import numpy as np

from livepdf.cli.signals import stopped_by_signal
from livepdf.simulate.faults import Message, Pause, Tally, faulty
from livepdf.simulate.ntndarray import MEMBER, TYPE, Codec, ntndarray
from tools.detectors.options import fault_options, faults_of, image_options
from tools.detectors.pictures import Pictures, pictures

_WRAP = 1 << 31


@click.command("epics-pva")
@click.option("--channel", default="SIM:Pva1:Image", show_default=True, help="Name of the PV.")
@image_options
@click.option("--codec", type=click.Choice(["", "bslz4"]), default="", help="How it is packed.")
@click.option("--first-id", type=int, default=1, help="uniqueId of the first image; it wraps.")
@click.option("--settle", type=float, default=1.0, help="s between serving and the first image.")
@fault_options
def main(channel: str, codec: Codec, first_id: int, settle: float, **given: Any) -> None:
    """Publish NTNDArray images as areaDetector's PVA plugin does (needs p4p).

    There is no header and no end. A reader first gets the image that happens to stand there. Set
    EPICS_PVAS_INTF_ADDR_LIST=127.0.0.1 to keep it on this machine. --corruption publishes arrays
    that are shorter than they say; --disorder and --duplicates repeat or go back in uniqueId.

    \b
    python3 -m tools.detectors epics-pva --channel SIM:Pva1:Image --codec bslz4 --rate 20
    """  # noqa: D301 click wants the real control character
    try:
        from p4p import Type, Value
        from p4p.server import Server
        from p4p.server.thread import SharedPV
    except ImportError:
        sys.exit("epics-pva: p4p is not installed (pip install p4p)")
    faults, rate = faults_of(given), given["rate"]
    seen = pictures(given, seed=faults.seed)
    kind = Type(id=TYPE[1], spec=TYPE[2])
    tally, sent = Tally(), 0
    pv = SharedPV(initial=Value(kind, {}))
    with Server(providers=[{channel: pv}]), stopped_by_signal() as stop:
        print(f"serving {channel}", flush=True)
        stop.wait(settle)
        began = time.monotonic()
        for step in faulty(_images(seen), faults, tally):
            if isinstance(step, Pause):
                began += step.seconds
                stop.wait(step.seconds)
            if not isinstance(step, Message):
                continue
            if stop.wait(max(0.0, began + sent / rate - time.monotonic())):
                break
            pv.post(Value(kind, _fields(step, seen, codec=codec, first=first_id)))
            sent += 1
        stop.wait(settle)
    print(json.dumps({"sent": sent, **asdict(tally)}), flush=True)


def _images(seen: Pictures) -> Iterator[Message]:
    for index, image in enumerate(seen.images):
        yield Message(role="image", parts=[str(index).encode(), image.tobytes()])


def _fields(step: Message, seen: Pictures, *, codec: Codec, first: int) -> dict[str, Any]:
    """Return the array of an image; of a damaged one with fewer pixels than it says."""
    series = seen.series
    kind = np.dtype(series.dtype)
    index = int(step.parts[0]) if len(step.parts) > 1 else 0
    flat = np.zeros(series.shape[0] * series.shape[1], kind)
    got = np.frombuffer(step.parts[-1][: flat.nbytes // kind.itemsize * kind.itemsize], np.uint8)
    flat.view(np.uint8)[: min(got.size, flat.nbytes)] = got[: flat.nbytes]
    fields = ntndarray(
        flat.reshape(series.shape),
        unique_id=(first + index + _WRAP) % (2 * _WRAP) - _WRAP,
        time=time.time(),
        codec=codec,
    )
    value = fields["value"]
    if len(step.parts) == 1 or len(step.parts[-1]) != flat.nbytes:
        value = value[: value.size // 2]
    member = "ubyte" if codec else MEMBER[kind.str[1:]]
    return {**fields, "value": (f"{member}Value", value)}


if __name__ == "__main__":
    main()
