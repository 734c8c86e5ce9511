from pathlib import Path

import pytest

from tests.system.kill_bench import hammer, verify

pytestmark = pytest.mark.system


def test_a_run_whose_daemon_is_killed_again_and_again_has_every_frame_that_was_on_disk_once(
    tmp_path: Path,
) -> None:
    outcome = hammer(tmp_path, kills=2, seed=1)

    verify(outcome)
    assert outcome.files > 1
