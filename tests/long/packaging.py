"""Wheel and sdist as people install them: in a bare environment, away from the checkout.

``python -m tests.long.packaging`` builds both (the wheel from the sdist), installs the wheel
without Qt, checks every ready profile and that the demo runs and says what is missing; then
installs it with the extra ``gui`` and runs a short demo. ``--core`` leaves the second part out.
Exit code 1 where anything fails. Takes some minutes and 1.5 GB below the temporary directory.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


class Bare:
    """An environment with nothing but what one installs, used from a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.here = folder / "elsewhere"
        self.here.mkdir(parents=True)
        venv.create(folder / "venv", with_pip=True)

    def run(self, *words: str) -> tuple[int, str]:
        """Run a program of the environment; return its code and all that it said."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        done = subprocess.run(
            [self._folder / "venv" / "bin" / words[0], *words[1:]],
            cwd=self.here,
            env={**kept, "QT_QPA_PLATFORM": "offscreen"},
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr


class Table:
    """What was tried, and whether it went as it should."""

    def __init__(self) -> None:
        self.failed = 0

    def row(self, what: str, right: bool, words: str = "") -> None:
        """Print one line."""
        self.failed += not right
        last = words.strip().splitlines()[-1:] if words.strip() else []
        print(f"{'right' if right else 'WRONG'}  {what:44} {''.join(last)[:100]}", flush=True)  # noqa: T201


def build(out: Path) -> tuple[Path, Path]:
    """Return sdist and wheel; the wheel is made from the sdist."""
    subprocess.run([sys.executable, "-m", "build", "-o", out, CHECKOUT], check=True)
    return next(out.glob("*.tar.gz")), next(out.glob("*.whl"))


def core(bare: Bare, wheel: Path, table: Table) -> None:
    """Try all that needs no window."""
    code, said = bare.run("pip", "install", "-q", str(wheel))
    table.row("pip install livepdf", code == 0, said)
    code, said = bare.run("python", "-c", "import PyQt5")
    table.row("no Qt came along", code != 0, said)
    code, said = bare.run("livepdf", "--version")
    table.row("livepdf --version", code == 0, said)
    _, listed = bare.run("livepdf", "init", "--list")
    profiles = listed.splitlines()[0].partition(":")[2].replace(",", " ").split()
    table.row("ready profiles in the wheel", len(profiles) > 10, f"{len(profiles)}")
    for name in profiles:
        made, words = bare.run("livepdf", "init", "--from", name, name)
        checked, said = bare.run(
            *("livepdf", "check", f"{name}/profile.toml", "--recipe", f"{name}/recipe.toml")
        )
        table.row(f"check {name}", made == checked == 0, said or words)
    code, said = bare.run("livepdf", "demo", "--stay")
    table.row("a window that is not there is named", code == 1 and "livepdf[gui]" in said, said)
    code, said = bare.run("livepdf", "demo", "--duration", "10", "--out", "bare")
    left = {path.suffix for path in (bare.here / "bare").rglob("*")}
    right = code in (0, 1) and {".nxs", ".gr"} <= left and "livepdf[gui]" in said
    table.row("demo without Qt, 10 s", right, said)


def with_window(bare: Bare, wheel: Path, table: Table) -> None:
    """Try the demo, drawn offscreen."""
    code, said = bare.run("pip", "install", "-q", f"{wheel}[gui]")
    table.row("pip install livepdf[gui]", code == 0, said)
    code, said = bare.run("livepdf", "demo", "--headless", "--duration", "20", "--out", "demo")
    # How near to the truth so short a demo comes is judged by the suite, on the checkout.
    left = {path.suffix for path in (bare.here / "demo").rglob("*")}
    table.row("demo, 20 s", code in (0, 1) and {".nxs", ".gr", ".png"} <= left, said)


def main() -> int:
    """Build, install, try."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--core", action="store_true", help="Only what needs no window.")
    chosen = parser.parse_args()
    table = Table()
    with tempfile.TemporaryDirectory(prefix="livepdf-packaging-") as name:
        sdist, wheel = build(Path(name) / "dist")
        table.row("wheel and sdist are built", True, f"{sdist.name}, {wheel.name}")
        bare = Bare(Path(name))
        core(bare, wheel, table)
        if not chosen.core:
            with_window(bare, wheel, table)
    return 1 if table.failed else 0


if __name__ == "__main__":
    sys.exit(main())
