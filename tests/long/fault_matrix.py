"""Every row of the design's "when things go wrong", done to real daemons; prints a table.

``python -m tests.long.fault_matrix [words of the rows wanted]``. A full disk and a file system that
hangs need root (a tmpfs; an ext4 in a file, frozen); without, these rows say so.
"""

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py

from livepdf.model.status import Counters
from livepdf.wire.client import Client
from livepdf.wire.tuning import ApplyRequest
from tests.daemon import beamline
from tests.long.beam_and_sample import DETECTOR, GOOD, RECIPE, TROUBLES, write_cell
from tests.long.fault_bench import running
from tests.long.mounts import full_disk, hanging_disk, read_only_disk
from tests.sources.hostile import PROTOCOLS, changed
from tests.system.daemon import Daemon, Detector
from tests.system.faults import Books, Fault, Gain
from tests.system.file_faults import Writer, directory_profile, file_faults, hanging
from tests.system.nursery import Nursery
from tests.system.stream_faults import QUALITY, stream_faults

Row = tuple[str, str, Counters | None]
"""What was injected, what was seen, and the books at its end."""


def streams(folder: Path, nursery: Nursery) -> Iterator[Row]:
    """DECTRIS Stream V2, whatever may be wrong with it."""
    with running(folder, nursery, more=QUALITY) as bench:
        for fault in stream_faults(bench.sender):
            yield (
                f"stream: {fault.name}",
                str(fault.gain),
                bench.books.check(fault, bench.sender.whole),
            )
        bench.stop()


def files(folder: Path, nursery: Nursery) -> Iterator[Row]:
    """Image files, whatever may be wrong with them."""
    profile, recipe = beamline.write_settings(folder, window="frames = 1")
    directory_profile(profile, folder)
    writer = Writer(folder / "images")
    with Daemon(profile, recipe, "--out", str(folder / "out"), nursery=nursery) as daemon:
        client = Client(daemon.address())
        books = Books(client)
        for fault in file_faults(writer):
            yield f"file: {fault.name}", str(fault.gain), books.check(fault, writer.whole)
        with hanging(writer.next()):
            gain = Gain(refused={"reader hung": 1})
            hangs = Fault(name="hangs its reader", inject=lambda: None, gain=gain)
            yield f"file: {hangs.name}", str(gain), books.check(hangs, writer.whole)
        client.close()


def protocols(folder: Path, nursery: Nursery) -> Iterator[Row]:
    """Two hundred damaged messages among good ones, of every protocol over a pushed socket."""
    for name, protocol in PROTOCOLS.items():
        place = folder / name.replace(" ", "-")
        place.mkdir()
        yield _damaged(place, nursery, name, protocol.settings)


def _damaged(folder: Path, nursery: Nursery, name: str, settings: dict[str, object]) -> Row:
    protocol, chance = PROTOCOLS[name], random.Random(1)
    with Detector() as detector:
        profile, recipe = beamline.write_settings(folder, port=detector.port, known_shape=False)
        before, _, rest = profile.read_text().partition("[source]")
        lines = [f'kind = "{name.partition(" ")[0]}"', "gap_timeout = 0.4", "idle_timeout = 5.0"]
        lines += [f'endpoint = "tcp://127.0.0.1:{detector.port}"', *_toml(settings)]
        profile.write_text(before + "\n".join(["[source]", *lines, rest[rest.index("[det") :]]))
        with Daemon(profile, recipe, "--out", str(folder / "out"), nursery=nursery) as daemon:
            client = Client(daemon.address())
            books = Books(client)
            for number in range(400):
                if number % 50 == 0:
                    for parts in protocol.start():
                        detector.push(parts)
                good = protocol.image(number % 50 if protocol.start() else number)
                if sent := changed(good, chance) if number % 2 else good:
                    detector.push(sent)  # of some nothing is left
            time.sleep(1.0)  # the sender pauses, longer than any gap is waited for
            settled = books.until(lambda s: s.counters.received > 300 and not s.counters.waiting)
            for parts in [*protocol.start(), *(protocol.image(1000 + n) for n in range(3))]:
                detector.push(parts)
            used = settled.counters.used
            last = books.until(lambda s: s.counters.used >= used + 3 and not s.counters.waiting)
            client.close()
    reasons = ", ".join(f"{n} {reason}" for reason, n in last.counters.refused.items())
    return f"{name}: 200 of 400 messages damaged", f"refused: {reasons}", last.counters


