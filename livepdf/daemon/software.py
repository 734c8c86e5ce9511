"""Versions of what makes the numbers."""

import platform
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = ("livepdf", "numpy", "scipy", "numba", "pyFAI", "fabio", "h5py", "hdf5plugin", "pyzmq")


def software_versions() -> dict[str, str]:
    """Return the version of livepdf, of Python and of the packages it rests on."""
    return {"python": platform.python_version()} | {name: _version(name) for name in _PACKAGES}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed as a package"
