"""The reduction changed while frames come: against the same sums reduced by themselves."""

import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from livepdf.config.recipe import Recipe
from livepdf.daemon.assemble import Pipeline, prepare
from livepdf.daemon.results import LATER
from livepdf.errors import SourceError
from livepdf.model.curve import Curve
from livepdf.model.sums import intensity
from livepdf.reduction.curves import reduce_intensity
from livepdf.wire.client import Client
from tests.daemon import beamline
from tests.daemon.conftest import Bench
from tests.daemon.test_service import ended, follow

Start = Callable[..., Bench]
WIDER = {"reduction.qmax": 20.0, "reduction.rmax": 24.0, "reduction.rpoly": 1.1}


def begun(bench: Start, windows: int = 6, **settings: Any) -> tuple[Bench, Client]:
    daemon = bench(window="frames = 1", **settings)
    client = daemon.client()
    client.connect()
    daemon.source.put(beamline.start(), *(beamline.frame(n) for n in range(windows)))
    follow(client, lambda: len(client.mirror.windows or ()) == windows)
    return daemon, client


def redone(client: Client, revision: int) -> bool:
    status = client.mirror.status
    if status is None or status.redo is None or status.redo.revision != revision:
        return False
    windows = client.mirror.windows
    assert windows is not None
    if status.redo.state != "done" or not all(s and s.revision == revision for s in windows.spans):
        return False
    # That all is done is heard before the last of it is fetched.
    told = [t for name in windows.trend_names() for t in windows.trend(name) if t is not None]
    return all(trend.reason != LATER for trend in told)


def job(client: Client) -> str:
    """The state of the last redo that was told; empty before any."""
    status = client.mirror.status
    return "" if status is None or status.redo is None else status.redo.state


def said(client: Client, words: str) -> bool:
    return any(words in event.text for event in client.mirror.events)


def by_itself(folder: Path, changes: dict[str, Any], number: int) -> tuple[Curve, ...]:
    """The window of one frame by a recipe that had the changes from the start."""
    profile, recipe = folder / "profile.toml", folder / "changed.toml"
    text = (folder / "recipe.toml").read_text()
    for key, value in changes.items():
        name = key.split(".")[-1]
        lines = [line for line in text.splitlines() if not line.startswith(f"{name} =")]
        text = "\n".join(lines).replace("[reduction]", f"[reduction]\n{name} = {value}")
    recipe.write_text(text)
    pipeline = prepare(profile, recipe).for_shape(beamline.SHAPE)
    value, sigma = intensity(pipeline.integrator.integrate(beamline.counts(number)))
    return reduce_intensity(pipeline.plan, intensity=value, sigma=sigma)


def same(one: Curve, other: Curve, *, single: bool) -> None:
    np.testing.assert_array_equal(one.x, other.x)
    tolerance = 1e-6 if single else 1e-12
    size = np.nanmax(np.abs(other.y))
    np.testing.assert_allclose(one.y, other.y, rtol=tolerance, atol=tolerance * size)
    spread = np.nanmax(other.sigma)
    np.testing.assert_allclose(one.sigma, other.sigma, rtol=1e-5, atol=1e-6 * spread)


def test_a_preview_is_the_window_by_the_changed_recipe_and_changes_nothing(
    bench: Start, tmp_path: Path
) -> None:
    _, client = begun(bench)

    quick = client.retune.preview(WIDER, number=2)
    whole = client.retune.preview(WIDER, number=2, sigma=True)

    expected = by_itself(tmp_path, WIDER, 2)
    assert quick.about.sigma_pending
    assert not whole.about.sigma_pending
    assert quick.about.span.number == 2
    assert "reduction.qmax 18 → 20" in quick.about.changed
    for curve in expected:
        same(whole.curve(curve.kind), curve, single=False)
        np.testing.assert_array_equal(quick.curve(curve.kind).y, whole.curve(curve.kind).y)
    assert np.isnan(quick.curve("gr").sigma).all()
    assert {t.name for t in quick.about.trends} >= {"S(Q) tail", "low-r residual"}
    assert client.retune.recipe().revision == 1
    assert client.window(2).span.revision == 1