def _toml(settings: dict[str, object]) -> Iterator[str]:
    for key, value in settings.items():
        if isinstance(value, dict):
            pairs = ", ".join(f'{name} = "{text}"' for name, text in value.items())
            yield f"{key} = {{ {pairs} }}"
        else:
            yield f'{key} = "{value}"'
    if "image" in settings:
        yield 'pattern = "pull"'


def too_slow(folder: Path, nursery: Nursery) -> Iterator[Row]:
    """A sender that is faster than the workers."""
    with running(folder, nursery, queue_mib=1, limits="workers = 1") as bench:
        bench.sender.begin()
        with ThreadPoolExecutor(1) as pool:
            # On a busy machine the sender is the slower one for a while.
            said = pool.submit(bench.problem, "slower than the detector")
            while not said.done():
                bench.send(1000)
        yield "consumer too slow", said.result(), bench.used(bench.sent)
        bench.stop()
        assert bench.windows() == list(range(bench.sent))


def disk_is_full(folder: Path, nursery: Nursery) -> Iterator[Row]:
    """Results on a disk of 100 MB, whose rest somebody else fills, and empties again."""
    with full_disk(folder / "out", megabytes=100) as fill, running(folder, nursery) as bench:
        bench.sender.begin()
        bench.send(50)
        bench.used(50)
        fill(60)
        bench.send(50)
        said = bench.problem("not saved")
        yield "disk full", said, bench.used(100)
        fill(0)
        bench.send(50)
        bench.used(150)
        bench.books.until(lambda s: not any("not saved" in p for p in s.problems))
        bench.stop()
        assert bench.windows() == list(range(150))
        yield "… and has room again", "all 150 windows are in files", None


def disk_hangs(folder: Path, nursery: Nursery) -> Iterator[Row]:
    """A file system that does not answer, as a dead file server."""
    with (
        hanging_disk(folder / "out") as freeze,
        running(folder, None, output="journal = true") as bench,
    ):
        bench.sender.begin()
        bench.send(50)
        bench.used(50)
        with freeze():
            bench.send(100)
            yield "file system hangs, journal on", bench.problem("hung"), bench.used(150)
        bench.send(50)
        yield "… and answers again", "", bench.used(200)
        bench.stop()
        assert bench.windows() == list(range(200))


def output_read_only(folder: Path, nursery: Nursery) -> Iterator[Row]:
    """Results go where nobody may write, until somebody may."""
    with read_only_disk(folder / "out") as allow, running(folder, nursery) as bench:
        bench.sender.begin()
        bench.send(50)
        said = bench.problem("not saved")
        yield "read-only output", said, bench.used(50)
        allow()
        bench.send(50)
        bench.used(100)
        bench.books.until(lambda s: not any("not saved" in p for p in s.problems))
        bench.stop()
        assert bench.windows() == list(range(100))
        yield "… and may be written to again", "all 100 windows are in files", None


def beam_and_sample(folder: Path, nursery: Nursery) -> Iterator[Row]:
    """Beam, cell and sample are not as they were: a flag with its number, and frames that stay."""
    for wrong in TROUBLES:
        place = folder / wrong.flag.replace(" ", "-")
        place.mkdir()
        write_cell(place)
        with running(place, nursery, detector=DETECTOR, more=RECIPE) as bench:
            bench.sender.begin()
            stretches = (GOOD,) * 20, (wrong,) * len(wrong.cell), (GOOD,) * 5
            frames = [(of, n) for stretch in stretches for n, of in enumerate(stretch)]
            for index, (of, number) in enumerate(frames):
                detector, picture = bench.sender.detector, of.image(index, number % len(of.cell))
                detector.image(bench.sender.series, index, picture)
            bench.sender.end()
            counters = bench.used(len(frames))
            bench.stop()
            found = _flagged(bench.out)
        # Drift is looked for every ten frames, and holds until it is looked for again.
        late = 5 if wrong.flag == "background drift" else 0
        wanted = range(20, 20 + len(wrong.cell) + late)
        assert found.keys() <= set(wanted), (wrong.name, found)
        assert any(wrong.flag in flags for flags in found.values()), (wrong.name, found)
        yield (
            wrong.name,
            f"{len(found)} flagged: {', '.join(sorted(set().union(*found.values())))}",
            counters,
        )


