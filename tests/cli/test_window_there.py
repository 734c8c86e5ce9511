"""What people hear where the window was not installed."""

import sys
from pathlib import Path

import pytest

from livepdf.cli.main import main


@pytest.mark.parametrize("name", ["PyQt5", "pyqtgraph", "livepdf_gui"])
@pytest.mark.parametrize("command", [["gui", "tcp://127.0.0.1:9"], ["demo", "--stay"]])
def test_a_command_that_needs_the_window_names_the_remedy_before_it_starts_anything(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    name: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    # This is how Python itself is told that a package is not there.
    monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(SystemExit) as ended:
        main(command)

    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert f"{name} not found" in said
    assert "livepdf[gui]" in said
    assert not list(tmp_path.iterdir())
