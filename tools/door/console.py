"""How the door speaks: plain lines, and one error that carries the words for the user."""

import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import shorten

TAIL = 25
WIDTH = 90


class DoorError(Exception):
    """Something the user must see to; the message says what and how."""


def say(text: str) -> None:
    """Print one line of progress at once, also into a pipe."""
    print(f"dev: {text}", flush=True)


def run_logged(
    command: Sequence[str], *, log: Path, env: Mapping[str, str], show: tuple[str, ...] = ()
) -> bool:
    """Run ``command`` with its words in ``log``; True when it succeeded.

    Lines that begin with one of ``show`` are printed as they come; on failure the end of the
    log is.
    """
    last: deque[str] = deque(maxlen=TAIL)
    with log.open("a", encoding="utf-8") as record:
        record.write(f"$ {' '.join(command)}\n")
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=dict(env),
        ) as process:
            try:
                for line in process.stdout or ():
                    record.write(line)
                    last.append(line.rstrip())
                    if line.strip().startswith(show):
                        say(f"  {shorten(line.strip(), WIDTH, placeholder=' …')}")
            except KeyboardInterrupt:
                # Nobody else may tell it: a signal to this process alone is not one to its child
                process.terminate()
                raise
    if process.returncode == 0:
        return True
    print(
        "\n".join(f"  | {shorten(line, 4 * WIDTH, placeholder=' …')}" for line in last), flush=True
    )
    return False