def test_every_mistake_of_a_draft_is_told_at_once(bench: Start) -> None:
    _, client = begun(bench, 1)

    wrong = {
        "reduction.qmaxx": 1,
        "reduction.rstep": "fine",
        "window.frames": 2,
        "sample.composition": 3,
    }
    with pytest.raises(SourceError) as caught:
        client.retune.apply(wrong)

    for key in wrong:
        assert key in str(caught.value)
    assert str(caught.value).count("found") == len(wrong)
    assert str(caught.value).count("wanted") == len(wrong)
    with pytest.raises(SourceError, match="reaches no further"):
        client.retune.preview({"reduction.qmax": 60.0})
    assert client.retune.recipe().revision == 1


def test_the_whole_run_is_as_if_the_recipe_had_been_so_from_the_start(
    bench: Start, tmp_path: Path
) -> None:
    daemon, client = begun(bench, 70)

    applied = client.retune.apply(WIDER, again="whole")
    daemon.source.put(*(beamline.frame(n) for n in range(70, 75)), beamline.end())
    follow(client, lambda: ended(client) and redone(client, 2))
    late = daemon.client()
    late.connect()
    windows = [client.window(number) for number in (0, 69, 72)]
    daemon.finish()

    assert (applied.revision, applied.again) == (2, 70)
    for window in windows:
        expected = by_itself(tmp_path, WIDER, window.span.number)
        for curve in expected:
            same(window.curve(curve.kind), curve, single=True)
    for viewer in (client, late):
        shown = viewer.mirror.windows
        assert shown is not None
        assert len(shown) == 75
        np.testing.assert_allclose(shown.gr[0], windows[0].curve("gr").y, atol=1e-6)
    mine, other = client.mirror.windows, late.mirror.windows
    assert mine is not None
    assert other is not None
    np.testing.assert_array_equal(mine.gr, other.gr)
    assert mine.trend_names() == other.trend_names()
    for name in mine.trend_names():
        assert repr(mine.trend(name)) == repr(other.trend(name))
    first, second = daemon.service.files
    assert [first.name, second.name] == ["growth_0001.nxs", "growth_0001-rev2.nxs"]
    with h5py.File(second) as file:
        np.testing.assert_array_equal(file["entry/pdf/G"][:], mine.gr)
        assert set(file["entry/windows/revision"][:]) == {2}
        assert file["entry/windows/number"][:].tolist() == list(range(75))
        assert file["entry/complete"][()] == 1
        position = file["entry/trends/Ni_Ni_position/value"][:]
        recipe = file["entry/livepdf/revision_2/recipe"].asstr()[()]
        assert "qmax = 18.0" in file["entry/livepdf/revision_1/recipe"].asstr()[()]
    shown_position = [t.value if t else np.nan for t in mine.trend("Ni-Ni position")]
    np.testing.assert_array_equal(position, shown_position)
    assert Recipe.model_validate(tomllib.loads(recipe)).reduction.qmax == 20.0
    with h5py.File(first) as file:
        assert set(file["entry/windows/revision"][:]) == {1}
        assert file["entry/continued_in"][()] == b"growth_0001-rev2.nxs"


def test_what_follows_from_the_whole_run_reaches_a_viewer_that_was_there_all_the_time(
    bench: Start,
) -> None:
    daemon, client = begun(bench, 12, more='[analysis]\nstructures = ["ni"]')

    client.retune.apply({"reduction.qmax": 17.0}, again="whole")
    daemon.source.put(beamline.frame(12), beamline.end())
    follow(client, lambda: ended(client) and redone(client, 2))
    client.connect()
    late = daemon.client()
    late.connect()

    mine, other = client.mirror.windows, late.mirror.windows
    assert mine is not None
    assert other is not None
    assert "novelty" in other.trend_names()
    for name in other.trend_names():
        assert repr(mine.trend(name)) == repr(other.trend(name))


