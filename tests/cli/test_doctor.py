"""What the doctor says beside versions."""

import json

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
