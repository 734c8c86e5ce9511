"""Sinks of other packages: found by their entry point, and told from those that are not there."""

import sys
from pathlib import Path

import pytest

from livepdf.config.publish import PluginPublish
from livepdf.errors import FileError
from livepdf.sinks.publishing import open_sink
from tests.sinks.made import result

_MODULE = """
class Notebook:
    def __init__(self, settings):
        self.file = open(settings["file"], "a")
    def result(self, result):
        print("window", result.span.number, file=self.file, flush=True)
    def event(self, event): pass
    def flag(self, name, raised, words): pass
    def status(self, status): pass
    def close(self):
        self.file.close()
"""


def install(folder: Path, name: str, module: str) -> None:
    """Write what installing a package with one sink leaves."""
    (folder / f"{name}.py").write_text(module)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[livepdf.sinks]\n{name} = {name}:Notebook\n")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_a_sink_of_another_package_is_made_with_its_settings(
    tmp_path: Path, packages: Path
) -> None:
    install(packages, "tiny_sink_one", _MODULE)
    file = tmp_path / "notes"

    sink = open_sink(
        PluginPublish(kind="plugin", name="tiny_sink_one", settings={"file": str(file)})
    )
    sink.result(result(7))
    sink.close()

    assert file.read_text() == "window 7\n"
    sys.modules.pop("tiny_sink_one")


def test_one_that_is_not_installed_or_refuses_says_which_and_why(packages: Path) -> None:
    install(packages, "tiny_sink_two", _MODULE)
    with pytest.raises(FileError, match=r"no sink 'other' is installed; known: .*tiny_sink_two"):
        open_sink(PluginPublish(kind="plugin", name="other"))
    with pytest.raises(FileError, match="'tiny_sink_two' cannot be made: 'file'"):
        open_sink(PluginPublish(kind="plugin", name="tiny_sink_two"))
    install(packages, "tiny_sink_three", "raise RuntimeError('no licence')")
    with pytest.raises(FileError, match="'tiny_sink_three' cannot be made: no licence"):
        open_sink(PluginPublish(kind="plugin", name="tiny_sink_three"))
    sys.modules.pop("tiny_sink_two")
