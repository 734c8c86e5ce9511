"""What ``--help`` teaches."""

OVERVIEW = """\
usage: python3 tools/dev.py COMMAND [ARGS...]

The one door to a checkout of livepdf. Each command first makes .venv and installs the pinned
packages (tools/constraints.txt) where that is not yet done: about a minute, once.

  demo    simulated detector, daemon and window: watch nanoparticles grow
  test    the whole test suite
  check   everything the integration machine runs: ruff, mypy, import contracts, tests
  bench   speed, beside other programs on the same data
  docs    the documentation as web pages
  set-up  make the environment and stop
  clean   remove the environment and all caches

`python3 tools/dev.py COMMAND --help` says more. Set LIVEPDF_VENV to keep the environment
elsewhere than in .venv.
"""

GUIDE = {
    "demo": """\
usage: python3 tools/dev.py demo [--headless] [--duration S] [--out DIR]

Runs `livepdf demo` with the same arguments: a simulated detector sends HfO2 nucleating and
growing in hot water, over a real socket, to a real daemon, and the window shows I(Q), G(r) and
the particle size as they come. Without a display it draws offscreen. At the end it prints truth
beside measurement and leaves run.nxs, the last .gr and a screenshot in DIR.

After the set-up, `.venv/bin/livepdf --help` lists everything else.
""",
    "test": """\
usage: python3 tools/dev.py test [PYTEST ARGUMENTS]

Runs pytest with no screen, one thread per library and one process per core (-n 0 for one alone,
which -s and --pdb want). Examples:
  python3 tools/dev.py test tests/numerics        one folder
  python3 tools/dev.py test -k taper -x           by name, stop at the first failure
Tests on real data look for them in ../shared/data, or where LIVEPDF_TEST_DATA points; they are
skipped where there are none, and fail instead where CI=true.
""",
    "check": """\
usage: python3 tools/dev.py check [--no-tests]

Runs ruff (rules and format), mypy --strict, the import contracts and the tests; says at the end
which failed. --no-tests leaves the last out. `.venv/bin/ruff format .` mends the format.
""",
    "bench": """\
usage: python3 tools/dev.py bench [--json FILE] [NAMES...]

Times our code beside other programs in one process, on the same data, one thread, and the daemon
with a detector beside it; prints found beside wanted, and at the end what was missed. Without a
name all benchmarks run, about eight minutes on two cores alone; an unknown name lists them.
The FILE is written after each, so that a run that is stopped leaves what it has.
""",
    "docs": """\
usage: python3 tools/dev.py docs

Builds the documentation with Sphinx into build/docs; a warning fails it.
""",
    "set-up": """\
usage: python3 tools/dev.py set-up

Makes .venv, installs livepdf (editable) with the extras gui and dev at the pinned versions, and
sees to Qt's system libraries: installs them as root on Debian and Ubuntu, else prints the one
command. What it did is in .venv/set-up.log. An interrupted set-up is made anew.
""",
    "clean": """\
usage: python3 tools/dev.py clean

Removes .venv (only one that this door made), build results and caches.
""",
}
