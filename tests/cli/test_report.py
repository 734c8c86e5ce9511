"""A report of a written run: every number that is in the file, and only those."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from livepdf.cli.report import report
from livepdf.model.status import Counters, Event
from livepdf.sinks.nexus import NexusFile
from tests.sinks.test_nexus import header, row


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "growth_0001.nxs"
    file = NexusFile(path, header())
    file.add([row(number) for number in range(6)])
    file.event(Event(kind="mark", time=1_700_000_002.0, text="heater on", run="", frame=20))
    file.counters(Counters(received=64, used=60, refused={"malformed": 3}, waiting=1, lost=2))
    file.close(end=1_700_000_006.0)
    return path


def test_the_page_holds_figures_numbers_and_what_happened(run: Path) -> None:
    done = CliRunner().invoke(report, [str(run)])

    assert done.exit_code == 0, done.output
    page = run.with_suffix(".html").read_text()
    assert page.count("<svg") == 1
    assert "HfO2 in water (HfO2)" in page
    assert "64 received, 60 used, 1 waiting, 2 lost, 3 refused: malformed" in page
    assert "mark: heater on" in page
    assert re.search(r"Hf-O position</td><td>[\d.]+ ± [\d.]+ Å", page)
    # A picture from elsewhere or a script would make the file depend on a network.
    assert "<script" not in page
    assert "<img" not in page


def test_a_pdf_has_the_same(run: Path) -> None:
    out = run.with_name("one.pdf")

    done = CliRunner().invoke(report, [str(run), "-o", str(out)])

    assert done.exit_code == 0, done.output
    written = out.read_bytes()
    assert written.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", written)) == 2


def test_only_pages_and_pdf_are_written(run: Path) -> None:
    done = CliRunner().invoke(report, [str(run), "-o", "x.docx"])

    assert done.exit_code == 2
    assert "wanted a name in .html or .pdf" in done.output


def test_a_run_without_windows_is_said_to_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.nxs"
    NexusFile(path, header()).close(end=1_700_000_001.0)

    done = CliRunner().invoke(report, [str(path)])

    assert done.exit_code != 0
    assert "nothing to report" in str(done.exception)
