"""How the European XFEL names the files of a run."""

import re

_FILE = re.compile(r"^[A-Z]+-R\d+-.*-S\d+\.h5$")


def is_run_file(name: str) -> bool:
    """Whether a file is named like a part of a run, as ``RAW-R0450-LPD00-S00000.h5``."""
    return _FILE.match(name) is not None
