"""What the pages tell to type into a notebook runs as it is written, over a small run."""

import re
from pathlib import Path
from typing import Any

import fabio.tifimage
import numpy as np
import pytest

from livepdf.cli.main import main
from livepdf.errors import FileError
from livepdf.notebook import Run, analysed, stored
from tests.daemon import beamline

DOCS = Path(__file__).parents[1] / "docs"
STRUCTURE = '[analysis]\nstructures = ["ni"]\nsmallest = 15\nlargest = 20\ntemplate = 16\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the pages name."""
    folder = tmp_path_factory.mktemp("run")
    profile, recipe = beamline.write_settings(folder, more=STRUCTURE)
    images = []
    for index in range(3):
        images.append(folder / f"image{index}.tif")
        fabio.tifimage.TifImage(data=beamline.counts(index)).write(str(images[-1]))
    given = [*images, "--profile", profile, "--recipe", recipe, "--out", folder]
    with pytest.raises(SystemExit) as left:
        main(["process", *(str(part) for part in given)])
    assert left.value.code == 0
    (folder / "run.nxs").rename(folder / "hfo2_0001.nxs")
    (folder / "better.toml").write_text(recipe.read_text().replace("qmax = 18.0", "qmax = 16.0"))
    return folder


def snippets(page: str) -> str:
    return "\n".join(re.findall(r"^```python\n(.*?)```", (DOCS / page).read_text(), re.M | re.S))


def same(one: Run, other: Run) -> bool:
    """Whether windows, laws and events agree; float32 is what a file holds of curves."""
    names = list(one.windows.data_vars)
    assert names == list(other.windows.data_vars)
    for name in names:
        np.testing.assert_array_equal(one.windows[name], other.windows[name], err_msg=str(name))
    return one.laws.keys() == other.laws.keys() and one.events == other.events


def test_the_notebook_of_the_page_on_trends(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    namespace: dict[str, Any] = {}

    exec(snippets("trends.md"), namespace)

    assert dict(namespace["size"].sizes) == {"window": 3}
    assert all(why.startswith("the structure does not") for why in namespace["why"].values)
    printed = capsys.readouterr().out.splitlines()
    assert float(printed[2]) > 0.0
    assert float(printed[3].split()[0]) == pytest.approx(2.0, abs=0.01)


def test_the_notebook_of_the_page_on_lasers_and_shots() -> None:
    r = np.arange(0.05, 20.0, 0.05)
    namespace: dict[str, Any] = {"r": r, "gr": np.sin(2.5 * r)}

    exec(snippets("guide/lasers-and-shots.md"), namespace)

    assert namespace["same"].shape == r.shape


def test_a_run_analysed_again_by_its_own_recipe_is_the_run_that_is_stored(folder: Path) -> None:
    assert same(analysed(folder / "hfo2_0001.nxs"), stored(folder / "hfo2_0001.nxs"))


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"gone\.nxs"):
        stored(tmp_path / "gone.nxs")
