"""Backgrounds, references and darks are captured from the stream and used."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from livepdf.errors import SourceError
from livepdf.files.columns import read_columns
from livepdf.model.sums import intensity
from livepdf.wire.messages import MarkRequest
from tests.daemon import beamline
from tests.daemon.conftest import Bench
from tests.daemon.test_retune import begun, redone
from tests.daemon.test_service import ended, follow

Start = Callable[..., Bench]


def test_captured_frames_are_subtracted_as_a_background_at_once(
    bench: Start, tmp_path: Path
) -> None:
    daemon, client = begun(bench, 2)
    client.retune.capture("background")
    daemon.source.put(*(beamline.frame(n) for n in range(2, 5)))
    follow(client, lambda: len(client.mirror.windows or ()) == 5)

    captured = client.retune.end_capture()
    used = client.retune.capture_windows("background", first=2, count=3, use=True, again="whole")
    client.retune.apply({"background.0.scale": 0.25}, again="whole")
    follow(client, lambda: redone(client, 3))

    assert captured.frames == used.frames == 3
    one, other = Path(captured.file), Path(used.file)
    assert one.parent == tmp_path / "out"
    assert daemon.pipeline is not None
    integrator = daemon.pipeline.integrator
    total = integrator.integrate(beamline.counts(2))
    total = total + integrator.integrate(beamline.counts(3))
    total = total + integrator.integrate(beamline.counts(4))
    value, sigma = intensity(total)
    for path in (one, other):
        rows = read_columns(path)
        np.testing.assert_allclose(rows.y, value[np.isfinite(value)], rtol=1e-7)
        np.testing.assert_allclose(rows.sigma, sigma[np.isfinite(value)], rtol=1e-7)
    left = client.window(0).curve("iq").y
    direct, _ = intensity(integrator.integrate(beamline.counts(0)))
    np.testing.assert_allclose(left, direct - 0.25 * value, atol=1e-6 * np.nanmax(direct))


def test_windows_after_a_mark_become_a_reference(bench: Start) -> None:
    daemon, client = begun(bench, 3)
    client.ask(MarkRequest(text="empty cell"))
    daemon.source.put(*(beamline.frame(n) for n in range(3, 6)))
    follow(client, lambda: len(client.mirror.windows or ()) == 6)

    captured = client.retune.capture_windows("reference", mark="empty cell", count=2, use=True)

    assert captured.frames == 2
    assert captured.revision == 1
    assert client.retune.recipe().pinned == Path(captured.file).name
    together = client.window(3).curve("dgr").y + client.window(4).curve("dgr").y
    # G of the sum lies between those of its parts, but for the scale.
    assert np.nanstd(together) < 0.2 * np.nanstd(client.window(5).curve("dgr").y)


def test_a_captured_dark_is_the_mean_of_its_frames_and_holds_from_the_next_run_on(
    bench: Start,
) -> None:
    daemon, client = begun(bench, 1)
    client.retune.capture("dark")
    daemon.source.put(*(beamline.frame(n) for n in range(1, 5)), beamline.end())
    follow(client, lambda: ended(client))

    captured = client.retune.end_capture(use=True)
    daemon.source.put(beamline.start("2"), beamline.frame(5, series="2"), beamline.end("2"))
    follow(client, lambda: [e.kind for e in client.mirror.events].count("run end") == 2)
    daemon.finish()

    images = np.array([beamline.counts(n) for n in range(1, 5)], dtype=np.float64)
    path = Path(captured.file)
    np.testing.assert_allclose(np.load(path), images.mean(axis=0))
    spread = images.std(axis=0, ddof=1) / 2
    np.testing.assert_allclose(np.load(path.with_name(f"{path.stem}-sigma.npy")), spread)
    assert daemon.pipeline is not None
    with h5py.File(daemon.service.files[0]) as file:
        weight = file["entry/sums/weight"][0]
    with h5py.File(daemon.service.files[1]) as file:
        left = file["entry/sums/signal"][0]
        assert captured.file.split("/")[-1] in file["entry/livepdf/profile"].asstr()[()]
    plain = daemon.pipeline.integrator.integrate(beamline.counts(5)).signal
    dark = daemon.pipeline.integrator.integrate(images.sum(axis=0).astype(np.uint16)).signal / 4
    np.testing.assert_allclose(left, plain - dark, atol=1e-6 * plain.max())
    assert weight.sum() > 0


def test_what_cannot_be_captured_is_refused_in_words(bench: Start) -> None:
    _, client = begun(bench, 1)

    for ask, words in [
        (lambda: client.retune.capture_windows("reference", mark="none"), "no mark"),
        (lambda: client.retune.capture_windows("reference", first=7, count=2), "0 are there"),
        (lambda: client.retune.end_capture(), "no frame"),
        (lambda: client.retune.pin(99), "window 99 is not there"),
        (lambda: client.retune.pin_file("nothing.gr"), "No such file"),
    ]:
        with pytest.raises(SourceError, match=words):
            ask()
