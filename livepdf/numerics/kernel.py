"""Compile the loops, and keep what was compiled only as long as no source of them changed."""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function that runs without the interpreter's lock, and keep it on disk.

    numba looks for changes only in the file of the function itself, while a loop also contains
    code of other files. Here a change of any file with loops makes what was kept void. Where
    nothing can be written, or numba keeps its files in another way, it is compiled at each start.
    """
    return _compiled(function)


def inner(function: Callable[..., Any]) -> Any:
    """Do the same for a function that is called by kernels alone, which saves time compiling."""
    return _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def _compiled(function: Callable[..., Any], **options: bool) -> Any:
    try:
        compiled = njit(nogil=True, cache=True, **options)(function)
        files = compiled._cache._cache_file
        files._source_stamp = (files._source_stamp, sources_digest())
    except (RuntimeError, AttributeError):
        return njit(nogil=True, **options)(function)
    return compiled


def keeps_on_disk() -> bool:
    """Return whether compiled loops are kept, so that the next start is quick."""
    return bool(_probe.stats.cache_path)


@cache
def sources_digest() -> str:
    """Return a fingerprint of all the files of this folder that hold loops or what they call."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        source = path.read_bytes()
        if b"livepdf.numerics.kernel" in source or b"llvmlite" in source:
            digest.update(path.name.encode() + source)
    return digest.hexdigest()


@kernel
def _probe() -> int:
    return 0