def _flagged(out: Path) -> dict[int, set[str]]:
    found = {}
    for path in out.rglob("*.nxs"):
        with h5py.File(path) as file:
            for n, flags in zip(
                file["entry/windows/number"], file["entry/quality/flags"], strict=True
            ):
                if flags:
                    found[int(n)] = set(flags.decode().split(", "))
    return found


def output_goes(folder: Path, nursery: Nursery) -> Iterator[Row]:
    """The directory of the results is deleted, moved, replaced by a file, locked."""

    def deleted(out: Path) -> None:
        shutil.rmtree(out)

    def moved(out: Path) -> None:
        out.rename(out.with_name("elsewhere"))

    def replaced(out: Path) -> None:
        out.rename(out.with_name("elsewhere"))
        out.write_text("not a directory")

    for name, take_away in (("deleted", deleted), ("moved", moved), ("replaced", replaced)):
        place = folder / name
        place.mkdir()
        with running(place, nursery) as bench:
            bench.sender.begin()
            bench.send(20)
            bench.used(20)
            bench.books.until(lambda _, out=bench.out: bool(list(out.glob("*.nxs"))), "a file")  # type: ignore[misc]
            take_away(bench.out)
            bench.send(20)
            counters = bench.used(40)
            if name == "replaced":
                bench.problem("not saved")
                bench.out.unlink()
            bench.books.until(lambda _, b=bench: any("while it was" in e for e in b.books.events()))  # type: ignore[misc]
            said = next(e for e in bench.books.events() if "while it was" in e)
            bench.stop()
            bench.out = place
            assert bench.windows() == list(range(40)), bench.windows()
            yield f"output directory {name}", said, counters


def signals(folder: Path, nursery: Nursery) -> Iterator[Row]:
    """Ctrl-C and SIGTERM while much waits; a second one."""
    for name, sent, wanted in (
        ("SIGTERM under load", [signal.SIGTERM], 0),
        ("Ctrl-C under load", [signal.SIGINT], 0),
        ("Ctrl-C twice", [signal.SIGINT, signal.SIGINT], 130),
    ):
        place = folder / name.replace(" ", "-")
        place.mkdir()
        with running(place, nursery, queue_mib=1, limits="workers = 1") as bench:
            bench.sender.begin()
            bench.send(1000)
            bench.books.until(lambda s: s.counters.used > 50)
            *earlier, last = sent
            for number in earlier:
                bench.daemon.process.send_signal(number)
                bench.books.until(lambda s: s.state == "draining")
            counters = bench.books.status().counters
            bench.daemon.process.send_signal(last)
            code = bench.daemon.wait(300.0)
            bench.client.close()
            assert code == wanted, (code, bench.daemon.errors)
            found = [path for path in bench.out.glob("*.nxs") if _opens(path, closed=not wanted)]
            assert found
            yield name, f"exit {code}, {len(found)} file opens", counters


def _written(out: Path) -> int:
    """Return how many windows anybody can read by now."""
    try:
        with h5py.File(next(out.glob("*.nxs")), swmr=True) as file:
            return int(file["entry/windows/number"].shape[0])
    except (StopIteration, OSError):  # it is only begun
        return 0


def _opens(path: Path, *, closed: bool) -> bool:
    with h5py.File(path, swmr=not closed) as file:
        return bool(file["entry/complete"][()] == int(closed))


