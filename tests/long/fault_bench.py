"""A daemon on a stream of its own, its detector, and somebody who asks it how it is doing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py

from livepdf.model.status import Counters
from livepdf.wire.client import Client
from tests.daemon import beamline
from tests.system.daemon import Daemon, Detector
from tests.system.faults import Books
from tests.system.nursery import Nursery
from tests.system.stream_faults import SOURCE, Sender


@dataclass
class Running:
    """A daemon with its detector and somebody who asks it."""

    daemon: Daemon
    sender: Sender
    books: Books
    client: Client
    out: Path

    def send(self, frames: int) -> None:
        """Send so many frames more of the open series."""
        first = self.sent
        self.sent += frames
        self.sender.images(range(first, self.sent))

    sent: int = 0

    def used(self, frames: int) -> Counters:
        """Wait until so many are used and nothing waits."""
        return self.books.until(
            lambda s: s.counters.used == frames and not s.counters.waiting, f"{frames} used"
        ).counters

    def problem(self, words: str) -> str:
        """Wait until the status names a problem with these words."""
        found = self.books.until(lambda s: any(words in p for p in s.problems), words).problems
        return next(problem for problem in found if words in problem)

    def stop(self) -> None:
        """Let it stop in order."""
        self.client.close()
        self.daemon.process.terminate()
        code = self.daemon.wait(300.0)
        assert code == 0, (code, self.daemon.errors)

    def windows(self) -> list[int]:
        """Return the windows of all result files."""
        return sorted(n for path in self.out.rglob("*.nxs") for n in numbers(path))


def numbers(path: Path) -> list[int]:
    """Return the windows of a file, as any program reads it."""
    with h5py.File(path) as file:
        return [int(n) for n in file["entry/windows/number"][:]]


@contextmanager
def running(
    folder: Path, nursery: Nursery | None, *, source: str = SOURCE, output: str = "", **more: object
) -> Iterator[Running]:
    """Start a daemon on a stream of its own; it is killed on the way out."""
    given = {"window": "frames = 1", **more}
    with Detector() as detector:
        profile, recipe = beamline.write_settings(folder, port=detector.port, **given)  # type: ignore[arg-type]
        text = profile.read_text().replace("[detector]", f"{source}\n[detector]")
        profile.write_text(text.replace("[output]", f"[output]\n{output}"))
        out = folder / "out"
        with Daemon(profile, recipe, "--out", str(out), nursery=nursery) as daemon:
            client = Client(daemon.address())
            yield Running(daemon, Sender(detector), Books(client), client, out)
            client.close()
