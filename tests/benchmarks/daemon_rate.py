"""The whole daemon and a detector as processes of this machine: the rate it keeps, its lag, losses.

``python -m tests.benchmarks daemon``, or this module by itself for other cameras and rates.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.daemon.loops import Loops, Purpose, compile_loops
from livepdf.reduction.integrator import build_integrator
from livepdf.simulate.powder import CAMERAS
from livepdf.wire.client import Client
from tests.benchmarks.settings import write_settings
from tests.benchmarks.sustained import RATE, Knee, Sustained

SECONDS = 60.0
KNEE_RATES, KNEE_SECONDS = (325.0, 400.0, 450.0, 500.0, 550.0), 12.0
PATIENCE = 600.0
"""s that the detector waits for the daemon, which may have to compile first."""
SLACK = 120.0
"""s beyond the length of a series after which the measurement is given up."""
SETTLED = 2.0
"""s of a series after which a viewer has joined for certain."""
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class _Seen:
    """What a viewer and a look into /proc told while the series ran."""

    arrivals: dict[int, float] = field(default_factory=dict)
    """When each window was first seen, Unix s, by its last frame."""
    queue: int = 0
    cpu: float = 0.0
    detector_cpu: float = 0.0
    elsewhere: float = 0.0
    """Cores."""
    memory: int = 0


def daemon_rate() -> Iterator[Sustained | Knee]:
    """Measure the top rate of the detector for a minute, then look for the knee."""
    row = sustain(rate=RATE, seconds=SECONDS)
    yield row
    best = RATE if row.kept else 0.0
    end = None if row.kept else RATE
    for rate in KNEE_RATES if row.kept else ():
        row = sustain(rate=rate, seconds=KNEE_SECONDS)
        yield row
        if not row.kept:
            end = rate
            break
        best = rate
    yield Knee(work="pilatus-2m: knee of the daemon", kept=best, not_kept=end)


def sustain(
    *,
    rate: float,
    seconds: float,
    camera: str = "pilatus-2m",
    workers: int = 2,
    limits: str = "",
    beside: str = "",
    patience: float = PATIENCE,
) -> Sustained:
    """Send one series to a daemon of its own.

    Parameters
    ----------
    limits : str
        More lines for that table of the profile.
    beside : str
        A command to run meanwhile, ``{pid}`` in it the daemon's, e.g. a profiler's.
    patience : float, s
        That the detector waits for the daemon.

    Raises
    ------
    RuntimeError
        When one of the two gives up or is not done in time: nothing was measured.
    """
    frames = round(rate * seconds)
    _warm(camera)
    limit = PATIENCE + seconds + 2 * SLACK
    seen = _Seen()
    with tempfile.TemporaryDirectory(prefix="livepdf-rate-") as name, ExitStack() as running:
        folder = Path(name)
        detector = _detector(folder, camera=camera, rate=rate, frames=frames, patience=patience)
        running.enter_context(_killed_after(limit, detector))
        endpoint = _line(detector, "bound")
        write_settings(folder, endpoint=endpoint, camera=camera, workers=workers, limits=limits)
        daemon = _daemon(folder)
        running.enter_context(_killed_after(limit, daemon))
        try:
            address = _line(daemon, "ready")
            other = _beside(beside, daemon.pid)
            _begin(detector)
            _watch(address, daemon, detector, seen, seconds=seconds + SLACK)
            books = json.loads(daemon.communicate(timeout=SLACK)[0])["counters"]
            sent = json.loads(detector.communicate(timeout=SLACK)[0])
        except (RuntimeError, ValueError, subprocess.TimeoutExpired) as error:
            raise RuntimeError(_last_words(daemon, detector, str(error))) from error
        for profiler in other:
            profiler.wait()
        times = np.loadtxt(folder / "times.txt", ndmin=1)
    return _row(
        f"{camera}: daemon at {rate:.0f} Hz, {seconds:.0f} s", rate, seen, times, books, sent
    )


def _warm(camera: str) -> None:
    """Compile what the daemon needs now: it would else do so while it is measured."""
    chosen = CAMERAS[camera]
    example = build_integrator(chosen.geometry(), npt=2000)
    dtype = np.dtype(chosen.dtype)
    purposes: tuple[Purpose, ...] = ("one", "view", "many")
    for purpose in purposes:
        compile_loops(example, Loops(f"{dtype.kind}{dtype.itemsize}", purpose))


@contextmanager
def _killed_after(seconds: float, *processes: "subprocess.Popen[str]") -> Iterator[None]:
    """Kill processes that hang, so that whoever waits for their words gets an end of file."""
    watchdog = threading.Timer(seconds, lambda: [process.kill() for process in processes])
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()
        for process in processes:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                # What a detector that gave up never read cannot be written any more.
                with suppress(BrokenPipeError):
                    if pipe is not None:
                        pipe.close()


def _detector(
    folder: Path, *, camera: str, rate: float, frames: int, patience: float
) -> "subprocess.Popen[str]":
    words = [sys.executable, "-m", "tools.detectors.dectris_v2", "--camera", camera, "--drop"]
    words += ["--rate", str(rate), "--frames", str(frames)]
    words += ["--times", str(folder / "times.txt"), "--wait", str(patience), "--hold"]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _begin(detector: "subprocess.Popen[str]") -> None:
    """Let the series begin: a detector is armed when all that is to follow it is ready."""
    assert detector.stdin is not None
    # One that has given up is noticed later.
    with suppress(OSError):
        detector.stdin.write("begin\n")
        detector.stdin.flush()


def _daemon(folder: Path) -> "subprocess.Popen[str]":
    words = [sys.executable, "-m", "livepdf.cli.main", "run"]
    words += [str(folder / "profile.toml"), "--recipe", str(folder / "recipe.toml")]
    words += ["--requests", "tcp://127.0.0.1:0", "--out", str(folder / "out")]
    words += ["--runs", "1", "--json"]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def _beside(command: str, pid: int) -> "list[subprocess.Popen[bytes]]":
    words = command.format(pid=pid).split()
    return [subprocess.Popen(words)] if words else []


def _line(process: "subprocess.Popen[str]", word: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(f"{word} "):
            return line.split()[1]
    raise RuntimeError(f"no {word!r} line: exit code {process.wait()}, see its errors above")


def _watch(
    address: str,
    daemon: "subprocess.Popen[str]",
    detector: "subprocess.Popen[str]",
    seen: _Seen,
    *,
    seconds: float,
) -> None:
    with closing(Client(address)) as client:
        _follow(client, daemon, detector, seen, seconds=seconds)


def _follow(
    client: Client,
    daemon: "subprocess.Popen[str]",
    detector: "subprocess.Popen[str]",
    seen: _Seen,
    *,
    seconds: float,
) -> None:
    looked = 0.0
    # Both were busy getting ready: that is not counted.
    before, detector_before = _cpu(daemon.pid), _cpu(detector.pid)
    began, busy, own = time.time(), _busy(), time.process_time()
    while daemon.poll() is None and not _over(client):
        client.poll(0.1)
        now = time.time()
        if detector.poll():
            raise RuntimeError("the detector gave up")
        if now - began > seconds:
            raise RuntimeError(f"no end within {seconds:.0f} s")
        windows, status = client.mirror.windows, client.mirror.status
        if windows is not None:
            for span in windows.spans[len(seen.arrivals) :]:
                if span is not None:
                    seen.arrivals.setdefault(span.last, now)
        if status is not None:
            seen.queue = max(seen.queue, status.queue_bytes)
        if now - looked > 1.0:
            looked = now
            seen.cpu = max(seen.cpu, _cpu(daemon.pid) - before)
            seen.detector_cpu = max(seen.detector_cpu, _cpu(detector.pid) - detector_before)
            ours = seen.cpu + seen.detector_cpu + time.process_time() - own
            seen.elsewhere = max(0.0, (_busy() - busy - ours) / (now - began))
            seen.memory = _memory(daemon.pid) or seen.memory


def _last_words(
    daemon: "subprocess.Popen[str]", detector: "subprocess.Popen[str]", why: str
) -> str:
    codes = [
        f"{name}: {'still running' if (code := process.poll()) is None else f'exit code {code}'}"
        for name, process in (("daemon", daemon), ("detector", detector))
    ]
    return f"{why} ({', '.join(codes)}); their own words are above"


def _over(client: Client) -> bool:
    return any(event.kind == "run end" for event in client.mirror.events)


def _row(
    work: str,
    rate: float,
    seen: _Seen,
    times: NDArray[np.float64],
    books: dict[str, Any],
    sent: dict[str, float],
) -> Sustained:
    # A frame that was dropped has no time: then the lags are of no interest either.
    settled = times[0] + min(SETTLED, 0.3 * sent["seconds"])
    chosen = [(last, at) for last, at in seen.arrivals.items() if at > settled]
    lags = [at - times[min(last, len(times) - 1)] for last, at in chosen] or [float("nan")]
    span = max((at for _, at in chosen), default=0.0) - min((at for _, at in chosen), default=0.0)
    return Sustained(
        work=work,
        rate=rate,
        reached=sent["sent"] / sent["seconds"],
        dropped=int(sent["dropped"]),
        late=sent["late"],
        received=books["received"],
        used=books["used"],
        refused=sum(books["refused"].values()),
        lost=books["lost"],
        queue=seen.queue / 2**20,
        lags=(float(np.median(lags)), float(np.quantile(lags, 0.99)), max(lags)),
        windows=(len(chosen) - 1) / span if span else 0.0,
        cpu=seen.cpu / sent["seconds"],
        detector_cpu=seen.detector_cpu / sent["seconds"],
        elsewhere=seen.elsewhere,
        memory=seen.memory / 2**20,
        blob=int(sent["bytes"]),
    )


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK


def _busy() -> float:
    """Return the CPU time of the whole machine, s, that which its host took away included."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    idle = int(fields[3]) + int(fields[4])
    return (sum(map(int, fields[:8])) - idle) / _TICK


def _memory(pid: int) -> int:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGESIZE")


def main() -> None:
    """Measure one rate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--camera", default="pilatus-2m")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--limits", default="", help="more lines for [limits]")
    parser.add_argument("--beside", default="", help="a command for meanwhile; {pid}: the daemon")
    chosen = vars(parser.parse_args())
    sys.stdout.write(f"{sustain(**chosen).line()}\n")


if __name__ == "__main__":
    main()
