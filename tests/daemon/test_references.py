"""References taken while a daemon runs, or from an earlier run: then the trends are right."""

import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from livepdf.daemon.assemble import prepare
from livepdf.daemon.service import Service
from livepdf.errors import ConfigError, SourceError
from livepdf.model.curve import Trend
from livepdf.model.frame import Frame, Integrated, RunStart
from livepdf.simulate.growth import Growth, Truth
from livepdf.simulate.sample import Sample
from livepdf.wire.client import Client
from tests.daemon import beamline
from tests.daemon.conftest import Bench
from tests.daemon.test_service import ended, follow

Q = np.arange(0.9, 18.2, 0.015)
PHOTONS = 2e7
COLD, HOT = 24, 8
"""Frames before the heater, and frames where half has reacted."""
RECIPE = """
[sample]
composition = "SnO2"
[reduction]
qmin = 1.0
qmax = 18.0
rpoly = 0.9
rmax = 20.0
rstep = 0.05
energy = 60.0
{scale}
[window]
frames = 4
[analysis]
structures = ["sno2-rutile"]
smallest = 15
largest = 50
cross_checks = false
kinetics = []
{more}
"""


@cache
def sample() -> Sample:
    growth = Growth(heater_on=0.5, heating_time=0.05, first_diameter=20.0, last_diameter=45.0)
    return Sample(
        structure_name="sno2-rutile", molarity=1.0, energy=60.0, q_max=20.0, growth=growth
    )


