"""A notebook beside a running daemon."""

from collections.abc import Callable

import numpy as np
import pytest

from livepdf.errors import SourceError
from livepdf.wire.client import Client
from tests.daemon import beamline
from tests.daemon.conftest import Bench
from tests.daemon.test_service import follow

Start = Callable[..., Bench]


def test_latest_history_and_dataset_are_those_of_the_run(bench: Start) -> None:
    daemon = bench()
    watcher, notebook = daemon.client(), Client(daemon.service.address)
    watcher.connect()
    daemon.source.put(beamline.start(), *(beamline.frame(n) for n in range(12)))
    follow(watcher, lambda: len(watcher.mirror.windows or ()) == 3)

    latest, windows, table = notebook.latest(30.0), notebook.history(30.0), notebook.to_xarray(30.0)
    notebook.close()
    daemon.finish()

    assert latest.span.number == 2
    assert len(windows) == 3
    assert dict(table.sizes) == {"window": 3, "q": windows.q.size, "r": windows.r.size}
    np.testing.assert_array_equal(table["gr"][2], latest.curve("gr").y.astype(np.float32))
    np.testing.assert_allclose(table["temperature"], [301.5, 305.5, 309.5])
    name = latest.trends[0].name
    np.testing.assert_equal(table[name].values[2], latest.trends[0].value)
    np.testing.assert_equal(table[f"{name} σ"].values[2], latest.trends[0].sigma)
    assert table.attrs["instrument"] == "test bench"


def test_without_a_window_there_is_nothing_latest(bench: Start) -> None:
    daemon = bench()
    notebook = Client(daemon.service.address)

    with pytest.raises(SourceError, match="no window yet"):
        notebook.latest(2.0)
    notebook.close()
