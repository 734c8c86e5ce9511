"""The virtual environment: made once, brought up to date when the pins change."""

import fcntl
import importlib.util
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.door import debian
from tools.door.console import DoorError, run_logged, say
from tools.door.stamp import Stamp, begin, is_ours, next_step

CHECKOUT = Path(__file__).resolve().parents[2]
PYPROJECT = CHECKOUT / "pyproject.toml"
CONSTRAINTS = CHECKOUT / "tools" / "constraints.txt"
PINNED = ("-c", str(CONSTRAINTS))
OLDER_CBOR2 = "cbor2==5.9.0"
"""Beside the environment, for the tests that must hold with both generations of it."""
NEEDED_BYTES = 2 * 1024**3
NEWEST_TESTED = (3, 13)

CAUSES = {
    "No space left on device": "the disk is full. Make 2 GB of room.",
    "CERTIFICATE_VERIFY_FAILED": "the certificate of the package index is not trusted here. Give "
    "pip your site's certificates (PIP_CERT).",
    "Failed to establish a new connection": "the package index cannot be reached. See to the "
    "network, or to pip's proxy or index setting.",
    "ProxyError": "the proxy refuses. See to pip's proxy setting.",
    "Read timed out": "the package index answers too slowly.",
    "from versions: none": "the package index has no such package for this Python and machine, or "
    "cannot be reached. See to the network.",
}
"""Words of pip, and what they mean to the user; the most telling first."""


def folder() -> Path:
    """Where the environment lives: ``.venv`` in the checkout, or ``LIVEPDF_VENV``."""
    return Path(os.environ.get("LIVEPDF_VENV", CHECKOUT / ".venv")).absolute()


def program(name: str) -> str:
    """Path of a program of the environment."""
    return str(folder() / "bin" / name)


def set_up(*extras: str) -> None:
    """Bring the environment to the state that the checkout asks for.

    Raises
    ------
    DoorError
        Where it cannot: nothing to make it with, nowhere to write, no network.
    """
    with _alone():
        wanted = Stamp.wanted(checkout=CHECKOUT, inputs=(PYPROJECT, CONSTRAINTS), extras=extras)
        found = Stamp.read(folder()) if Path(program("python")).exists() else None
        step = next_step(found=found, wanted=wanted)
        if step == "nothing":
            return
        started = time.monotonic()
        if found is not None and step == "install":
            wanted = _with_extras(wanted, found)
        else:
            _make()
        _install(wanted.extras)
        wanted.write(folder())
        say(f"ready in {folder()} after {time.monotonic() - started:.0f} s")


def clean() -> None:
    """Remove the environment, unless somebody else made it."""
    if not folder().exists():
        return
    _refuse_strangers()
    shutil.rmtree(folder())


def log_file() -> Path:
    """Where installers write their words."""
    return folder() / "set-up.log"


def child_environment() -> dict[str, str]:
    """Return the variables for programs of the environment: none that lead to other packages."""
    strays = {"PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__"}
    return {key: value for key, value in os.environ.items() if key not in strays}


def _with_extras(wanted: Stamp, found: Stamp) -> Stamp:
    extras = tuple(sorted({*wanted.extras, *found.extras}))
    return Stamp(inputs=wanted.inputs, place=wanted.place, python=wanted.python, extras=extras)


@contextmanager
def _alone() -> Iterator[None]:
    """Let one set-up of a checkout run at a time; the others wait and find it done."""
    with PYPROJECT.open("rb") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up of this checkout is running: waiting for it")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _make() -> None:
    _refuse_strangers()
    _mention_doubts()
    try:
        if folder().exists():
            say(f"making {folder()} anew: unfinished, moved, or of another Python")
            shutil.rmtree(folder())
        begin(folder())
    except OSError as error:
        raise DoorError(
            f"cannot write {folder()}: {error.strerror}. Use a checkout that you may write to, "
            "or set LIVEPDF_VENV to a folder for the environment."
        ) from error
    _refuse_full_disk()
    _see_to_venv()
    say(f"making {folder()} with Python {platform.python_version()}")
    # In a process of its own: a Python that just got its venv package has not seen it
    command = [sys.executable, "-m", "venv", str(folder())]
    if not run_logged(command, log=log_file(), env=child_environment()):
        raise DoorError("python -m venv failed: the lines above say why")


def _refuse_strangers() -> None:
    if not is_ours(folder()):
        raise DoorError(
            f"{folder()} was not made by tools/dev.py, so it is left alone. Move it away, or set "
            "LIVEPDF_VENV to another folder."
        )


def _mention_doubts() -> None:
    if sys.version_info[:2] > NEWEST_TESTED:
        say(f"Python {platform.python_version()} is newer than what livepdf is tested with (3.13)")
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        say(
            f"{sys.platform} {platform.machine()} is untested: the pins are for Linux x86-64, and "
            "PyQt5 has no ready-made package for Linux on ARM"
        )


def _refuse_full_disk() -> None:
    free = shutil.disk_usage(folder()).free
    if free < NEEDED_BYTES:
        raise DoorError(f"{folder()} has {free / 1e9:.1f} GB of disk left, wanted 2 GB")


def _see_to_venv() -> None:
    """Debian and Ubuntu ship Python without the part that makes environments."""
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    packages = [f"python3.{sys.version_info.minor}-venv"]
    if sys.base_prefix == "/usr" and debian.install(packages, log=log_file()):
        return
    raise DoorError(
        f"this Python ({sys.executable}) cannot make virtual environments. On Debian or Ubuntu: "
        f"{debian.install_line(packages)}"
    )


def _install(extras: tuple[str, ...]) -> None:
    begin(folder())
    say(f"installing the pinned packages, about 0.3 GB to fetch (log: {log_file()})")
    build = ["hatchling", "editables"]
    project = ["--no-build-isolation", "-e", f"{CHECKOUT}[{','.join(extras)}]"]
    steps = [[*PINNED, *build], [*PINNED, *project]]
    if "dev" in extras:
        steps.append(["--no-deps", "--upgrade", "--target", str(folder() / "cbor2-5"), OLDER_CBOR2])
    for words in steps:
        if not _pip(words):
            cause = cause_of(log_file().read_text(encoding="utf-8", errors="replace"))
            raise DoorError(f"pip could not install the packages: {cause}")


def cause_of(log: str) -> str:
    """Tell from the words of pip what the user must see to."""
    for sign, cause in CAUSES.items():
        if sign in log:
            return f"{cause} Then run the same command again."
    return f"the lines above say why; all of them are in {log_file()}."


def _pip(words: list[str]) -> bool:
    command = [program("python"), "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--no-input", "--progress-bar", "off", *words]
    show = ("Downloading", "Installing collected")
    return run_logged(command, log=log_file(), env=child_environment(), show=show)
