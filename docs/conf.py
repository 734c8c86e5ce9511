"""How the documentation is built: Sphinx reads the Markdown pages as they are."""

import tomllib
from pathlib import Path

project = "livepdf"
author = "the livepdf developers"
_PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"
release = version = tomllib.loads(_PYPROJECT.read_text())["project"]["version"]
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"livepdf {release}"
html_static_path: list[str] = []
myst_enable_extensions = ["deflist", "colon_fence"]
myst_heading_anchors = 3
# Tables of settings and shell lines are not all of a language that has a lexer.
suppress_warnings = ["misc.highlighting_failure"]
nitpicky = True
