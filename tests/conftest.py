"""What every test may use: real data written by others, and no silent errors."""

import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A script's background jobs ignore Ctrl-C, and so would all that the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def data_path() -> Callable[[str], Path]:
    """Return a function that finds a file of the shared test data by its relative path."""
    root = Path(os.environ.get("LIVEPDF_TEST_DATA", REPOSITORY.parent / "shared" / "data"))

    def find(relative: str) -> Path:
        path = root / relative
        if not path.exists():
            message = f"test data missing: {path}; set LIVEPDF_TEST_DATA to their folder"
            if os.environ.get("CI") == "true":
                pytest.fail(message)
            pytest.skip(message)
        return path

    return find


@pytest.fixture(autouse=True)
def no_logged_error(
    caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
) -> Iterator[None]:
    """Fail any test that logged an error, unless it is marked ``logs_errors``."""
    yield
    if request.node.get_closest_marker("logs_errors"):
        return
    errors = [r.getMessage() for r in caplog.get_records("call") if r.levelno >= logging.ERROR]
    assert not errors, f"logged errors: {errors}"