def drawn(pattern: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Return intensity, σ and pixels of one frame as a detector of many pixels counts it."""
    flux = PHOTONS / np.sum(Q * np.interp(Q, sample().q, first_pattern()))
    expected = flux * Q * np.interp(Q, sample().q, pattern)
    counts = np.random.default_rng(seed).poisson(expected).astype(np.float64)
    pixels = 1000.0 * Q
    return np.array([counts / pixels, np.sqrt(np.maximum(counts, 1.0)) / pixels, pixels])


@cache
def first_pattern() -> NDArray[np.float64]:
    return sample().intensity(sample().truths(frames=2, rate=1.0)[0])


def frame(index: int, pattern: NDArray[np.float64], *, series: str, kelvin: float) -> Frame:
    image = beamline.pack(drawn(pattern, 1000 * int(series) + index))
    return beamline.frame(index, series=series, image=image, environment={"temperature": kelvin})


def start(series: str, name: str) -> RunStart:
    return beamline.start(
        series, name, integrated=Integrated(q=Q, solid_angle=True, polarization=True)
    )


def blanks(series: str) -> list[Frame]:
    heat = np.linspace(298.0, 573.0, 32)
    return [
        frame(n, sample().blank(float(t)), series=series, kelvin=float(t))
        for n, t in enumerate(heat)
    ]


def reaction(series: str) -> tuple[list[Frame], Truth]:
    """Return cold frames and hot ones where half has reacted, and the truth of those."""
    truths = sample().truths(frames=100, rate=1.0)
    hot = next(truth for truth in truths if truth.conversion > 0.5)
    frames = [
        frame(n, sample().intensity(truth), series=series, kelvin=truth.temperature)
        for n, truth in enumerate([truths[0]] * COLD + [hot] * HOT)
    ]
    return frames, hot


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    started: list[Bench] = []

    def begin(more: str = "", output: str = "out", scale: str = "") -> Bench:
        profile, recipe = beamline.write_settings(tmp_path, known_shape=False)
        profile.write_text(profile.read_text() + "[resolution]\nqdamp = 0.0256\n")
        recipe.write_text(RECIPE.format(more=more, scale=scale))
        prepared = prepare(profile, recipe)
        source = beamline.ScriptedSource()
        service = Service(
            prepared,
            source,
            output=tmp_path / output,
            requests="tcp://127.0.0.1:0",
            results="tcp://127.0.0.1:0",
            patient=True,
        )
        made = Bench(service, source, prepared.pipeline, tmp_path / output, [])
        started.append(made)
        service.start()
        return made

    yield begin
    for made in started:
        for client in made.clients:
            client.close()
        made.service.finish()


def redone(client: Client) -> int:
    """Return the revision that all stored windows have been reduced again by; 0 before any."""
    status = client.mirror.status
    done = status is not None and status.redo is not None and status.redo.state == "done"
    return status.redo.revision if done else 0  # type: ignore[union-attr]


def newest(client: Client, number: int) -> dict[str, Trend]:
    return {trend.name: trend for trend in client.window(number).trends}


def right(trends: dict[str, Trend], truth: Truth) -> None:
    size, amount = trends["domain size"], trends["conversion"]
    assert not size.reason + amount.reason
    assert size.value == pytest.approx(truth.domain_size, rel=0.03)
    assert abs(amount.value - truth.conversion) < 3 * amount.sigma
    assert trends["lattice a"].value == pytest.approx(truth.lattice[0], abs=0.006)
    assert trends["reduced χ²"].value < 1.15


def test_blanks_and_precursor_recorded_live_make_the_trend_right(
    daemon: Callable[..., Bench],
) -> None:
    bench = daemon()
    client = bench.client()
    client.connect()
    client.retune.capture("blanks")
    bench.source.put(start("1", "water"), *blanks("1"), beamline.end("1"))
    follow(client, lambda: ended(client))
    ramp = client.retune.end_capture(use=True)
    frames, hot = reaction("2")
    bench.source.put(start("2", "growth"), *frames, beamline.end("2"))
    last = len(frames) // 4 - 1
    follow(client, lambda: [e.kind for e in client.mirror.events].count("run end") == 2)
    before = newest(client, last)

    cold = client.retune.capture_windows("precursor", count=COLD // 4, use=True, again="whole")
    follow(client, lambda: redone(client) > 0)

    assert ramp.frames == 32
    assert len(ramp.temperatures) >= 6
    assert np.all(np.diff(ramp.temperatures) > 0)
    assert cold.frames == COLD
    assert "precursor" in cold.file
    # What has not reacted yet passes for broad peaks of small crystals.
    assert before["domain size"].value < 0.92 * hot.domain_size
    assert before["conversion"].value > 1.5 * hot.conversion
    after = newest(client, last)
    right(after, hot)
    # Where solute and solvent are told apart once for all, and in every pattern anew.
    assert after["conversion"].sigma < 0.02
    told = redone(client)
    client.retune.apply({"reduction.scale": "mean"}, again="whole")
    follow(client, lambda: redone(client) > told)
    guessed = newest(client, last)
    right(guessed, hot)
    assert guessed["conversion"].sigma > 0.1


def test_references_of_earlier_runs_are_named_by_file_and_frames(
    daemon: Callable[..., Bench], tmp_path: Path
) -> None:
    first = daemon(output="earlier")
    frames, hot = reaction("2")
    first.source.put(start("1", "water"), *blanks("1"), beamline.end("1"))
    first.source.put(start("2", "cold"), *frames[:COLD], beamline.end("2"))
    client = first.client()
    client.connect()
    follow(client, lambda: [e.kind for e in client.mirror.events].count("run end") == 2)
    first.finish()
    files = sorted(path.name for path in (tmp_path / "earlier").glob("*.nxs"))
    assert len(files) == 2
    more = (
        'precursor = ["earlier/cold_0001.nxs#0-23"]\n[[background]]\npoints = 8\nmatch = "fit"\n'
        'file = "earlier/water_0001.nxs"\nscale = "fit"\n'
    )

    second = daemon(more, scale='scale = "solute"')
    client = second.client()
    client.connect()
    second.source.put(start("2", "growth"), *frames, beamline.end("2"))
    follow(client, lambda: ended(client))

    right(newest(client, len(frames) // 4 - 1), hot)
    for wrong, words in (
        ("earlier/cold_0001.nxs#900-999", "no good window within frames 900 to 999"),
        ("earlier/none.nxs", "none.nxs"),
    ):
        with pytest.raises(ConfigError, match=words):
            daemon(f'precursor = ["{wrong}"]')
    with pytest.raises(ConfigError, match="record it as a background"):
        daemon('[[background]]\nfile = "earlier/cold_0001.nxs"\npoints = 8\n')


def test_blanks_without_a_temperature_are_refused_in_words(daemon: Callable[..., Bench]) -> None:
    bench = daemon()
    client = bench.client()
    client.connect()
    frames = [
        beamline.frame(
            n, series="1", environment={}, image=beamline.pack(drawn(first_pattern(), n))
        )
        for n in range(8)
    ]
    bench.source.put(start("1", "water"), *frames)
    deadline = time.monotonic() + 60.0
    follow(client, lambda: len(client.mirror.windows or ()) >= 2 or time.monotonic() > deadline)

    with pytest.raises(SourceError, match="windows without temperature"):
        client.retune.capture_windows("blanks", count=2)
