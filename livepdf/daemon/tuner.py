"""Requests that need thought, one after the other in a thread of its own: nothing else waits."""

import logging
import queue
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
from numpy.typing import NDArray

from livepdf.daemon.assemble import Pipeline, Prepared, retuned
from livepdf.daemon.capturing import Captures
from livepdf.daemon.drafts import (
    Draft,
    change_words,
    draft_plan,
    look,
    make_draft,
    recipe_keys,
    reloaded,
)
from livepdf.daemon.fence import inside_or_error
from livepdf.daemon.headers import with_reduction_of
from livepdf.daemon.lookup import PATIENCE, Lookup, Parts, UnableError
from livepdf.daemon.pins import Pin, Pinned, PinnedPattern, pinned_file, pinned_text
from livepdf.daemon.publish import curve_buffers
from livepdf.daemon.redo import Job
from livepdf.errors import ConfigError, FileError
from livepdf.model.sums import intensity
from livepdf.numerics.adhoc import ScaleKind
from livepdf.reduction.difference import reference_plan
from livepdf.reduction.plan import Plan
from livepdf.sinks.nexus import Revised
from livepdf.wire.messages import Done, Refused
from livepdf.wire.tuning import (
    Again,
    Applied,
    ApplyRequest,
    CancelRequest,
    CaptureEndRequest,
    CaptureRequest,
    CaptureWindowsRequest,
    FreezeRequest,
    PinRequest,
    Preview,
    PreviewRequest,
    RecipeReply,
    RecipeRequest,
    TuningRequest,
    UndoRequest,
    UnpinRequest,
)

log = logging.getLogger(__name__)
Answer = tuple[msgspec.Struct, list[NDArray[Any]]]

_MOST_UNDONE = 100


@dataclass(frozen=True, slots=True)
class Reload:
    """The recipe file is to be read again: asked for by a signal, never over the wire."""


