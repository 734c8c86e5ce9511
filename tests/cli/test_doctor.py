"""What the doctor says beside versions."""

import json
import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from livepdf.cli.doctor import doctor


def test_the_doctor_says_that_a_pushed_stream_has_one_reader() -> None:
    result = CliRunner().invoke(doctor, ["--json"])

    notes = {finding["what"]: finding["detail"] for finding in json.loads(result.output)}
    assert "ONE reader" in notes["pushed streams"]
    assert "republish" in notes["pushed streams"]


def test_people_read_every_word_of_what_the_doctor_says() -> None:
    told = " ".join(CliRunner().invoke(doctor).output.split())

    # In brackets it would be taken for a colour, and left out.
    assert "[source]" in told


def test_an_empty_cache_is_told_and_nothing_is_compiled_to_find_out(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "livepdf.cli.main", "doctor", "--json"]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    cache = {f["what"]: f for f in json.loads(told.stdout)}["kernel cache"]
    assert cache["verdict"] == "note"
    assert cache["detail"].startswith("21 loops are not compiled yet")
    assert "doctor --warm" in cache["detail"]
    compiled = {path.name.split("-")[0] for path in tmp_path.rglob("*.nbi")}
    assert compiled <= {"kernel._probe"}
