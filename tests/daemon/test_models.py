"""A model from elsewhere, named in the recipe, is a part of every window that is shown."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from livepdf.daemon.assemble import prepare
from livepdf.errors import ConfigError
from tests.daemon import beamline
from tests.daemon.conftest import Bench
from tests.daemon.test_service import ended, follow

CLUSTER = """3
trimer
Ni 0.0 0.0 0.0
Ni 2.49 0.0 0.0
Ni 1.245 2.156 0.0
"""
MODEL = '[[model]]\nname = "trimer"\nfile = "cluster.xyz"\n'


def test_amount_rw_and_curve_of_a_cluster_come_with_every_window(
    bench: Callable[..., Bench], tmp_path: Path
) -> None:
    (tmp_path / "cluster.xyz").write_text(CLUSTER)
    daemon = bench(more=MODEL)
    client = daemon.client()
    client.connect()
    daemon.source.put(beamline.start(), *(beamline.frame(n) for n in range(8)), beamline.end())
    follow(client, lambda: ended(client))

    for number in (0, 1):
        window = client.window(number)
        value = {trend.name: trend for trend in window.trends}
        assert np.isfinite(value["trimer amount"].value)
        assert value["trimer amount"].sigma > 0
        assert 0.0 < value["trimer Rw"].value <= 1.0
        model, data = window.curve("gr_model"), window.curve("gr")
        assert model.y.shape == data.y.shape
        assert np.isfinite(model.y).all()


def test_a_model_that_cannot_be_used_is_told_with_its_key(tmp_path: Path) -> None:
    for text, words in (
        (CLUSTER.replace("Ni", "Au"), "model.0.file: found Au, wanted atoms of Ni"),
        ("nonsense", "model.0.file"),
    ):
        (tmp_path / "cluster.xyz").write_text(text)
        with pytest.raises(ConfigError, match=words):
            prepare(*beamline.write_settings(tmp_path, more=MODEL))