def test_from_now_on_leaves_old_windows_and_says_which_is_which(
    bench: Start, tmp_path: Path
) -> None:
    daemon, client = begun(bench, 4)
    before = client.window(3)

    client.retune.apply(WIDER)
    daemon.source.put(*(beamline.frame(n) for n in range(4, 6)), beamline.end())
    follow(client, lambda: ended(client) and len(client.mirror.windows or ()) == 6)
    after = client.window(3)
    daemon.finish()

    windows = client.mirror.windows
    assert windows is not None
    assert [s.revision for s in windows.spans if s] == [1, 1, 1, 1, 2, 2]
    np.testing.assert_array_equal(after.curve("gr").y, before.curve("gr").y)
    # The map is on the newest grid; beyond the end of an older curve there is nothing.
    assert windows.gr.shape[1] == windows.r.size == 481
    assert np.isnan(windows.gr[3, windows.r > 20.01]).all()
    np.testing.assert_allclose(windows.gr[3, :401], before.curve("gr").y, atol=1e-5)
    with h5py.File(daemon.service.files[1]) as file:
        assert file["entry/windows/number"][:].tolist() == [4, 5]
    expected = by_itself(tmp_path, WIDER, 5)
    same(gr_of(daemon, 5), expected[3], single=True)


def gr_of(daemon: Bench, number: int) -> Curve:
    with h5py.File(daemon.service.files[1]) as file:
        row = file["entry/windows/number"][:].tolist().index(number)
        data = file["entry/pdf"]
        return Curve(kind="gr", x=data["r"][:], y=data["G"][row], sigma=data["G_errors"][row])


def test_the_last_windows_only(bench: Start) -> None:
    _, client = begun(bench, 6)

    applied = client.retune.apply({"reduction.qmax": 17.0}, again="last", last=2)
    follow(client, lambda: job(client) == "done")

    assert applied.again == 2
    assert [client.window(n).span.revision for n in range(6)] == [1, 1, 1, 1, 2, 2]


def test_undo_is_the_former_recipe_as_a_revision_of_its_own(bench: Start) -> None:
    _, client = begun(bench, 3)
    before = client.window(1)
    client.retune.apply(WIDER, again="whole")
    follow(client, lambda: redone(client, 2))

    undone = client.retune.undo(again="whole")
    follow(client, lambda: redone(client, 3))

    again = client.window(1)
    assert undone.revision == 3
    assert again.span.revision == 3
    for curve in before.curves:
        np.testing.assert_allclose(again.curve(curve.kind).y, curve.y, rtol=1e-6, atol=1e-7)
    with pytest.raises(SourceError, match="no recipe before"):
        client.retune.undo()


def test_a_run_that_is_over_can_be_reduced_again_and_the_next_begins_with_the_new_recipe(
    bench: Start,
) -> None:
    daemon, client = begun(bench, 5)
    daemon.source.put(beamline.end())
    follow(client, lambda: ended(client))

    client.retune.apply(WIDER, again="whole")
    follow(client, lambda: redone(client, 2))
    daemon.source.put(beamline.start("2"), beamline.frame(0, series="2"), beamline.end("2"))
    follow(client, lambda: [e.kind for e in client.mirror.events].count("run end") == 2)
    daemon.finish()

    names = [path.name for path in daemon.service.files]
    assert names == ["growth_0001.nxs", "growth_0001-rev2.nxs", "growth_0002.nxs"]
    with h5py.File(daemon.service.files[1]) as file:
        assert file["entry/windows/revision"][:].tolist() == [2] * 5
        assert file["entry/complete"][()] == 1
    with h5py.File(daemon.service.files[2]) as file:
        assert file["entry/livepdf/revision"][()] == 2
        assert file["entry/pdf/r"][-1] == pytest.approx(24.0)


