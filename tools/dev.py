"""The one door: set livepdf up, then run its demo, its tests, its checks or its benchmarks.

Runs with any python3 and needs nothing but its standard library. Kept free of newer syntax, so
that an older Python can say what is wanted instead of failing on a line it cannot read.
"""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
KNOWN = ("python3.13", "python3.12", "python3.11")


def main() -> int:
    """Refuse a Python that is too old, else hand over to the door."""
    if sys.version_info[:2] < OLDEST:
        print(_too_old(), file=sys.stderr)
        return 1
    # An installer of ours must not outlive us when a supervisor ends us
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # The folder of this file is on the path, its modules are meant to be found as tools.*
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from tools.door.commands import enter

    return enter(sys.argv[1:])


def _too_old() -> str:
    found = ".".join(str(part) for part in sys.version_info[:3])
    newer = [name for name in KNOWN if _starts(name)]
    text = f"dev: found Python {found}, wanted 3.11 or newer."
    if newer:
        return text + f" Run: {newer[0]} tools/dev.py " + " ".join(sys.argv[1:])
    return text + " Install one (Debian 12 and Ubuntu 24.04 bring it) and run this again with it."


def _starts(name: str) -> bool:
    """Return whether it is there and runs: version switchers put names on the path that do not."""
    path = shutil.which(name)
    return path is not None and subprocess.call([path, "-c", ""], stderr=subprocess.DEVNULL) == 0


if __name__ == "__main__":
    sys.exit(main())
