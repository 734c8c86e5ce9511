"""All simulated detectors: `python3 -m tools.detectors NAME --help`."""

from importlib import import_module

import click

_DETECTORS = {
    "dectris-v2": ("stream_v2", "DECTRIS Stream V2 (CBOR), pushed."),
    "dectris-v1": ("stream_v1", "DECTRIS legacy stream (JSON and blobs), pushed."),
    "stins": ("stins", "MAX IV's streaming-receiver, pushed."),
    "jungfraujoch": ("jungfraujoch", "PSI's Jungfraujoch: preview or image socket."),
    "karabo": ("karabo_bridge", "A Karabo bridge of the European XFEL."),
    "hidra": ("hidra", "DESY's HiDRA: files over the network."),
    "epics-pva": ("epics_pva", "EPICS areaDetector over PVAccess."),
    "bluesky": ("bluesky", "bluesky documents behind their proxy."),
    "files": ("files", "One TIFF, CBF or EDF for each image."),
    "eiger-files": ("eiger_files", "HDF5 master and data files, or one that grows."),
    "dectris-v2-fast": ("dectris_v2", "Stream V2 as fast as it goes, to measure the daemon."),
}
"""Module and one line of help by name; a module is loaded when it is used."""


class _Detectors(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_DETECTORS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _DETECTORS:
            return None
        command: click.Command = import_module(f"tools.detectors.{_DETECTORS[cmd_name][0]}").main
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Detectors"):
            formatter.write_dl([(name, text) for name, (_, text) in _DETECTORS.items()])


@click.command(cls=_Detectors)
def main() -> None:
    """Detectors that do not exist, each speaking as its hardware does.

    All see powder rings unless told otherwise: a synthesis (--synthesis hfo2), image files
    (--images), or what another detector recorded (--recording). Faults come on demand, repeat
    with --seed, and are counted in the last line, JSON, to hold the reader's counters against.

    \b
    python3 -m tools.detectors dectris-v2 --write powder.poni
    python3 -m tools.detectors stins --loss 0.02 --duplicates 0.02 --seed 7
    python3 -m tools.detectors karabo --way pub --stall-every 50 --stall-seconds 20
    """  # noqa: D301 click wants the real control character


if __name__ == "__main__":
    main()