def test_a_frozen_scale_is_that_of_its_window_for_all(bench: Start) -> None:
    daemon, client = begun(bench, 4)
    pipeline: Pipeline | None = daemon.pipeline
    assert pipeline is not None

    client.retune.freeze_scale(1, again="whole")
    follow(client, lambda: redone(client, 2))

    keys = {key.key: key.value for key in client.retune.recipe().keys}
    assert keys["reduction.scale"] == "reference"
    frozen = client.window(1).curve("gr").y
    value, sigma = intensity(pipeline.integrator.integrate(beamline.counts(1)))
    direct = reduce_intensity(pipeline.plan, intensity=value, sigma=sigma)
    np.testing.assert_allclose(frozen, direct[3].y, rtol=1e-5, atol=1e-6)


def test_sums_that_left_the_memory_come_back_from_the_file(bench: Start, tmp_path: Path) -> None:
    daemon, client = begun(bench, 40)
    shelf = daemon.service._shelf
    shelf.limit = 1
    daemon.source.put(beamline.frame(40))
    follow(client, lambda: len(client.mirror.windows or ()) == 41)
    assert len(shelf.windows(range(41))) == 1

    client.retune.apply(WIDER, again="whole")
    follow(client, lambda: redone(client, 2))

    assert client.mirror.status is not None
    assert client.mirror.status.redo is not None
    assert client.mirror.status.redo.missing == 0
    same(client.window(7).curve("gr"), by_itself(tmp_path, WIDER, 7)[3], single=True)


def test_a_job_that_is_cancelled_leaves_what_is_not_done(bench: Start) -> None:
    _, client = begun(bench, 30)

    client.retune.apply(WIDER, again="whole")
    client.retune.cancel()
    follow(client, lambda: job(client) in ("done", "cancelled"))

    if job(client) == "cancelled":
        follow(client, lambda: said(client, "were being reduced again"))
    follow(client, lambda: said(client, "revision 2"))


def test_windows_are_compared_with_a_pinned_one(bench: Start) -> None:
    daemon, client = begun(bench, 4)
    reference = client.window(1).curve("gr")

    client.retune.pin(1)
    daemon.source.put(beamline.frame(4), beamline.end())
    follow(client, lambda: ended(client))
    old, itself, new = (client.window(number) for number in (0, 1, 4))
    daemon.finish()

    for window in (old, new):
        gr, less = window.curve("gr"), window.curve("dgr")
        np.testing.assert_allclose(less.y, gr.y - reference.y, atol=1e-5)
        np.testing.assert_allclose(less.sigma, np.hypot(gr.sigma, reference.sigma), rtol=1e-4)
    assert (itself.curve("dgr").y == 0).all()
    assert (itself.curve("dgr").sigma == 0).all()
    with h5py.File(daemon.service.files[0]) as file:
        data = file["entry/difference"]
        assert data["reference"][:].tolist() == [-1, -1, -1, -1, 0]
        np.testing.assert_array_equal(data["dG"][4], new.curve("dgr").y)
        assert file["entry/references/description"][0] == b"window 1 of growth_0001"


def test_a_pinned_window_follows_a_new_recipe(bench: Start) -> None:
    _, client = begun(bench, 4)
    client.retune.pin(1)

    client.retune.apply(WIDER, again="whole")
    follow(client, lambda: redone(client, 2))

    gr, reference = client.window(3).curve("gr").y, client.window(1).curve("gr").y
    np.testing.assert_allclose(client.window(3).curve("dgr").y, gr - reference, atol=1e-5)
    client.retune.unpin()
    assert [c.kind for c in client.window(3).curves] == ["iq", "sq", "fq", "gr"]


def test_a_preview_comes_within_a_tenth_of_a_second(bench: Start) -> None:
    _, client = begun(bench, 2)
    client.retune.preview(WIDER)

    took = []
    for qmax in (15.0, 16.0, 17.0):
        started = time.monotonic()
        client.retune.preview({"reduction.qmax": qmax})
        took.append(time.monotonic() - started)

    assert min(took) < 0.1
