"""The documentation builds, names only commands that exist, and its settings are true ones."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from livepdf.cli.main import _COMMANDS, livepdf
from livepdf.config.breakdown import Breakdown
from livepdf.config.pump_probe import PumpProbe
from livepdf.config.serial import Serial
from livepdf.config.tiles import Tiles

DOCS = Path(__file__).parents[2] / "docs"
README = DOCS.parent / "README.md"
PAGES = [README, *sorted(DOCS.rglob("*.md"))]


def test_the_pages_build_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    built = subprocess.run(
        [*command, "-d", str(tmp_path / "trees"), str(DOCS), str(tmp_path / "html")],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )

    assert built.returncode == 0, built.stderr
    assert (tmp_path / "html" / "guide" / "first-evening.html").exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_names_commands_that_exist(page: Path) -> None:
    text = page.read_text()
    lines = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    names = set(re.findall(r"`livepdf ([a-z][a-z-]+)", text))
    names |= set(re.findall(r"^livepdf ([a-z][a-z-]+)", lines, re.MULTILINE))

    assert names <= set(_COMMANDS)


def test_the_table_of_the_readme_holds_each_command_once() -> None:
    _, _, table = README.read_text().partition("| for | commands |")
    rows = table.partition("\n\n")[0].splitlines()[2:]
    told = [name for row in rows for name in re.findall(r"`([a-z-]+)`", row)]

    assert sorted(told) == sorted(_COMMANDS)


@pytest.mark.parametrize("name", ["analyse", "calibrate-resolution", "geometry", "pump-probe"])
def test_options_in_the_guide_are_options_of_the_command(name: str) -> None:
    shown = CliRunner().invoke(livepdf, [name, "--help"]).output
    told = set()
    for page in (DOCS / "guide").glob("*.md"):
        for line in page.read_text().replace("\\\n", " ").splitlines():
            if line.strip().startswith(f"livepdf {name} "):
                told |= set(re.findall(r"(--[a-z-]+)", line.split("#")[0]))

    assert told
    assert all(option in shown for option in told)


def test_the_recipes_of_the_guide_to_shots_are_recipes() -> None:
    page = (DOCS / "guide" / "lasers-and-shots.md").read_text()
    blocks = "\n".join(re.findall(r"```toml\n(.*?)```", page, re.DOTALL))
    told = tomllib.loads(blocks)

    PumpProbe(**told["pump_probe"])
    Breakdown(**told["breakdown"])
    Serial(**told["serial"])
    Tiles(**told["detector"]["tiles"])
