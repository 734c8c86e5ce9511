"""Recipes and requests of somebody who means harm: refused, counted, no file outside is touched.

What is opened is told by Python itself: an audit hook hears of every file that any thread opens.
"""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livepdf.errors import SourceError
from livepdf.wire.client import Client
from livepdf.wire.messages import HistoryRequest, MarkRequest, Request, WindowRequest
from livepdf.wire.overview import MapRequest
from livepdf.wire.tuning import ApplyRequest, CaptureWindowsRequest, PinRequest, PreviewRequest
from livepdf.wire.views import ExportRequest, StructureRequest
from tests.daemon import beamline
from tests.daemon.conftest import Bench
from tests.daemon.test_service import follow

Start = Callable[..., Bench]
HUGE = 2**64 - 1
DEEP: Any = 1.0
for _ in range(60):
    DEEP = [DEEP] if _ % 2 else {"a": DEEP}
_opened: list[str] | None = None


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _opened is not None and isinstance(arguments[0], str):
        _opened.append(arguments[0])


sys.addaudithook(_hear)


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Every path that is opened from now on."""
    global _opened
    _opened = heard = []
    yield heard
    _opened = None


def secrets(folder: Path) -> list[str]:
    """Plant files outside the output directory; return ways to name them."""
    secret = folder / "secret.iq"
    secret.write_text("".join(f"{q / 10:.2f} 1.0 0.1\n" for q in range(1, 250)))
    (folder / "secret.cif").write_text("data_secret\n_cell_length_a 4\n")
    (folder / "out").mkdir(exist_ok=True)
    (folder / "out" / "link.iq").symlink_to(secret)
    (folder / "out" / "folder").symlink_to(folder)
    return [
        str(secret),
        "secret.iq",
        "out/../secret.iq",
        "out/link.iq",
        "out/folder/secret.iq",
        "/proc/self/cwd/../../../../../../../../etc/passwd",
        "/dev/zero",
        "~/.ssh/id_rsa",
        "a\0b.iq",
        "x" * 4000,
    ]


CHANGES: list[dict[str, Any]] = [
    {"reduction.qmax": float("nan")},
    {"reduction.qmax": float("inf")},
    {"reduction.qmax": HUGE},
    {"reduction.qmax": -1.0},
    {"reduction.qmin": 30.0},
    {"reduction.rstep": 5e-324},
    {"reduction.rstep": 1e-9},
    {"reduction.rmax": 1e308},
    {"reduction.rpoly": "__import__('os').system('id')"},
    {"reduction.scale": {"$ref": "x"}},
    {"reduction": DEEP},
    {"reduction.": 1},
    {"": 1},
    {".": 1},
    {".".join("a" * 50): 1},
    {"__class__.__init__": 1},
    {"sample.composition": "(" * 390},
    {"sample.composition": "\u202eNi\ud7ff"},
    {"sample.composition": "Ni; rm -rf /"},
    {"sample.name": ["a"] * 1000},
    {"peak": [{"name": "a", "near": 2.0}] * 4000},
    {"peak.99999999": {"name": "a", "near": 2.0}},
    {"peak.-1": {"name": "a", "near": 2.0}},
    {"peak.0.near": float("nan")},
    {"window.frames": 1},
    {"window": None},
    {"background": [{"name": "a", "ramp": []}]},
    {"analysis": {"structures": ["ni"] * 5000}},
    {"analysis": {"structures": []}},
]
ASKED: list[Request] = [
    HistoryRequest(run="", first=2**62, limit=5000),
    HistoryRequest(run="../../etc/passwd"),
    WindowRequest(run="series-1_0001", number=2**62),
    MapRequest(run="series-1_0001", kind="gr", first=-(2**40), limit=10),
    ExportRequest(run="../series-1_0001", number=0, kind="gr"),
    StructureRequest(name="/etc/passwd"),
    StructureRequest(name="secret"),
    StructureRequest(name="x", text="data_\nloop_\n" + "_a\n" * 50_000),
    StructureRequest(name="x", text="\0" * 1000),
    PinRequest(number=2**62),
    PinRequest(text="nan nan nan\n" * 1000, file="../../x.gr"),
    PinRequest(text="1e400 1 1\n" * 10, file="\u202e.gr"),
    CaptureWindowsRequest(what="background", first=-(2**40), count=2**40),
    CaptureWindowsRequest(what="reference", count=0),
    MarkRequest(text="\x1b[2J\u202e" * 200),
]


def begun(bench: Start) -> tuple[Bench, Client]:
    daemon = bench(window="frames = 1")
    client = daemon.client()
    client.connect(60.0)
    daemon.source.put(beamline.start(), *(beamline.frame(n) for n in range(3)))
    follow(client, lambda: len(client.mirror.windows or ()) == 3)
    return daemon, client


def refusal(client: Client, request: Request) -> str:
    """Return why a request is refused; nothing where it is not."""
    try:
        client.ask(request, 60.0)
    except SourceError as error:
        return str(error)
    return ""


def outside(folder: Path) -> dict[Path, bytes]:
    """Return all files but those of the output directory."""
    found = (p for p in folder.rglob("*") if not p.is_relative_to(folder / "out"))
    return {p: p.read_bytes() for p in found if p.is_file() and not p.is_symlink()}


def test_hostile_changes_are_refused_in_words_and_counted_and_the_run_goes_on(
    bench: Start, tmp_path: Path
) -> None:
    daemon, client = begun(bench)
    before = outside(tmp_path)

    refused = 0
    for change in CHANGES:
        words = refusal(client, PreviewRequest(changes=change))
        assert words, change
        assert "defect" not in words, (change, words)
        assert len(words) < 20_000, change
        assert refusal(client, ApplyRequest(changes=change, again="whole")), change
        refused += 2
    for request in ASKED:
        refused += bool(refusal(client, request))

    assert client.retune.recipe().revision == 1
    assert outside(tmp_path) == before
    daemon.source.put(beamline.frame(3))
    follow(client, lambda: len(client.mirror.windows or ()) == 4)
    follow(client, lambda: sum(turned(client).values()) >= refused)


def turned(client: Client) -> dict[str, int]:
    status = client.mirror.status
    return {} if status is None else dict(status.turned_away)


def test_no_request_opens_a_file_outside_the_output_directory(
    bench: Start, tmp_path: Path, opened: list[str]
) -> None:
    names = secrets(tmp_path)
    _, client = begun(bench)
    before = outside(tmp_path)
    opened.clear()

    for name in names:
        changes = [
            {"background": [{"name": "a", "file": name}]},
            {"analysis": {"structures": [name.replace(".iq", ".cif")]}},
            {"analysis": {"structures": ["ni"], "precursor": [name]}},
            {"reduction.scale": "reference", "reduction.scale_from": name},
        ]
        for change in changes:
            assert refusal(client, ApplyRequest(changes=change)), change
        assert refusal(client, PinRequest(file=name)), name
        assert refusal(client, StructureRequest(name=name)), name

    wanted = {os.path.realpath(tmp_path / f"secret.{kind}") for kind in ("iq", "cif")}
    touched = {os.path.realpath(path) for path in opened if "\0" not in path}
    assert not touched & (wanted | {"/etc/passwd", "/dev/zero"})
    out = os.path.realpath(tmp_path / "out")
    assert all(path.startswith(f"{out}/") for path in touched if path.endswith("id_rsa"))
    assert outside(tmp_path) == before


def test_bytes_that_claim_to_be_large_or_deep_are_refused_before_they_cost_anything(
    bench: Start,
) -> None:
    _, client = begun(bench)
    deep = PreviewRequest(changes={"a": DEEP})

    assert "nest" in refusal(client, deep)
    flat = msgspec.structs.replace(deep, changes={f"a{n}": n for n in range(20_000)})
    assert refusal(client, flat)
    assert client.retune.recipe().revision == 1
