import subprocess
import sys
from importlib import import_module

import click
import pytest
from click.testing import CliRunner

from livepdf.cli.main import _COMMANDS, main
from livepdf.errors import (
    Complaint,
    ConfigError,
    FileError,
    LivepdfError,
    RunError,
    SourceError,
)


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from livepdf.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'numba', 'pyFAI', 'h5py', 'zmq', 'rich', 'pydantic', 'scipy'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert said.splitlines()[-1] == "[]"
    assert all(f"  {name} " in said for name in _COMMANDS)


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_every_command_that_is_listed_is_there(name: str) -> None:
    module, attribute = _COMMANDS[name].place.split(":")

    assert isinstance(getattr(import_module(module), attribute), click.Command)


COMPLAINT = Complaint("p.toml", "detector.poni", "nothing", "a calibration")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError([COMPLAINT]), 3),
        (SourceError("gone"), 4),
        (FileError("f"), 1),
        (RunError("r"), 1),
        (LivepdfError("l"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_what_went_wrong_is_said_by_the_exit_code_without_a_traceback(
    error: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setattr("livepdf.cli.status.status", failing)
    with pytest.raises(SystemExit) as left:
        main(["status"])

    assert left.value.code == code
    said = capsys.readouterr().err
    assert "Traceback" not in said
    if code == 3:
        assert "p.toml: detector.poni: found nothing, wanted a calibration" in said


def test_wrong_usage_is_two() -> None:
    for arguments in (["nonsense"], ["run"], ["--nonsense"], ["watch"]):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert left.value.code == 2


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_help_keeps_its_examples_on_lines_of_their_own(name: str) -> None:
    module, attribute = _COMMANDS[name].place.split(":")
    command = getattr(import_module(module), attribute)

    # Spelled out instead of meant, the mark shows and the lines run together.
    assert "\\b" not in CliRunner().invoke(command, ["--help"]).output
