"""A whole daemon in this process, on sockets of its own, stopped after each test."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from livepdf.daemon.assemble import Pipeline, prepare
from livepdf.daemon.service import Service
from livepdf.wire.client import Client
from tests.daemon.beamline import ScriptedSource, write_settings


@dataclass
class Bench:
    service: Service
    source: ScriptedSource
    pipeline: Pipeline | None
    out: Path
    clients: list[Client]

    def client(self) -> Client:
        client = Client(self.service.address)
        self.clients.append(client)
        return client

    def finish(self) -> None:
        self.service.finish()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Return a function that starts a daemon; settings as in `write_settings`."""
    started: list[Bench] = []

    def start(*, runs: int | None = None, **settings: object) -> Bench:
        prepared = prepare(*write_settings(tmp_path, **settings))  # type: ignore[arg-type]
        source = ScriptedSource()
        service = Service(
            prepared,
            source,
            output=tmp_path / "out",
            requests="tcp://127.0.0.1:0",
            results="tcp://127.0.0.1:0",
            runs=runs,
        )
        made = Bench(service, source, prepared.pipeline, tmp_path / "out", [])
        started.append(made)
        service.start()
        return made

    yield start
    for made in started:
        for client in made.clients:
            client.close()
        made.service.finish()
