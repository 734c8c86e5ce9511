"""The commands against a daemon in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from livepdf.cli.main import main
from tests.daemon import beamline
from tests.daemon.conftest import Bench, bench
from tests.daemon.test_retune import begun

__all__ = ["bench"]
Start = Callable[..., Bench]


def call(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return int(ended.value.code or 0)


def test_a_recipe_is_looked_at_changed_and_taken_back(
    bench: Start,
    capsys: pytest.CaptureFixture[str],
) -> None:
    daemon, client = begun(bench, 3)
    address = daemon.service.address

    assert call("retune", address) == 0
    listed = capsys.readouterr().out
    assert "reduction.qmax = 18.0" in listed
    assert "Å⁻¹, upper limit of the transform." in listed
    assert call("retune", address, "reduction.qmax=17", "--preview") == 0
    assert "would change: reduction.qmax 18 → 17" in capsys.readouterr().out
    assert call("retune", address, "reduction.qmax=17", "--again", "whole", "--wait") == 0
    said = capsys.readouterr().out
    assert "revision 2" in said
    assert said.splitlines()[-1] == "done"
    assert client.window(0).span.revision == 2
    assert call("retune", address, "--undo") == 0
    assert "revision 3: undo: reduction.qmax 17 → 18" in capsys.readouterr().out


def test_what_is_wrong_with_a_change_is_said(
    bench: Start,
    capsys: pytest.CaptureFixture[str],
) -> None:
    daemon, _ = begun(bench, 1)

    assert call("retune", daemon.service.address, "reduction.qmax=high", "reduction.rr=1") != 0
    said = capsys.readouterr().err
    assert "reduction.qmax: found 'high', wanted" in said
    assert "reduction.rr" in said
    assert call("retune", daemon.service.address, "qmax") == 2


@pytest.mark.parametrize("other", ["--freeze-scale", "--undo", "--cancel"])
def test_a_look_never_changes_anything(bench: Start, other: str) -> None:
    daemon, client = begun(bench, 1)

    assert call("retune", daemon.service.address, other, "--preview") == 2
    assert client.retune.recipe().revision == 1


def test_a_background_is_captured_and_used_and_a_window_pinned(
    bench: Start,
    capsys: pytest.CaptureFixture[str],
) -> None:
    daemon, client = begun(bench, 3)
    address = daemon.service.address

    assert call("capture", address, "background", "start") == 0
    daemon.source.put(beamline.frame(3))
    while len(client.mirror.windows or ()) < 4:
        client.poll(0.1)
    assert call("capture", address, "background", "stop") == 0
    said = capsys.readouterr().out
    assert "1 frames saved as" in said
    assert Path(said.split(" saved as ")[1].split(";")[0]).exists()
    assert call("pin", address, "1") == 0
    assert "window 1 of growth_0001" in capsys.readouterr().out
    assert call("pin", address, "--off") == 0
    assert "no differences" in capsys.readouterr().out
