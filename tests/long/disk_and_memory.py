"""What the journal costs, and how much memory a daemon takes that is far too slow.

``python -m tests.long.disk_and_memory [journal] [memory]``; two cores of their own, please.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.daemon_rate import Sustained, sustain

RATE, SECONDS = 250.0, 20.0
FLOOD, FLOOD_SECONDS = 1500.0, 6.0
"""Hz of 1.1 MB: several times what two workers integrate."""
QUEUE = 256
"""MiB"""
FLOOR = 450
"""MiB that a daemon takes without any frame: programs, plans, windows of a short run."""
IN_TRANSIT = 256 + 128
"""Messages in ZeroMQ's own memory, and those that one poll has taken."""


def journal() -> Iterator[Sustained]:
    """Measure 250 Hz without and with every frame on disk first."""
    yield sustain(rate=RATE, seconds=SECONDS)
    yield sustain(rate=RATE, seconds=SECONDS, limits="\n[output]\njournal = true")


def memory(folder: Path) -> Iterator[tuple[str, float, Sustained]]:
    """Yield for a flood with and without much room on disk: what it was, peak MiB, the row."""
    for name, spool in (("spool of 16 GiB", 16384), ("spool of 64 MiB", 64)):
        told = folder / f"peak-{spool}"
        row = sustain(
            rate=FLOOD,
            seconds=FLOOD_SECONDS,
            limits=f"queue = {QUEUE}\nspool = {spool}",
            beside=f"{sys.executable} -m tests.long.disk_and_memory peak {{pid}} {told}",
        )
        yield name, float(told.read_text()), row


def budget(row: Sustained) -> float:
    """Return the MiB that a daemon may take at most."""
    return FLOOR + QUEUE + IN_TRANSIT * row.blob / 2**20


def peak(pid: int, told: Path) -> None:
    """Follow a process to its end and tell the most memory that it had at once, in MiB."""
    most = 0
    while True:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            break
        found = [line for line in lines if line.startswith("VmHWM")]
        if not found:
            break  # it is over, and only its parent has not noticed
        most = int(found[0].split()[1])
        time.sleep(0.1)
    told.write_text(str(most / 1024))


def main(wanted: list[str]) -> int:
    """Measure, and print; return how many budgets were broken."""
    broken = 0
    if not wanted or "journal" in wanted:
        for row in journal():
            print(row.line(), flush=True)  # noqa: T201
    if not wanted or "memory" in wanted:
        folder = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
        for name, most, row in memory(folder):
            books = f"received {row.received} = used {row.used} + refused {row.refused}"
            print(  # noqa: T201
                f"{name}: peak {most:.0f} MiB of {budget(row):.0f}; {books}, lost {row.lost}, "
                f"at the sender's door {row.dropped}, queue ≤ {row.queue:.0f} MiB, "
                f"{row.reached:.0f} Hz",
                flush=True,
            )
            broken += most > budget(row) or row.received != row.used + row.refused
    return broken


if __name__ == "__main__":
    if sys.argv[1:2] == ["peak"]:
        peak(int(sys.argv[2]), Path(sys.argv[3]))
    else:
        sys.exit(main(sys.argv[1:]))
