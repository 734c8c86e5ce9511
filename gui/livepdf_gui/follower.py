"""The thread that follows the daemon: it alone owns the socket; others read its newest state."""

import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
import zmq
from numpy.typing import NDArray

from livepdf.errors import SilenceError, SourceError
from livepdf.wire.client import Client
from livepdf.wire.messages import MarkRequest
from livepdf.wire.viewing import Viewing
from livepdf.wire.views import LAPSE
from livepdf_gui.deeds import done, granted, save_text, user_name, window_or_reduced
from livepdf_gui.show.columns import History, RecordedWindows, RecordingMirror
from livepdf_gui.show.reference import Reference
from livepdf_gui.show.shown import same_window
from livepdf_gui.show.state import Angles, MapDetail, State
from livepdf_gui.show.tasks import Act, Calculate, SaveCurve, Task, Zoom
from livepdf_gui.show.tuning import TuningWish

_WAIT = 0.05
"""s that one look at the network may take; wishes of the user wait no longer than this."""
_FRAME = 0.5
"""s between two looks at the newest frame."""
_RETRY = 2.0
"""s before a window that could not be had is asked for again."""
_DEEDS = ("deed", "mark", "control")
"""Subjects of complaints about what the user wanted done."""


class Follower:
    """Follows one daemon in a thread of its own, over any number of its restarts."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._state = State(endpoint=endpoint)
        self._wanted: int | None = None
        self._zoom: Zoom | None = None
        self._frame_wanted = False
        self._span_wanted: tuple[int, int] | None = None
        self._marks: list[str] = []
        self._wishes: list[TuningWish] = []
        self._tasks: list[Task] = []
        self._tried: dict[str, tuple[object, float]] = {}
        self._calculated: dict[str, tuple[Calculate, int]] = {}
        self._holding, self._renewed = False, 0.0
        self._framed = 0.0
        self._asked_angles: object = None
        self._complaints: dict[str, str] = {}
        self._seen = False
        self._published = -1
        self._stop = threading.Event()
        self._defect: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following and wait for the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def newest(self) -> State:
        """Return the newest state; raises what ended the thread, if anything did."""
        with self._lock:
            if self._defect is not None:
                raise self._defect
            return self._state

    def want(self, number: int | None) -> None:
        """Ask for one window with its σ; only the last wish counts."""
        with self._lock:
            self._wanted = number

    def watch(self, *, frame: bool, span: tuple[int, int] | None) -> None:
        """Ask for the newest frame again and again, or for windows as one; the last wish counts."""
        with self._lock:
            self._frame_wanted, self._span_wanted = frame, span

    def zoom(self, part: Zoom | None) -> None:
        """Ask for a part of a map at full resolution; only the last wish counts."""
        with self._lock:
            self._zoom = part

    def mark(self, text: str) -> None:
        """Put a note on the time axis."""
        with self._lock:
            self._marks.append(text)

    def tune(self, wish: TuningWish) -> None:
        """Ask for a change of the recipe, or for a look at one; of looks only the last counts."""
        with self._lock:
            self._wishes = [*(w for w in self._wishes if w.act != "preview"), wish]

    def ask(self, task: Task) -> None:
        """Ask for anything else, in order."""
        with self._lock:
            self._tasks.append(task)

    def complaints_seen(self) -> None:
        """Take complaints about earlier deeds away: the user goes on."""
        with self._lock:
            self._seen = True

    def forget_structures(self) -> None:
        """Take the calculated references away."""
        with self._lock:
            self._calculated.clear()
        self._change(references=())

    def _run(self) -> None:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        client = Client(self._endpoint, context=context)
        client.mirror = RecordingMirror()
        # while the daemon thinks about something, what it measures is shown all the same
        client.meanwhile = lambda: self._publish(client)
        try:
            while not self._stop.is_set():
                client.poll(_WAIT)
                self._serve(client)
                self._publish(client)
            self._let_go(client)
        except Exception as defect:  # noqa: BLE001  the top of a thread: the window ends with it
            with self._lock:
                self._defect = defect
        finally:
            client.close()
            context.term()

    def _publish(self, client: Client) -> None:
        mirror = client.mirror
        if mirror.version == self._published:
            return
        self._published = mirror.version
        windows = mirror.windows
        history = windows.freeze() if isinstance(windows, RecordedWindows) else None
        with self._lock:
            old = self._state
            heard = old.status_heard if mirror.status is old.status else time.monotonic()
            self._state = replace(
                old,
                version=old.version + 1,
                connection=mirror.connection,
                connected=mirror.connected,
                met=old.met or mirror.connected,
                snapshot=mirror.snapshot,
                status=mirror.status,
                status_heard=heard,
                events=tuple(mirror.events),
                latest=mirror.latest,
                whole=mirror.whole,
                preview=mirror.preview,
                preview_image=mirror.preview_image,
                saturated=mirror.preview_saturated,
                laser=mirror.laser,
                serial=mirror.serial,
                breakdown=mirror.breakdown,
                history=history,
            )

    def _serve(self, client: Client) -> None:
        """Do what the user asked for."""
        with self._lock:
            marks, self._marks = self._marks, []
            wishes, self._wishes = self._wishes, []
            tasks, self._tasks = self._tasks, []
            wanted, zoom = self._wanted, self._zoom
            frame, span, seen = self._frame_wanted, self._span_wanted, self._seen
            self._seen = False
        if wanted is None:
            self._forget("window")
        if not frame and span is None:
            self._forget("aside")
        if seen:
            self._forget(*_DEEDS)
        for text in marks:
            self._try(client, text)
        for wish in wishes:
            self._tune(client, wish)
        for task in tasks:
            self._carry_out(client, task)
        if not client.mirror.connected:
            self._asked_angles = None
            return
        self._keep_control(client)
        self._find_angles(client)
        self._look_aside(client)
        self._calculate_again(client)
        windows = client.mirror.windows
        if isinstance(windows, RecordedWindows):
            if wanted is not None:
                self._fetch(client, windows.freeze(), wanted)
            if zoom is not None:
                self._look_closer(client, windows.run, zoom)

    def _fetch(self, client: Client, history: History, wanted: int) -> None:
        with self._lock:
            fetched = self._state.fetched
        if fetched and same_window(fetched.span, history.span(wanted)):
            return
        if not self._due("window", wanted):
            return
        try:
            result = window_or_reduced(client, history, wanted)
        except SourceError as error:
            self._tried["window"] = (wanted, time.monotonic())
            self._settle("window", f"window {wanted}: {error}")
            return
        self._settle("window", fetched=result)

    def _look_closer(self, client: Client, run: str, zoom: Zoom) -> None:
        if not self._due("zoom", zoom):
            return
        with self._lock:
            have = self._state.detail
            if have and (have.run, have.kind) == (run, zoom.kind):
                last = have.first + have.y.shape[0]
                if have.first <= zoom.first and zoom.first + zoom.count <= last:
                    return
        self._tried["zoom"] = (zoom, time.monotonic())
        try:
            first, x, y = client.map(zoom.kind, first=zoom.first, limit=zoom.count)
        except SourceError:
            # older than the daemon's memory: the averaged map stays
            return
        self._change(detail=MapDetail(run=run, kind=zoom.kind, first=first, x=x, y=y))

    def _look_aside(self, client: Client) -> None:
        """Fetch what is wanted beside the windows: the newest frame, windows as one."""
        with self._lock:
            frame, span, state = self._frame_wanted, self._span_wanted, self._state
        run = "" if state.history is None else state.history.run
        try:
            if frame and time.monotonic() - self._framed > _FRAME:
                self._framed = time.monotonic()
                self._settle("aside", frame=Viewing(client.ask).frame())
            revision = 0 if state.status is None else state.status.revision
            wanted = None if span is None else (run, *span, revision)
            if wanted is not None and wanted != state.together_of and self._due("span", wanted):
                self._tried["span"] = (wanted, time.monotonic())
                found = Viewing(client.ask).together(run, first=wanted[1], last=wanted[2])
                self._settle("aside", together=found, together_of=wanted)
        except SourceError as error:
            self._settle("aside", str(error))

    def _due(self, kind: str, what: object) -> bool:
        tried, when = self._tried.get(kind, (None, 0.0))
        return tried != what or time.monotonic() - when > _RETRY

    def _find_angles(self, client: Client) -> None:
        """Ask once for each calibration where the pixels look, when the first image is here."""
        snapshot, image = client.mirror.snapshot, client.mirror.preview_image
        if image is None or snapshot is None:
            return
        key = (id(snapshot), image.shape, client.mirror.preview and client.mirror.preview.run)
        if key == self._asked_angles:
            return
        self._asked_angles = key
        try:
            found = Viewing(client.ask).angles()
        except SourceError:
            # a daemon without calibrated images, or of an older version: no rings then
            return
        angles = Angles(q=found.q, wavelength=found.wavelength, sectors=found.sectors)
        self._change(angles=angles)

    def _keep_control(self, client: Client) -> None:
        if not self._holding or time.monotonic() - self._renewed < LAPSE / 4:
            return
        self._renewed = time.monotonic()
        try:
            reply = Viewing(client.ask).control(user_name(), take=True)
        except SourceError as error:
            self._settle("control", f"control: {error}")
            return
        if not reply.here:
            self._holding = False
            self._settle("control", f"{reply.holder} has taken control", in_control=False)

    def _let_go(self, client: Client) -> None:
        if self._holding and client.mirror.connected:
            try:
                Viewing(client.ask).control(user_name(), take=False)
            except SourceError:
                # it lapses by itself
                return

    def _carry_out(self, client: Client, task: Task) -> None:
        try:
            match task:
                case Act():
                    self._act(client, task)
                case Calculate():
                    self._calculate(client, task)
                    self._settle("deed")
                case SaveCurve():
                    _, text = Viewing(client.ask).export(task.run, task.number, task.kind)
                    save_text(task.path, text)
                    self._settle("deed", said=f"saved {task.path}")
        except (SourceError, OSError) as error:
            self._settle("deed", str(error))

    def _act(self, client: Client, task: Act) -> None:
        if task.deed in ("take control", "force control", "leave control"):
            self._ask_control(client, task)
        else:
            self._settle("deed", **done(client, task))

    def _ask_control(self, client: Client, task: Act) -> None:
        take, force = task.deed != "leave control", task.deed == "force control"
        reply = Viewing(client.ask).control(user_name(), take=take, force=force)
        self._holding, self._renewed = reply.here, time.monotonic()
        words = ""
        if take and not reply.here:
            words = f"{reply.holder} has control; the menu Act takes it over all the same"
        self._settle("control", words, in_control=reply.here)

    def _calculate(self, client: Client, task: Calculate, *, again: bool = False) -> None:
        found = Viewing(client.ask).structure(task.name, task.text)
        reference = Reference(
            name=found.about.name,
            curves={c.kind: (c.x, c.y, _known(c.sigma)) for c in found.curves},
            scaled=True,
            bonds=tuple((bond.r, bond.elements) for bond in found.about.bonds),
            lines=found.about.reflections,
            note=found.about.note,
        )
        with self._lock:
            if again and reference.name not in self._calculated:
                return  # taken away meanwhile
            self._calculated[reference.name] = (task, found.about.revision)
            had = {r.name: r for r in self._state.references}
            self._put(references=tuple({**had, reference.name: reference}.values()))

    def _calculate_again(self, client: Client) -> None:
        """Bring what was calculated to the recipe that holds now; what cannot be brought goes."""
        now = self._revision(client)
        for name, (task, revision) in list(self._calculated.items()):
            if revision == now or not self._due(name, now):
                continue
            self._tried[name] = (now, time.monotonic())
            try:
                self._calculate(client, task, again=True)
            except SilenceError:
                continue  # it stays as it is, and is asked for again
            except SourceError as error:
                self._calculated.pop(name, None)
                with self._lock:
                    others = tuple(r for r in self._state.references if r.name != name)
                self._settle("deed", str(error), references=others)

    @staticmethod
    def _revision(client: Client) -> int:
        status = client.mirror.status
        return 0 if status is None else status.revision

    def _try(self, client: Client, text: str) -> None:
        try:
            client.ask(MarkRequest(text=text), timeout=_RETRY)
            self._settle("mark")
        except SourceError as error:
            self._settle("mark", f"the mark “{text}” was not written: {error}")

    def _tune(self, client: Client, wish: TuningWish) -> None:
        changes: dict[str, Any] = {}
        try:
            changes = granted(client.retune, wish)
        except SourceError as error:
            changes = {"refusal": str(error)}
        self._change(**changes)

    def _forget(self, *subjects: str) -> None:
        for subject in subjects:
            if self._complaints.get(subject):
                self._settle(subject)

    def _settle(self, subject: str, complaint: str = "", **changes: Any) -> None:
        """Change the state; a complaint stays until something of the same subject succeeds."""
        self._complaints[subject] = complaint
        said = dict.fromkeys(text for text in self._complaints.values() if text)
        self._change(complaint="\n".join(said), **changes)

    def _change(self, **changes: Any) -> None:
        with self._lock:
            self._put(**changes)

    def _put(self, **changes: Any) -> None:
        self._state = replace(self._state, version=self._state.version + 1, **changes)


def _known(sigma: NDArray[np.float64]) -> NDArray[np.float64] | None:
    return sigma if np.isfinite(sigma).any() else None
