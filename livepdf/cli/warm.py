"""What of the compiled loops is on disk, and how to put the rest there before it is needed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from livepdf.daemon.loops import Loops
    from livepdf.numerics.binning import Splitting
    from livepdf.reduction.integrator import Integrator

_SPLITTINGS: "dict[Splitting, str]" = {"no": "whole pixels", "full": "split pixels"}
"""Both ways of splitting run the same loops."""


@contextmanager
def compiling_said() -> Iterator[None]:
    """Say once on standard error when something must be compiled: it takes its time."""
    from livepdf.numerics.kernel import told_of_compiling

    said = False

    def say() -> None:
        nonlocal said
        if not said:
            said = True
            text = "compiling loops for this processor, once after an install or update: up to a"
            click.echo(f"{text} minute; livepdf doctor --warm does it beforehand", err=True)

    with told_of_compiling(say):
        yield


def cold_loops() -> list[str]:
    """Return what would have to be compiled, in words; nothing is compiled to find out."""
    from livepdf.daemon.loops import cold
    from livepdf.numerics.kernel import NotCompiledError, nothing_compiled

    found = []
    for splitting, words in _SPLITTINGS.items():
        try:
            with nothing_compiled():
                example = _example(splitting)
        except NotCompiledError:
            found += [f"{words}: {step}" for step in _steps(splitting)]
        else:
            found += [f"{words}: {step}" for step in cold(example, _steps(splitting))]
    return found


def compile_all(say: Callable[[str], None]) -> None:
    """Compile everything that is not on disk; ``say`` is told each step before it."""
    from livepdf.daemon.loops import cold, compile_loops

    total, number = sum(len(_steps(splitting)) for splitting in _SPLITTINGS), 0
    for splitting, words in _SPLITTINGS.items():
        say(f"compiling loops {number + 1} of {total}: {words}")
        example = _example(splitting)
        for step in _steps(splitting):
            number += 1
            for _ in cold(example, [step]):
                say(f"compiling loops {number} of {total}: {words}: {step}")
                compile_loops(example, step)


def _steps(splitting: "Splitting") -> "list[Loops]":
    from livepdf.daemon.loops import in_order

    # The preview is the same for both.
    return [s for s in in_order(("i4",)) if s.purpose != "view" or splitting == "no"]


def _example(splitting: "Splitting") -> "Integrator":
    from livepdf.reduction.integrator import build_integrator
    from livepdf.simulate.powder import CAMERAS

    return build_integrator(CAMERAS["pilatus-100k"].geometry(), npt=2000, split=splitting)
