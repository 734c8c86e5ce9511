"""Settings of feeds of slow values."""

from pathlib import Path

import pytest

from livepdf.config.load import load_profile
from livepdf.errors import ConfigError
from livepdf.files.profiles import ready_profiles

FEED = """
[[slow]]
kind = "table"
path = "log.csv"
{more}
value = [{{ name = "temperature", of = "T" }}]
"""


def profile(tmp_path: Path, *feeds: str) -> Path:
    text = ready_profiles()["bluesky"].read_text(encoding="utf-8")
    path = tmp_path / "profile.toml"
    path.write_text(text + "".join(FEED.format(more=more) for more in feeds))
    return path


def test_paths_of_feeds_are_relative_to_the_profile(tmp_path: Path) -> None:
    (feed,) = load_profile(profile(tmp_path, ""), template=True).slow
    assert feed.kind == "table"
    assert feed.path == tmp_path / "log.csv"


def test_a_name_that_two_feeds_give_is_complained_about(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not temperature twice"):
        load_profile(profile(tmp_path, "", ""), template=True)


def test_a_complaint_names_the_key_as_the_file_has_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_profile(profile(tmp_path, "tolerance = -1"), template=True)
    (complaint,) = caught.value.complaints
    assert complaint.key == "slow.0.tolerance"
