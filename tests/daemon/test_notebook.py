"""A notebook beside a running daemon."""

import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livepdf.errors import SourceError
from livepdf.wire.client import Client
from tests.daemon import beamline
from tests.daemon.conftest import Bench
from tests.daemon.test_service import follow

Start = Callable[..., Bench]


def run_the_guide(address: str) -> dict[str, Any]:
    """Execute what the guide to the window tells to type, for a daemon at another address."""
    page = (Path(__file__).parents[2] / "docs/guide/the-window.md").read_text()
    (snippet,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(textwrap.dedent(snippet).replace("tcp://127.0.0.1:5600", address), names)
    return names


def test_latest_history_and_dataset_are_those_of_the_run(
    bench: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon = bench()
    watcher, notebook = daemon.client(), Client(daemon.service.address)
    watcher.connect()
    daemon.source.put(beamline.start(), *(beamline.frame(n) for n in range(12)))
    follow(watcher, lambda: len(watcher.mirror.windows or ()) == 3)

    latest, windows, table = notebook.latest(30.0), notebook.history(30.0), notebook.to_xarray(30.0)
    notebook.close()
    typed = run_the_guide(daemon.service.address)
    daemon.finish()

    assert typed["run"].identical(table)
    assert f"Ni-Ni position: {latest.trends[0].value} ± " in capsys.readouterr().out
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

    notebook.connect(30.0)

    with pytest.raises(SourceError, match="no window yet"):
        notebook.latest(0.2)
    notebook.close()
