"""System packages: which shared libraries Qt lacks here, and how they get in."""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.door.console import run_logged, say

OFFSCREEN = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libGL.so.1": "libgl1",
    "libfontconfig.so.1": "libfontconfig1",  # brings a font, without which Qt draws no text
}
"""What PyQt5 needs to draw without a screen: library, Debian package."""

X11 = {
    "libdbus-1.so.3": "libdbus-1-3",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
}
"""What PyQt5 needs on top to open a window."""

VIRTUAL_SCREEN = {"Xvfb": "xvfb", "xauth": "xauth"}
"""Programs that give the tests a screen of their own."""


BROWSER = {"chromium": "chromium"}
"""What looks at the web page in the tests."""


def known_libraries(ldconfig: str) -> set[str]:
    """Name the shared libraries in what ``ldconfig -p`` prints, those of 32 bit left out."""
    entries = (line.strip().partition(" ") for line in ldconfig.splitlines() if "=>" in line)
    return {name for name, _, rest in entries if "64" in rest.partition("=>")[0]}


def missing(wanted: Mapping[str, str], *, libraries: set[str]) -> list[str]:
    """List the packages of what is ``wanted`` and not here.

    A name with ``.so`` is a library: in ``libraries``, or loadable. Any other is a program.
    """
    return [package for name, package in wanted.items() if not _is_here(name, libraries)]


def libraries_here() -> set[str]:
    """Name the shared libraries that the loader of this machine lists."""
    command = shutil.which("ldconfig") or shutil.which("ldconfig", path="/sbin:/usr/sbin")
    if command is None:
        return set()
    return known_libraries(subprocess.run([command, "-p"], capture_output=True, text=True).stdout)


def install_line(packages: Sequence[str]) -> str:
    """Spell the one command that a user of Debian or Ubuntu types."""
    names = " ".join(packages)
    return f"sudo apt-get update && sudo apt-get install -y --no-install-recommends {names}"


def install(packages: Sequence[str], *, log: Path) -> bool:
    """Install ``packages`` where that is allowed; True when they are in afterwards."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    say(f"installing system packages: {' '.join(packages)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    add = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    # A mirror that is being renewed answers the first try with a stale list
    return any(
        run_logged(["apt-get", "update"], log=log, env=env) and run_logged(add, log=log, env=env)
        for _ in range(2)
    )


def _is_here(name: str, libraries: set[str]) -> bool:
    if ".so" not in name:
        return shutil.which(name) is not None
    return name in libraries or _loads(name)


def _loads(name: str) -> bool:
    """Whether the loader finds it where ldconfig does not look (LD_LIBRARY_PATH, modules)."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
