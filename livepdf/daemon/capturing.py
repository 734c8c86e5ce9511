"""Captures: frames and windows that people point at become a dark, a reference, blanks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from livepdf.analysis.references.solute import SHORTEST_RANGE
from livepdf.daemon.assemble import Prepared, with_dark
from livepdf.daemon.capture import Taken, add_up, begins, save_capture
from livepdf.daemon.crystals import LEVELLING
from livepdf.daemon.dark import save_dark
from livepdf.daemon.drafts import Draft
from livepdf.daemon.earlier import by_temperature
from livepdf.daemon.lookup import Lookup, Parts, UnableError
from livepdf.daemon.pins import Pinned, pinned_file
from livepdf.daemon.results import Summed
from livepdf.wire.tuning import (
    Again,
    Applied,
    CapturedReply,
    CaptureEndRequest,
    CaptureRequest,
    CaptureWindowsRequest,
)

_MOST_WINDOWS = 100_000


class RecipeInUse(Protocol):
    """What holds now, and how it is changed."""

    prepared: Prepared

    def draft(self, changes: Mapping[str, Any]) -> Draft:
        """Return what would hold with some keys changed."""
        ...

    def apply(self, draft: Draft, again: Again, last: int) -> Applied:
        """Let a draft hold from now on, and for windows that were."""
        ...

    def pin(self, pinned: Pinned) -> None:
        """Take differences from a pattern."""
        ...


class Captures:
    """Begins and ends captures, saves them, and puts them to use where that is asked for."""

    def __init__(self, recipe: RecipeInUse, parts: Parts, find: Lookup) -> None:
        self._recipe = recipe
        self._parts = parts
        self._find = find

    def begin(self, request: CaptureRequest) -> None:
        """Take all frames from now on."""
        if request.what == "dark":
            self._parts.dark.begin()
        else:
            self._parts.capture.begin(request.what)
        self._parts.board.say("mark", begins(request.what))

    def end(self, request: CaptureEndRequest) -> CapturedReply:
        """Save what was taken; UnableError where that is nothing."""
        if self._parts.dark.active:
            return self._end_dark(request)
        what = self._parts.capture.what
        taken = self._parts.capture.end()
        if taken is None:
            raise UnableError("no frame was captured")
        self._parts.board.say("mark", f"capture of {what} ends")
        if what == "blanks":
            windows = self._find.since_mark(begins(what))
            return self._blanks(windows, request)
        return self._captured(taken, request, {})

    def _end_dark(self, request: CaptureEndRequest) -> CapturedReply:
        parts = self._parts
        dark = parts.dark.end()
        if dark is None:
            raise UnableError("no frame was captured")
        path = save_dark(dark, run=parts.board.run, folder=parts.folder)
        words = f"dark of {dark.frames} frames: {path.name}"
        if request.use:
            self._recipe.prepared = with_dark(self._recipe.prepared, dark.mean, words)
            words = (
                f"{words}; used from the next run on, as revision {self._recipe.prepared.revision}"
            )
        parts.board.say("recipe", words)
        return CapturedReply(
            file=str(path), frames=dark.frames, revision=self._recipe.prepared.revision
        )

    def windows(self, request: CaptureWindowsRequest) -> CapturedReply:
        """Save stored windows; ValueError or UnableError where they are not there."""
        if not 1 <= request.count <= _MOST_WINDOWS:
            raise ValueError(f"{request.count} windows, wanted 1 to {_MOST_WINDOWS}")
        first = self._find.after_mark(request.mark) if request.mark else request.first
        numbers = range(first, first + request.count)
        found = self._find.windows(list(numbers))
        if len(found) < request.count:
            raise UnableError(f"of windows {numbers[0]} to {numbers[-1]}, {len(found)} are there")
        windows = list(found.values())
        if request.what == "blanks":
            return self._blanks(windows, request)
        taken = Taken(
            what=request.what,
            run=windows[0].span.run,
            sums=add_up(window.sums for window in windows),
        )
        extras = {"windows": f"{numbers[0]} to {numbers[-1]}"}
        return self._captured(taken, request, extras)

    def _captured(
        self,
        taken: Taken,
        request: CaptureEndRequest | CaptureWindowsRequest,
        extras: Mapping[str, object],
    ) -> CapturedReply:
        path, _ = save_capture(
            taken,
            self._find.pipeline(self._recipe.prepared).plan,
            folder=self._parts.folder,
            extras=extras,
        )
        if request.use and taken.what == "reference":
            self._recipe.pin(pinned_file(path))
        elif request.use and taken.what == "precursor":
            self._fit_along(path, request)
        elif request.use:
            place = f"background.{len(self._recipe.prepared.settings.recipe.background)}"
            table = {"name": path.stem, "file": str(path.resolve())}
            draft = self._recipe.draft({place: table})
            self._recipe.apply(draft, request.again, request.last)
        return CapturedReply(
            file=str(path), frames=taken.sums.frames, revision=self._recipe.prepared.revision
        )

    def _fit_along(self, path: Path, request: CaptureEndRequest | CaptureWindowsRequest) -> None:
        wanted = self._recipe.prepared.settings.recipe.analysis
        if wanted is None:
            raise UnableError(
                f"saved as {path}, but nothing is fitted: name a structure under [analysis]"
            )
        changes: dict[str, object] = {
            f"analysis.precursor.{len(wanted.precursor)}": str(path.resolve())
        }
        if self._scale_is_open():
            changes["reduction.scale"] = "solute"
        self._recipe.apply(self._recipe.draft(changes), request.again, request.last)

    def _scale_is_open(self) -> bool:
        """Whether a scale and that of the solvent are both looked for in every pattern."""
        plan = self._find.pipeline(self._recipe.prepared).plan
        wide = plan.fit_q[-1] - plan.fit_q[0] >= SHORTEST_RANGE
        return bool(wide and plan.parameters.scale in LEVELLING and plan.blanks.bridged.size)

    def _blanks(
        self, windows: Sequence[Summed], request: CaptureEndRequest | CaptureWindowsRequest
    ) -> CapturedReply:
        """Save blanks by their temperature; use them as a ramp whose changes are fitted."""
        recipe = self._recipe.prepared.settings.recipe
        name = "temperature" if recipe.analysis is None else recipe.analysis.temperature
        warm = by_temperature(windows, name=name)
        plan, run = self._find.pipeline(self._recipe.prepared).plan, windows[0].span.run
        saved = [
            save_capture(
                Taken(what=f"blank-{one.temperature:.0f}", run=run, sums=one.sums),
                plan,
                folder=self._parts.folder,
                extras={"temperature": one.temperature},
            )[0]
            for one in warm
        ]
        if request.use:
            points = [
                {"temperature": one.temperature, "file": str(path.resolve())}
                for one, path in zip(warm, saved, strict=True)
            ]
            table = {"name": f"{run} blanks", "ramp": points, "match": "fit", "scale": "fit"}
            draft = self._recipe.draft({f"background.{len(recipe.background)}": table})
            self._recipe.apply(draft, request.again, request.last)
        return CapturedReply(
            file=str(saved[0]),
            frames=sum(one.sums.frames for one in warm),
            revision=self._recipe.prepared.revision,
            temperatures=tuple(one.temperature for one in warm),
        )
