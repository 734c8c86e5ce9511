"""What the journal costs, and how much memory a daemon takes that is far too slow.

``python -m tests.long.disk_and_memory [journal] [memory]``; two cores of their own, please. Takes
three minutes at most; exit code 1 where a budget was broken or books do not add up.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from livepdf.sources.series import Patience
from tests.benchmarks.daemon_rate import Sustained, sustain

RATE, SECONDS = 250.0, 15.0
FLOOD, FLOOD_SECONDS = 1500.0, 6.0
"""Hz of 1.1 MB: several times what two workers integrate."""
QUEUE = 256
"""MiB"""
SLOW, SLOW_SECONDS = 25.0, 5.0
"""Hz: nothing waits then. What the daemon takes is its floor: programs, plans, a few windows."""
HELD = Patience(gap=0.0, header=0.0, idle=0.0).held_bytes / 2**20
"""MiB of frames that wait for a missing one: a flood loses some all the time."""
IN_TRANSIT = 256 + 128
"""Messages in ZeroMQ's own memory, and those that one poll has taken."""


def journal() -> Iterator[Sustained]:
    """Measure 250 Hz without and with every frame on disk first."""
    yield sustain(rate=RATE, seconds=SECONDS)
    yield sustain(rate=RATE, seconds=SECONDS, limits="\n[output]\njournal = true")


def memory(folder: Path) -> Iterator[tuple[str, float, Sustained]]:
    """Yield without and with a flood, with much room on disk and little: name, peak MiB, row."""
    slow, flood = (SLOW, SLOW_SECONDS), (FLOOD, FLOOD_SECONDS)
    for name, (rate, seconds), spool in (
        ("slow detector", slow, 1024),
        ("flood, spool of 16 GiB", flood, 16384),
        ("flood, spool of 64 MiB", flood, 64),
    ):
        told = folder / f"peak-{rate:.0f}-{spool}"
        row = sustain(
            rate=rate,
            seconds=seconds,
            limits=f"queue = {QUEUE}\nspool = {spool}",
            beside=f"{sys.executable} -m tests.long.disk_and_memory peak {{pid}} {told}",
        )
        yield name, float(told.read_text()), row


def budget(row: Sustained, floor: float) -> float:
    """Return the MiB that a daemon may take at most."""
    return floor + QUEUE + HELD + IN_TRANSIT * row.blob / 2**20


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
        floor = 0.0
        for name, most, row in memory(folder):
            floor = floor or most
            books = f"received {row.received} = used {row.used} + refused {row.refused}"
            print(  # noqa: T201
                f"{name}: peak {most:.0f} MiB of {budget(row, floor):.0f}; {books}, "
                f"lost {row.lost}, at the door {row.dropped}, queue ≤ {row.queue:.0f} MiB, "
                f"{row.reached:.0f} Hz",
                flush=True,
            )
            broken += most > budget(row, floor) or row.received != row.used + row.refused
    return min(broken, 1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["peak"]:
        peak(int(sys.argv[2]), Path(sys.argv[3]))
    else:
        sys.exit(main(sys.argv[1:]))
