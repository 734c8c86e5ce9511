"""What the door does, command by command."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from tools.door import debian, environment
from tools.door.console import DoorError, say
from tools.door.guide import GUIDE, OVERVIEW

CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache", ".hypothesis")
BUILT = ("build", "dist", ".benchmarks")
SOURCES = ("livepdf", "gui", "tests", "tools")

PYTEST = ("-m", "pytest", "--numprocesses", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile")
"""Each file of tests stays in one process: its fixtures are made once."""

CHECKS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
    "import contracts": ["lint-imports"],
}


def enter(words: Sequence[str]) -> int:
    """Do what the command line asks; return the exit code."""
    if not words or words[0] in ("-h", "--help", "help"):
        print(GUIDE.get(words[1], OVERVIEW) if len(words) > 1 else OVERVIEW)
        return 0
    name, args = words[0], list(words[1:])
    command = COMMANDS.get(name)
    if command is None:
        print(f"dev: unknown command {name!r}, wanted one of: {', '.join(COMMANDS)}")
        return 2
    if args[:1] in (["-h"], ["--help"]):
        print(GUIDE[name])
        return 0
    try:
        return command(args)
    except DoorError as error:
        print(f"dev: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("dev: stopped; the same command goes on from here", file=sys.stderr)
        return 130


def set_up(args: list[str]) -> int:
    """Make the environment with everything in it, and stop there."""
    _no_more(args)
    environment.set_up("dev", "gui")
    _see_to(debian.OFFSCREEN, debian.X11, debian.VIRTUAL_SCREEN, debian.BROWSER)
    return 0


def demo(args: list[str]) -> int:
    """Run ``livepdf demo``."""
    environment.set_up("gui")
    window = bool(os.environ.get("DISPLAY")) and "--headless" not in args
    missing = _see_to(debian.OFFSCREEN, *([debian.X11] if window else []))
    if missing & set(debian.OFFSCREEN.values()):
        raise DoorError("Qt cannot draw without the packages named above")
    if missing:
        say("no window can be opened without them, so the demo runs headless")
        args = [*args, "--headless"]
    _become([environment.program("livepdf"), "demo", *args], _with_runtime_folder())


def test(args: list[str]) -> int:
    """Run the whole test suite, or the part that ``args`` names."""
    environment.set_up("dev", "gui")
    _see_to(debian.OFFSCREEN, debian.X11, debian.VIRTUAL_SCREEN, debian.BROWSER)
    _become([environment.program("python"), *PYTEST, *args], _steady())


def check(args: list[str]) -> int:
    """Run everything that the integration machine runs."""
    tests = args != ["--no-tests"]
    if tests:
        _no_more(args)
    environment.set_up("dev", "gui")
    failed = [name for name, words in CHECKS.items() if not _passes(name, words)]
    if tests:
        _see_to(debian.OFFSCREEN, debian.X11, debian.VIRTUAL_SCREEN, debian.BROWSER)
        if not _passes("pytest", ["python", *PYTEST]):
            failed.append("pytest")
    say(f"failed: {', '.join(failed)}" if failed else "everything passed")
    return 1 if failed else 0


def bench(args: list[str]) -> int:
    """Run the benchmarks."""
    environment.set_up("dev", "gui")
    _become([environment.program("python"), "-m", "tests.benchmarks", *args], _steady())


def docs(args: list[str]) -> int:
    """Build the documentation; every warning is an error."""
    _no_more(args)
    environment.set_up("docs")
    html = environment.CHECKOUT / "build" / "docs"
    command = ["python", "-m", "sphinx", "-W", "--keep-going", "-b", "html", "-q"]
    if not _passes("docs", [*command, str(environment.CHECKOUT / "docs"), str(html)]):
        return 1
    say(f"read {html / 'index.html'}")
    return 0


def clean(args: list[str]) -> int:
    """Remove the environment and what tools left behind."""
    _no_more(args)
    environment.clean()
    left = [environment.CHECKOUT / name for name in (*CACHES, *BUILT)]
    for source in SOURCES:
        left += (environment.CHECKOUT / source).rglob("__pycache__")
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "demo": demo,
    "test": test,
    "check": check,
    "bench": bench,
    "docs": docs,
    "set-up": set_up,
    "clean": clean,
}


def _no_more(args: list[str]) -> None:
    if args:
        raise DoorError(f"unknown words: {' '.join(args)}")


def _see_to(*groups: dict[str, str]) -> set[str]:
    """Get system packages in where that is allowed, else say how; return those still missing."""
    known = debian.libraries_here()
    missing = [name for group in groups for name in debian.missing(group, libraries=known)]
    if not missing or debian.install(missing, log=environment.log_file()):
        return set()
    say("system packages for Qt and its tests are missing. On Debian or Ubuntu:")
    say(f"  {debian.install_line(missing)}")
    return set(missing)


def _passes(name: str, words: list[str]) -> bool:
    say(f"{name} …")
    command = [environment.program(words[0]), *words[1:]]
    return subprocess.run(command, cwd=environment.CHECKOUT, env=_steady()).returncode == 0


def _steady() -> dict[str, str]:
    """Variables for tests and timings: no screen and one thread per library, unless told."""
    threads = ("OMP", "OPENBLAS", "MKL", "NUMBA")
    defaults = {f"{name}_NUM_THREADS": "1" for name in threads}
    return {"QT_QPA_PLATFORM": "offscreen", **defaults, **_with_runtime_folder()}


def _with_runtime_folder() -> dict[str, str]:
    """Qt warns where the desktop session has not set a private folder for sockets."""
    env = environment.child_environment()
    if "XDG_RUNTIME_DIR" not in env:
        env["XDG_RUNTIME_DIR"] = str(_runtime_folder())
    return env


def _runtime_folder() -> Path:
    path = Path(tempfile.gettempdir()) / f"livepdf-runtime-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    mine = path.stat().st_uid == os.getuid() and not path.is_symlink()
    return path if mine else Path(tempfile.mkdtemp(prefix="livepdf-runtime-"))


def _become(command: list[str], env: dict[str, str]) -> NoReturn:
    """Hand this process over, so that signals and the exit code are the program's own."""
    if not Path(command[0]).exists():
        raise DoorError(f"{command[0]} is missing: run `python3 tools/dev.py clean`, then again")
    os.chdir(environment.CHECKOUT)
    sys.stdout.flush()
    os.execve(command[0], command, env)
