"""A whole daemon on a small beamline, shared by the tests of a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from livepdf.daemon.assemble import prepare
from livepdf.daemon.service import Service
from tests.daemon import beamline
from tests.daemon.conftest import Bench
from tests.daemon.test_service import follow


class Beamtime:
    """A daemon, and a viewer beside the window."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.client = bench.client()
        self.client.connect(60.0)
        self.frames = 0
        bench.source.put(beamline.start())
        self.measure(6)

    @property
    def endpoint(self) -> str:
        return self.bench.service.address

    def measure(self, frames: int) -> None:
        """Have so many more windows of one frame each."""
        numbers = range(self.frames, self.frames + frames)
        self.frames += frames
        self.bench.source.put(*(beamline.frame(n) for n in numbers))
        follow(self.client, lambda: len(self.client.mirror.windows or ()) == self.frames)


@contextmanager
def begun(folder: Path) -> Iterator[Beamtime]:
    """Start the daemon; it ends with the block."""
    profile, recipe = beamline.write_settings(
        folder, window="frames = 1", detector="saturation = 2000"
    )
    # 2001 points of r: the map shares a row among four
    recipe.write_text(recipe.read_text().replace("rstep = 0.05", "rstep = 0.01"))
    source = beamline.ScriptedSource()
    service = Service(
        prepare(profile, recipe),
        source,
        output=folder / "out",
        requests="tcp://127.0.0.1:0",
        results="tcp://127.0.0.1:0",
    )
    service.start()
    made = Bench(service, source, None, folder / "out", [])
    try:
        yield Beamtime(made)
    finally:
        for client in made.clients:
            client.close()
        service.finish()
