"""What viewers may have beside windows: the newest frame, windows as one, G(r) of a cluster."""

import numpy as np
import pytest

from livepdf.errors import SourceError
from livepdf.model.sums import intensity
from livepdf.wire.client import Client
from livepdf.wire.viewing import Viewing
from tests.daemon import beamline
from tests.daemon.conftest import bench
from tests.daemon.test_retune import Start, begun, redone
from tests.daemon.test_service import follow

__all__ = ["bench"]


def run_of(client: Client) -> str:
    assert client.mirror.windows is not None
    return client.mirror.windows.run


def test_windows_taken_together_are_the_window_of_all_their_frames(bench: Start) -> None:
    daemon, client = begun(bench, 6)

    found = Viewing(client.ask).together(run_of(client), first=1, last=4)

    pipeline = daemon.pipeline
    assert pipeline is not None
    parts = [pipeline.integrator.integrate(beamline.counts(n)) for n in range(1, 5)]
    value, sigma = intensity(parts[0] + parts[1] + parts[2] + parts[3])
    np.testing.assert_allclose(found.curve("iq").y, value, rtol=1e-6)
    np.testing.assert_allclose(found.curve("iq").sigma, sigma, rtol=1e-5)
    assert (found.span.first, found.span.last, found.span.frames) == (1, 4, 4)
    assert dict(found.environment)["temperature"] == pytest.approx(302.5)
    one = client.window(4).curve("gr")
    # four frames of the same sample have half the noise of one
    ratio = np.nanmedian(found.curve("gr").sigma[50:] / one.sigma[50:])
    assert 0.45 < ratio < 0.55


def test_the_newest_frame_is_shown_alone(bench: Start) -> None:
    daemon, client = begun(bench, 5)

    found = Viewing(client.ask).frame()

    assert found.span.scope == "frame"
    assert found.span.number == 4
    pipeline = daemon.pipeline
    assert pipeline is not None
    value, _ = intensity(pipeline.integrator.integrate(beamline.counts(4)))
    np.testing.assert_allclose(found.curve("iq").y, value, rtol=1e-6)


def test_what_is_not_there_is_refused_in_words(bench: Start) -> None:
    _, client = begun(bench, 2)
    viewing = Viewing(client.ask)

    with pytest.raises(SourceError, match="not of this run"):
        viewing.together("another", first=0, last=1)
    with pytest.raises(SourceError, match="wanted at most 2000"):
        viewing.together(run_of(client), first=0, last=5000)
    with pytest.raises(SourceError, match="none of them is kept"):
        viewing.together(run_of(client), first=40, last=41)


def test_a_cluster_has_its_distances_in_g(bench: Start) -> None:
    _, client = begun(bench, 1)
    # an octahedron of nickel: edges of 2.5 Å, diagonals of 3.54 Å
    a = 2.5 / np.sqrt(2.0)
    corners = [(a, 0, 0), (-a, 0, 0), (0, a, 0), (0, -a, 0), (0, 0, a), (0, 0, -a)]
    rows = "\n".join(f"Ni {x:.6f} {y:.6f} {z:.6f}" for x, y, z in corners)

    found = Viewing(client.ask).structure("cluster.xyz", f"6\nan octahedron\n{rows}\n")

    gr = next(curve for curve in found.curves if curve.kind == "gr")
    near = (gr.x > 2.0) & (gr.x < 4.0)
    peak = gr.x[near][gr.y[near].argmax()]
    assert abs(peak - 2.5) < 0.05
    with pytest.raises(SourceError, match="bad"):
        Viewing(client.ask).structure("bad.xyz", "nonsense")


def test_a_gr_file_follows_the_recipe_or_is_refused(bench: Start) -> None:
    _, client = begun(bench, 1)
    viewing, run = Viewing(client.ask), run_of(client)
    name, wide = viewing.export(run, 0, "gr")
    mine = client.window(0).curve("gr")

    same = viewing.structure(name, wide)
    client.retune.apply({"reduction.qmax": 11.0}, again="whole")
    follow(client, lambda: redone(client, 2))
    brought = viewing.structure(name, wide)
    name, narrow = viewing.export(run, 0, "gr")
    client.retune.apply({"reduction.qmax": 18.0}, again="whole")
    follow(client, lambda: redone(client, 3))

    assert same.about.note == ""
    np.testing.assert_allclose(same.curves[0].y, mine.y, atol=1e-5)
    np.testing.assert_allclose(same.curves[0].sigma[5:], mine.sigma[5:], rtol=1e-4)
    assert "brought to Q 1 to 11" in brought.about.note
    with pytest.raises(SourceError, match=r"from reduction\.qmax 11 down"):
        viewing.structure(name, narrow)
