"""The web page in a real browser, of a real daemon, through the real command."""

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from livepdf.wire.client import Client
from tests.daemon import beamline
from tests.daemon.conftest import Bench
from tests.daemon.test_service import follow

Start = Callable[..., Bench]


@contextmanager
def served(endpoint: str) -> Iterator[str]:
    """Address of the page that `livepdf web` serves."""
    start = "from livepdf.cli.main import main; main()"
    command = [sys.executable, "-u", "-c", start, "web", endpoint]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        try:
            assert address.startswith("http://127.0.0.1:"), address
            yield address
        finally:
            process.terminate()
            assert process.wait(timeout=60) == 0


def has_joined(address: str) -> None:
    """Wait until the page has the newest window: the browser looks once."""
    deadline = time.monotonic() + 60.0
    while "curves" not in state_at(address):
        assert time.monotonic() < deadline, "the page has no curve"
        time.sleep(0.1)


def state_at(address: str) -> dict[str, object]:
    """What the page is told; empty before it is served."""
    try:
        with urllib.request.urlopen(address.replace("/?", "/state.json?")) as reply:
            found: dict[str, object] = json.load(reply)
            return found
    except OSError:
        return {}


def looked_at(address: str, *, profile: str) -> str:
    """What a browser made of the page."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    assert browser is not None, "chromium is missing: apt-get install chromium"
    shown = subprocess.run(
        [
            browser,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            f"--user-data-dir={profile}",
            "--virtual-time-budget=4000",
            "--dump-dom",
            address,
        ],
        capture_output=True,
        text=True,
        timeout=200,
        check=True,
    )
    return shown.stdout


def test_a_browser_shows_the_run_and_its_values(bench: Start) -> None:
    daemon = bench()
    client: Client = daemon.client()
    client.connect()
    daemon.source.put(beamline.start(), *(beamline.frame(n) for n in range(8)))
    follow(client, lambda: len(client.mirror.windows or ()) == 2)

    with served(daemon.service.address) as address:
        has_joined(address)
        shown = looked_at(address, profile=str(daemon.service.files[0].parent / "browser"))
    daemon.finish()

    text = re.sub(r"<[^>]+>", " ", shown)
    assert "test bench" in text
    assert "8 frames: 8 used, 0 refused" in text
    # who comes late sees the curves, too
    assert "window 1, 4 frames" in text
    for kind in ("gr", "iq"):
        drawn = re.search(rf'<canvas id="{kind}"[^>]*data-points="(\d+)"', shown)
        assert drawn is not None
        assert int(drawn[1]) > 100
    assert re.search(r"Ni-Ni position\s+[\d.]+ ± [\d.]+ Å|Ni-Ni position\s+withheld: \w+", text)
