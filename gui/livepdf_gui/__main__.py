"""The window as its own program: ``python -m livepdf_gui ENDPOINT``."""

import argparse
import re
import sys
from pathlib import Path

from livepdf_gui.app import main
from livepdf_gui.show.choice import THEME_NAMES


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"found {text!r}, wanted a size such as 1600x1000")
    return int(match[1]), int(match[2])


def _run() -> int:
    parser = argparse.ArgumentParser(prog="livepdf_gui", description="Show a livepdf daemon.")
    parser.add_argument("endpoint", help="address of the daemon, e.g. tcp://127.0.0.1:5555")
    parser.add_argument("--screenshot", type=Path, help="leave a PNG of the window at the end")
    parser.add_argument("--duration", type=float, help="close the window after so many seconds")
    parser.add_argument("--size", type=_size, help="e.g. 1600x1000")
    parser.add_argument("--theme", choices=THEME_NAMES, help="that of the last time if left out")
    parser.add_argument("--fresh", action="store_true", help="take nothing over from the last time")
    parser.add_argument("--leave", action="store_true", help="close when the daemon goes")
    given = parser.parse_args()
    return main(
        given.endpoint,
        screenshot=given.screenshot,
        duration=given.duration,
        size=given.size,
        theme=given.theme,
        leave=given.leave,
        fresh=given.fresh,
    )


if __name__ == "__main__":
    sys.exit(_run())