def wrong_settings(folder: Path, nursery: Nursery) -> Iterator[Row]:
    """Everything that is wrong with both files, at once; nothing starts."""
    profile, recipe = beamline.write_settings(folder)
    (folder / "geometry.poni").unlink()
    text = profile.read_text().replace("bins = 200", "bins = 2").replace("flush = 0.2", "flush = 0")
    profile.write_text(f"{text}\n[limit]\nworkers = 1\n")
    text = recipe.read_text().replace('"Ni"', '"Xx2"', 1).replace("qmax = 18.0", "qmax = 0.5")
    recipe.write_text(text.replace("frames = 4", "frames = 4\nseconds = 1.0"))
    with Daemon(profile, recipe, "--out", str(folder / "out"), nursery=nursery) as daemon:
        assert daemon.wait() == 3, daemon.errors
    said = [line.strip() for line in daemon.errors if line.startswith("  ")]
    assert not (folder / "out").exists()
    for key in ("bins", "flush", "limit", "composition", "qmin", "frames"):
        assert any(key in line for line in said), (key, said)
    yield "bad profile and recipe", f"exit 3, {len(said)} complaints at once", None


def killed_and_retuned(folder: Path, nursery: Nursery) -> Iterator[Row]:
    """A run that was retuned and killed goes on by the recipe of the command line, and says so."""
    with running(folder, nursery, output="journal = true") as bench:
        bench.sender.begin()
        bench.send(30)
        bench.used(30)
        bench.client.ask(ApplyRequest(changes={"reduction.qmax": 16.0}), 60.0)
        bench.send(30)
        bench.used(60)
        # what is younger than the last flush is made anew, and nothing is left that differs
        bench.books.until(lambda _: _written(bench.out) > 30, "windows of both recipes on disk")
        bench.daemon.process.kill()
        bench.daemon.wait()
        bench.client.close()
        again = ("--out", str(bench.out), "--runs", "1", "--json")
        profile, recipe = folder / "profile.toml", folder / "recipe.toml"
        with Daemon(profile, recipe, *again, nursery=nursery) as daemon:
            client = Client(daemon.address())
            books = Books(client)
            # not before: what is sent to a process that dies is lost on the way, and is counted so
            bench.send(30)
            counters = books.until(lambda s: s.counters.used >= 30).counters
            said = next(e for e in books.events() if "another recipe" in e)
            bench.sender.end()
            client.close()
            assert daemon.wait(300.0) == 0, daemon.errors
        assert sorted(set(bench.windows())) == list(range(90))
        yield "killed after a retune", said, counters


ROWS: list[Callable[[Path, Nursery], Iterator[Row]]] = [
    wrong_settings,
    streams,
    files,
    protocols,
    too_slow,
    signals,
    output_goes,
    output_read_only,
    beam_and_sample,
    killed_and_retuned,
    disk_is_full,
    disk_hangs,
]


def main(wanted: list[str]) -> int:
    """Do all rows, or those whose names have one of the words; return how many failed."""
    failed = 0
    for rows in ROWS:
        if wanted and not any(word in rows.__name__ for word in wanted):
            continue
        folder = Path(tempfile.mkdtemp(prefix="livepdf-faults-"))
        began = time.monotonic()
        try:
            with Nursery() as nursery:
                for name, seen, counters in rows(folder, nursery):
                    _print(name, seen, counters, time.monotonic() - began)
                    began = time.monotonic()
        except PermissionError as error:
            print(f"{rows.__name__}: LEFT OUT: {error}", flush=True)  # noqa: T201
        except AssertionError as error:
            failed += 1
            print(f"{rows.__name__}: FAILED: {str(error)[:1500]}", flush=True)  # noqa: T201
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return failed


def _print(name: str, seen: str, counters: Counters | None, took: float) -> None:
    books = ""
    if counters is not None:
        assert counters.add_up()
        refused = sum(counters.refused.values())
        books = (
            f"received {counters.received} = used {counters.used} + left out {counters.left_out} "
            f"+ refused {refused} + waiting {counters.waiting}; lost {counters.lost}"
        )
    print(f"{took:5.1f} s  {name:42s} | {seen[:110]} | {books}", flush=True)  # noqa: T201


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main(sys.argv[1:]))
