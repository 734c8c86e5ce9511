"""Compile the loops, and keep what was compiled only as long as no source of them changed."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit
from numba.core import event

_COMPILING = "numba:compile"


class NotCompiledError(Exception):
    """A loop is not on disk, and nothing may be compiled now."""


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
    return bool(kept_where())


def kept_where() -> str:
    """Return the folder that this folder's compiled loops are kept in; empty for none."""
    return str(_probe.stats.cache_path or "")


@contextmanager
def told_of_compiling(tell: Callable[[], None]) -> Iterator[None]:
    """Call ``tell`` whenever a loop begins to be compiled, and not when it is found on disk."""
    with event.install_listener(_COMPILING, _Listener(tell)):
        yield


@contextmanager
def nothing_compiled() -> Iterator[None]:
    """Let whatever would compile a loop raise :class:`NotCompiledError`, in any thread."""

    def refuse() -> None:
        raise NotCompiledError

    with told_of_compiling(refuse):
        yield


class _Listener(event.Listener):
    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell

    def on_start(self, event: object) -> None:  # noqa: ARG002
        self._tell()

    def on_end(self, event: object) -> None:
        """Hear of nothing: only the beginning is of interest."""


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