class Tuner:
    """Answers requests about recipe, references and captures."""

    def __init__(self, prepared: Prepared, parts: Parts) -> None:
        self.prepared = prepared
        """What new runs are made from; replaced as a whole."""
        self._parts = parts
        self._find = Lookup(parts)
        self._captures = Captures(self, parts, self._find)
        self._tasks: queue.Queue[tuple[TuningRequest | Reload, Future[Answer]] | None] = (
            queue.Queue()
        )
        self._past: list[Prepared] = []
        """What held before, for undo."""
        self._pinned: Pinned | None = None
        self._looked: tuple[str, bool, Plan] | None = None
        """The plan of the last draft: the same draft is asked for again and again."""

    def ask(self, request: TuningRequest) -> "Future[Answer]":
        """Hand over a request; never waits."""
        answer: Future[Answer] = Future()
        self._tasks.put((request, answer))
        return answer

    def reload(self) -> "Future[Answer]":
        """Let the recipe be what its file says now; what is wrong with it is the answer."""
        answer: Future[Answer] = Future()
        self._tasks.put((Reload(), answer))
        return answer

    def stop(self) -> None:
        """Let `run` return once what was asked is answered."""
        self._tasks.put(None)

    def run(self) -> None:
        """Answer until `stop`."""
        while (task := self._tasks.get()) is not None:
            request, answer = task
            try:
                answer.set_result(self._answer(request))
            except ConfigError as error:
                answer.set_result(_refused("wrong settings", error))
            except (FileError, ValueError, OSError, TimeoutError) as error:
                answer.set_result(_refused("failed", error))
            except UnableError as error:
                answer.set_result(_refused("not there", error))
            except Exception as error:
                # Whatever a request brings about, frames go on being received.
                log.exception("a request failed by a defect: %.200r", request)
                answer.set_result(_refused("failed", error))

    def _answer(self, request: TuningRequest | Reload) -> Answer:
        match request:
            case Reload():
                return self.apply(reloaded(self.prepared.settings), "none", 0), []
            case RecipeRequest():
                return self._recipe(), []
            case PreviewRequest():
                return self._preview(request)
            case ApplyRequest():
                draft = self.draft(request.changes)
                return self.apply(draft, request.again, request.last), []
            case UndoRequest():
                return self._undo(request), []
            case CancelRequest():
                self._parts.reworker.cancel()
            case FreezeRequest():
                return self._freeze(request), []
            case PinRequest():
                self.pin(self._pattern_of(request))
            case UnpinRequest():
                self._unpin()
            case CaptureRequest():
                self._captures.begin(request)
            case CaptureEndRequest():
                return self._captures.end(request), []
            case CaptureWindowsRequest():
                return self._captures.windows(request), []
        return Done(), []

    def _recipe(self) -> RecipeReply:
        settings = self.prepared.settings
        return RecipeReply(
            revision=self.prepared.revision,
            text=settings.recipe_text,
            keys=recipe_keys(settings.recipe),
            pinned="" if self._pinned is None else self._pinned.words,
            capturing="dark" if self._parts.dark.active else self._parts.capture.what,
        )

    def _preview(self, request: PreviewRequest) -> Answer:
        pipeline, window = self._find.pipeline(self.prepared), self._find.window(request.number)
        draft = self.draft(request.changes)
        plan = self._plan_of(draft, pipeline, errors=request.sigma)
        curves, trends = look(plan, window, bond=draft.bond)
        headers, arrays = curve_buffers(curves)
        reply = Preview(
            span=window.span,
            curves=headers,
            trends=trends,
            sigma_pending=plan.variance is None,
            changed=draft.words,
            advice=draft.advice,
        )
        return reply, list(arrays)

    def draft(self, changes: Mapping[str, Any]) -> Draft:
        """Return what would hold with some keys changed; ConfigError where they are wrong."""
        return make_draft(self.prepared.settings, changes, fence=self._parts.folder)

    def _plan_of(self, draft: Draft, pipeline: Pipeline, *, errors: bool) -> Plan:
        text = draft.settings.recipe_text
        if self._looked is not None and self._looked[0] == text:
            known, with_errors, plan = self._looked
            if known == text and (with_errors or not errors):
                return plan
        plan = draft_plan(draft, pipeline, errors=errors)
        self._looked = (text, errors, plan)
        return plan

    def apply(self, draft: Draft, again: Again, last: int) -> Applied:
        """Let a draft hold from now on, and for windows that were."""
        if not draft.words:
            raise UnableError("nothing would change")
        # Plans are large: a recipe that comes back gets a new one.
        before = replace(self.prepared, pipeline=None)
        past = [*self._past, before][-_MOST_UNDONE:]
        return self._put_in_place(draft, again, last, past=past)

    def _undo(self, request: UndoRequest) -> Applied:
        if not self._past:
            raise UnableError("there is no recipe before this one")
        former = self._past[-1]
        words = change_words(self.prepared.settings.recipe, former.settings.recipe)
        settings = replace(former.settings, profile_text=self.prepared.settings.profile_text)
        draft = Draft(settings=settings, sample=former.sample, words=f"undo: {words}")
        return self._put_in_place(draft, request.again, request.last, past=self._past[:-1])

    def _put_in_place(
        self, draft: Draft, again: Again, last: int, *, past: list[Prepared]
    ) -> Applied:
        parts = self._parts
        if parts.store.failing:
            raise UnableError("results are not saved now: make room on the disk first")
        before, revision = self.prepared, self.prepared.revision + 1
        tuned = self._tuned(draft, revision)
        pin = None
        if tuned is not None and self._pinned is not None:
            pin = self._pinned.on(tuned.plan)
        parts.reworker.cancel()
        scope = {"none": "from now on", "last": f"the last {last} windows and on"}
        reach = scope.get(again, "the whole run")
        revised = Revised(
            number=revision,
            time=time.time(),
            changes=f"{draft.words} ({reach})",
            recipe=draft.settings.recipe_text,
        )
        known = before.pipeline
        if known is not None and tuned is not None:
            known = with_reduction_of(known, tuned)
        self.prepared = replace(
            before,
            settings=draft.settings,
            sample=draft.sample,
            pipeline=known,
            revision=revision,
        )
        self._past, self._looked = past, None
        first, number = self._switch(tuned, revised, pin, again, last)
        parts.board.say("recipe", f"revision {revision}: {revised.changes}")
        return Applied(
            revision=revision,
            changed=draft.words,
            again=0 if first < 0 else number - first,
            advice=draft.advice,
        )

    def _switch(
        self, tuned: Pipeline | None, revised: Revised, pin: Pin | None, again: Again, last: int
    ) -> tuple[int, int]:
        """Let the outlet change over, then send stored windows; return their first and end."""
        if tuned is None:
            self._parts.board.revision = revised.number
            return -1, 0
        outlet, board = self._parts.outlet, self._parts.board

        def change_over() -> tuple[int, int, str]:
            windows = board.windows
            first = {"none": -1, "last": max(0, windows - last)}.get(again, 0)
            first = first if first < windows else -1
            outlet.pin = pin if pin is not None or self._pinned is None else outlet.pin
            number = outlet.retune(tuned, revised=revised, first=first)
            if outlet.pin is not None and outlet.pipeline is tuned:
                self._parts.store.put(outlet.pin.reference())
            return first, number, self._parts.history.run

        first, number, run = outlet.between(change_over).result(PATIENCE)
        if first >= 0 and outlet.pipeline is not None:
            job = Job(
                pipeline=outlet.pipeline, pin=outlet.pin, run=run, first=first, last=number - 1
            )
            self._parts.reworker.start(job)
        return first, number

    def _tuned(self, draft: Draft, revision: int) -> Pipeline | None:
        base = self._parts.outlet.pipeline or self.prepared.pipeline
        if base is None:
            return None
        return retuned(base, settings=draft.settings, sample=draft.sample, revision=revision)

    def _freeze(self, request: FreezeRequest) -> Applied:
        window = self._find.window(request.number)
        value, sigma = intensity(window.sums)
        kind: ScaleKind = request.kind
        plan = reference_plan(
            self._find.pipeline(self.prepared).plan,
            intensity=value,
            sigma=sigma,
            kind=kind,
            revision=self.prepared.revision,
        )
        changes = {
            "reduction.scale": "reference",
            "reduction.scale_value": plan.parameters.scale_value,
            "reduction.scale_sigma": plan.parameters.scale_sigma,
        }
        draft = self.draft(changes)
        words = f"{draft.words}, scale of window {window.span.number}"
        return self.apply(replace(draft, words=words), request.again, request.last)

    def _pattern_of(self, request: PinRequest) -> Pinned:
        if request.text:
            return pinned_text(request.text, name=Path(request.file).name)
        if request.file:
            folder = self._parts.folder
            return pinned_file(inside_or_error(folder / request.file, folder))
        window = self._find.window(request.number)
        value, sigma = intensity(window.sums)
        return PinnedPattern(
            words=f"window {window.span.number} of {window.span.run}",
            run=window.span.run,
            number=window.span.number,
            q=self._find.pipeline(self.prepared).plan.q,
            intensity=value,
            sigma=sigma,
        )

    def pin(self, pinned: Pinned) -> None:
        """Take differences from a pattern from now on."""
        if self._parts.store.failing:
            raise UnableError("results are not saved now: make room on the disk first")
        self._set_pin(pinned, pinned.on(self._find.pipeline(self.prepared).plan))
        self._parts.board.say("recipe", f"differences are taken from {pinned.words}")

    def _unpin(self) -> None:
        self._set_pin(None, None)
        self._parts.board.say("recipe", "no differences are taken any more")

    def _set_pin(self, pinned: Pinned | None, pin: Pin | None) -> None:
        parts = self._parts
        self._pinned = pinned

        def change_over() -> None:
            parts.outlet.pin = pin
            if pin is not None:
                parts.store.put(pin.reference())

        parts.outlet.between(change_over).result(PATIENCE)
        parts.history.compare(pin)
        newest = parts.history.newest()
        if newest is not None:
            parts.publisher.result(newest)


def _refused(why: str, error: Exception) -> Answer:
    text = str(error) or type(error).__name__
    return Refused(why=why, text=text[:4000]), []  # type: ignore[arg-type]
